"""GoogleSQL's analyzer and reference engine, compiled to WebAssembly (the package zetasql).

The same front end and the same semantics as BigQuery's, without its storage: tables come in with
each statement, rows go out.
"""

import ctypes
import os
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from importlib.metadata import version
from pathlib import Path
from typing import Any

from google.protobuf import empty_pb2
from wasmtime import Config, Engine, Linker, Module, Store, WasiConfig
from zetasql.core.wasm_client import WasmClient, get_tzinfo_dir
from zetasql.wasi import get_wasm_path
from zetasql.wasi._pb2.zetasql.local_service import local_service_pb2 as service
from zetasql.wasi._pb2.zetasql.proto import options_pb2, simple_catalog_pb2
from zetasql.wasi._pb2.zetasql.public import options_pb2 as public
from zetasql.wasi._pb2.zetasql.public import simple_table_pb2, type_pb2, value_pb2

from integration_tests.project import one_process_at_a_time

EPOCH = date(1970, 1, 1)
KINDS = {name.removeprefix("TYPE_"): kind for name, kind in type_pb2.TypeKind.items()}
NAMES = {kind: name for name, kind in KINDS.items()}
KINDS |= {"FLOAT64": KINDS["DOUBLE"], "INTEGER": KINDS["INT64"], "BOOLEAN": KINDS["BOOL"]}
# What GoogleSQL can and BigQuery can't.
NOT_IN_BIGQUERY = """
TIMESTAMP_NANOS MAP_TYPE UUID_TYPE ENABLE_MEASURES MULTILEVEL_AGGREGATION LATERAL_COLUMN_REFERENCES
ROW_TYPE AGGREGATE_FILTERING INSERT_ON_CONFLICT_CLAUSE DML_RETURNING GROUP_BY_GRAPH_PATH
RUN_STATEMENT FOR_UPDATE TTL UNNEST_AND_FLATTEN_ARRAYS
"""


@dataclass(eq=False)
class Table:
    """Columns with their types (a column of `pseudo` is one that `*` leaves out), and rows.

    Rows stay in the engine's own form, so that nothing is lost on the way from table to table.
    """

    types: dict[str, Any]
    rows: list[Any] = field(default_factory=list)
    pseudo: frozenset[str] = frozenset()

    def values(self) -> list[tuple[Any, ...]]:
        kinds = list(self.types.values())
        return [
            tuple(decode(cell, kind) for cell, kind in zip(row.cell, kinds, strict=True))
            for row in self.rows
        ]


def table(types: Mapping[str, Any], rows: Iterable[Iterable[Any]], pseudo: str = "") -> Table:
    """Make a table of Python values: `table({"a": "INT64"}, [(1,), (None,)])`.

    A dict of types is a STRUCT, whose values are dicts; what they lack is null.
    """
    kinds = {name: kind_of(kind) for name, kind in types.items()}
    encoded = [
        service.TableData.Row(
            cell=[encode(value, kind) for value, kind in zip(row, kinds.values(), strict=True)]
        )
        for row in rows
    ]
    return Table(kinds, encoded, frozenset(pseudo.split()))


def kind_of(kind: Any) -> Any:
    if isinstance(kind, str):
        return type_pb2.TypeProto(type_kind=KINDS[kind.upper()])
    made = type_pb2.TypeProto(type_kind=KINDS["STRUCT"])
    for name, each in kind.items():
        made.struct_type.field.add(field_name=name, field_type=kind_of(each))
    return made


def encode(value: Any, kind: Any) -> Any:
    name, cell = NAMES[kind.type_kind], value_pb2.ValueProto()
    if value is None:
        return cell
    if name == "TIMESTAMP":
        micros = (value - datetime.fromtimestamp(0, UTC)) // timedelta(microseconds=1)
        cell.timestamp_value.seconds, rest = divmod(micros, 10**6)
        cell.timestamp_value.nanos = rest * 1000
    elif name == "DATE":
        cell.date_value = (value - EPOCH).days
    elif name == "STRUCT":
        cell.struct_value.SetInParent()
        for each in kind.struct_type.field:
            cell.struct_value.field.append(encode(value.get(each.field_name), each.field_type))
    else:
        setattr(cell, f"{name.lower()}_value", value)
    return cell


def decode(cell: Any, kind: Any) -> Any:
    name, which = NAMES[kind.type_kind], cell.WhichOneof("value")
    if which is None:
        return None
    if name == "ARRAY":
        return [decode(each, kind.array_type.element_type) for each in cell.array_value.element]
    if name == "TIMESTAMP":
        found = cell.timestamp_value
        return datetime.fromtimestamp(0, UTC) + timedelta(
            seconds=found.seconds, microseconds=found.nanos // 1000
        )
    if name == "DATE":
        return EPOCH + timedelta(days=cell.date_value)
    if name not in ("STRING", "INT64", "BOOL", "DOUBLE"):
        raise TypeError(f"no column should be of type {name}")
    return getattr(cell, which)


def type_name(kind: Any) -> str:
    name = NAMES[kind.type_kind]
    return f"ARRAY<{type_name(kind.array_type.element_type)}>" if name == "ARRAY" else name


class Client(WasmClient):
    """The package's client, with the compiled module kept and memory copied in one go.

    Compiling takes half a minute; copying byte by byte takes longer than the queries.
    """

    def __init__(self) -> None:
        wasi = WasiConfig()
        wasi.inherit_stdout()
        wasi.inherit_stderr()
        wasi.preopen_dir(get_tzinfo_dir(), "/usr/share/zoneinfo")
        config = Config()
        config.shared_memory = True
        engine = Engine(config)
        self.store = Store(engine)
        self.store.set_wasi(wasi)
        linker = Linker(engine)
        linker.define_wasi()
        self.instance = linker.instantiate(self.store, _module(engine))
        self.exports = self.instance.exports(self.store)
        self.exports["_initialize"](self.store)
        self.memory = self.exports["memory"]

    def write_bytes(self, ptr: int, data: bytes) -> None:
        ctypes.memmove(self._base() + ptr, data, len(data))

    def read_bytes(self, ptr: int, size: int) -> bytes:
        return ctypes.string_at(self._base() + ptr, size)

    def _base(self) -> int:
        return ctypes.addressof(self.memory.data_ptr().contents)


def _module(engine: Engine) -> Module:
    versions = f"{version('zetasql')}-{version('wasmtime')}"
    cached = Path(sys.prefix) / f"zetasql-{versions}.cwasm"
    with one_process_at_a_time("googlesql"):
        if not cached.exists():
            fresh = cached.with_suffix(f".{os.getpid()}")
            fresh.write_bytes(Module.from_file(engine, get_wasm_path()).serialize())
            fresh.rename(cached)
    return Module.deserialize_file(engine, str(cached))


class GoogleSQL:
    """BigQuery's dialect: analyze a statement, or run a query over rows given with it."""

    def __init__(self) -> None:
        self._client = Client()
        self.language = self._call(
            "GetLanguageOptions",
            service.LanguageOptionsRequest(maximum_features=True),
            options_pb2.LanguageOptionsProto,
        )
        self.language.product_mode = public.PRODUCT_EXTERNAL
        self.language.name_resolution_mode = public.NAME_RESOLUTION_DEFAULT
        self.language.reserved_keywords.append("QUALIFY")
        del self.language.supported_statement_kinds[:]  # none listed: all
        absent = {
            public.LanguageFeature.Value(f"FEATURE_{name}") for name in NOT_IN_BIGQUERY.split()
        }
        features = [f for f in self.language.enabled_language_features if f not in absent]
        del self.language.enabled_language_features[:]
        self.language.enabled_language_features.extend(features)
        self.options = options_pb2.AnalyzerOptionsProto(
            language_options=self.language,
            default_timezone="UTC",
            error_message_mode=public.ERROR_MESSAGE_MULTI_LINE_WITH_CARET,
        )

    def _call(self, name: str, request: Any, response: Any = empty_pb2.Empty) -> Any:
        return self._client.call_grpc_func(f"ZetaSqlLocalService_{name}", request, response)

    def functions(self) -> list[str]:
        request = options_pb2.ZetaSQLBuiltinFunctionOptionsProto(language_options=self.language)
        response = service.GetBuiltinFunctionsResponse
        return [
            ".".join(f.name_path)
            for f in self._call("GetBuiltinFunctions", request, response).function
        ]

    def parse(self, sql: str) -> list[Any]:
        """Give the statements of a script as syntax trees."""
        request = service.ParseRequest(sql_statement=sql, options=self.language, allow_script=True)
        script = self._call("Parse", request, service.ParseResponse).parsed_script
        return list(script.statement_list_node.statement_list)

    def tables_of(self, sql: str) -> list[str]:
        request = service.ExtractTableNamesFromStatementRequest(
            sql_statement=sql, options=self.language
        )
        response = service.ExtractTableNamesFromStatementResponse
        found = self._call("ExtractTableNamesFromStatement", request, response).table_name
        return [".".join(each.table_name_segment) for each in found]

    def analyze(
        self, sql: str, tables: Mapping[str, Table], constants: Mapping[str, Any] | None = None
    ) -> Any:
        """Resolve a statement against the tables' schemas; ServerError names the fault."""
        request = service.AnalyzeRequest(
            sql_statement=sql, options=self.options, simple_catalog=self._catalog(tables, constants)
        )
        return self._call("Analyze", request, service.AnalyzeResponse).resolved_statement

    def query(
        self, sql: str, tables: Mapping[str, Table], constants: Mapping[str, Any] | None = None
    ) -> Table:
        """Run a query; its result's columns may be nameless: `f0_`, `f1_`, …

        What ends in `limit 0` is prepared only: dbt asks so for the columns of a query.
        """
        is_empty = sql.rstrip().lower().endswith("limit 0")
        request = service.PrepareQueryRequest(
            sql=sql, options=self.options, simple_catalog=self._catalog(tables, constants)
        )
        for path, each in tables.items():
            request.table_content[path].table_data.row.extend([] if is_empty else each.rows)
        prepared = self._call("PrepareQuery", request, service.PrepareQueryResponse).prepared
        number = prepared.prepared_query_id
        try:
            answer = (
                service.EvaluateQueryResponse()
                if is_empty
                else self._call(
                    "EvaluateQuery",
                    service.EvaluateQueryRequest(prepared_query_id=number),
                    service.EvaluateQueryResponse,
                )
            )
        finally:
            self._call("UnprepareQuery", service.UnprepareQueryRequest(prepared_query_id=number))
        columns = prepared.columns
        names = [each.name or f"f{place}_" for place, each in enumerate(columns)]
        types = {name: each.type for name, each in zip(names, columns, strict=True)}
        return Table(types, list(answer.content.table_data.row))

    def _catalog(self, tables: Mapping[str, Table], constants: Mapping[str, Any] | None) -> Any:
        catalog = simple_catalog_pb2.SimpleCatalogProto(name="bigquery")
        catalog.builtin_function_options.language_options.CopyFrom(self.language)
        for number, (path, each) in enumerate(tables.items(), 1):
            columns = [
                simple_table_pb2.SimpleColumnProto(
                    name=name,
                    type=kind,
                    is_pseudo_column=name in each.pseudo,
                    is_writable_column=True,
                )
                for name, kind in each.types.items()
            ]
            catalog.table.add(name=path, full_name=path, serialization_id=number, column=columns)
        for name, (kind, value) in (constants or {}).items():
            catalog.constant.add(name_path=[name], type=kind, value=value)
        return catalog

"""The same rows of raw on both engines, and the same builds."""

import csv
import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import chain
from pathlib import Path
from typing import Any
from unittest.mock import patch

import duckdb
import pytest
from dbt.cli.main import dbtRunner
from dbt.contracts.graph.manifest import Manifest

from pullstats import csv_log
from pullstats.network_lists import table as network_table
from tests.bigquery import audit_inputs, inputs
from tests.bigquery.googlesql import Table, table
from tests.bigquery.rest import Api, Sent, serve
from tests.bigquery.warehouse import View
from tests.conftest import (
    EXAMPLES,
    ROOT,
    SALT,
    WITHOUT_LOG,
    Project,
    example_logs,
    make_report,
)
from tests.emulators import PROJECT
from tests.test_inventory_models import TABLES as INVENTORY

RAW = "storageanalysis"
SALT_TABLE = "pullstats_private.client_salt"
EARLY, LATE = datetime(2024, 7, 3, 5, tzinfo=UTC), datetime(2024, 7, 4, 6, tzinfo=UTC)
# What two builds at different moments give differently, whatever the engine.
CLOCKS = {"int_blobs": {"changed_at", "image_changed_at"}}
SCHEMAS = {"staging": "pullstats_staging", "intermediate": "pullstats_intermediate"}
MODELS = {
    path.stem: SCHEMAS.get(path.relative_to(ROOT / "models").parts[0], "pullstats")
    for path in sorted((ROOT / "models").rglob("*.sql"))
}
Row = Sequence[Any]
# Entries of the audit log come by two ways at once; those of the sink are older than its lag.
TWO_SINKS = f"audit_sink_dataset: {audit_inputs.SINK}, audit_sink_max_lag_days: 36500"
BIGQUERY_TYPES = {"VARCHAR": "STRING", "BIGINT": "INT64", "TIMESTAMP": "TIMESTAMP"}


class DuckDBTwin(Project):
    """The project on DuckDB, over raw tables that tests fill."""

    def fill(self, usage: Sequence[Row], storage: Sequence[Row], audit: Sequence[Row] = ()) -> None:
        with duckdb.connect(str(self.database)) as connection:
            connection.execute(f"create schema {RAW}")
            tables = {
                "usage": (inputs.COLUMNS, usage),
                "storage": (inputs.STORAGE_COLUMNS, storage),
                "audit_logs": (audit_inputs.COLUMNS, audit),
            }
            for name, (columns, lines) in tables.items():
                types = ", ".join(f"{column} {kind}" for column, kind in columns.items())
                connection.execute(f"create table {RAW}.{name} ({types})")
                for line in lines:
                    values = [_naive(value) for value in line]
                    marks = ", ".join("?" for _ in values)
                    connection.execute(f"insert into {RAW}.{name} values ({marks})", values)

    def fill_sink(self, tables: dict[str, tuple[dict[str, Any], list[dict[str, Any]]]]) -> None:
        with duckdb.connect(str(self.database)) as connection:
            connection.execute(f"create schema {audit_inputs.SINK}")
            for name, (columns, rows) in tables.items():
                text = self.folder / f"{name}.json"
                text.write_text("\n".join(json.dumps(row, default=_iso) for row in rows))
                types = {column: _duckdb_type(kind) for column, kind in columns.items()}
                connection.execute(
                    f"create table {audit_inputs.SINK}.{name} as"
                    f" from read_json('{text}', format = 'newline_delimited', columns = {types})"
                )

    def fill_optional(self) -> dict[str, tuple[dict[str, str], list[Row]]]:
        """Land an inventory and a loader's ledger; return each table's columns and rows."""
        with duckdb.connect(str(self.database)) as connection:
            connection.execute(INVENTORY)
            connection.execute(inputs.LEDGER)
        names = ("inventories", "manifests", "manifest_blobs", "loaded_objects")
        return {name: self.raw(name) for name in names}

    def raw(self, name: str) -> tuple[dict[str, str], list[Row]]:
        """Return the columns and rows of a table of raw."""
        with duckdb.connect(str(self.database)) as connection:
            lines = connection.execute(f"from {RAW}.{name}").fetchall()
            described = connection.execute(f"describe {RAW}.{name}").fetchall()
        types = {column: BIGQUERY_TYPES[kind] for column, kind, *_ in described}
        return types, [[_plain(value) for value in line] for line in lines]

    def ask(self, sql: str, name: str) -> "Content":
        with duckdb.connect(str(self.database), read_only=True) as connection:
            result = connection.execute(sql)
            names = [column[0] for column in result.description]
            return Content(name, names, result.fetchall())


class Content:
    """The rows of a model, whatever their order; null is not ''."""

    def __init__(self, model: str, names: Sequence[str], found: Sequence[Row]) -> None:
        left_out = CLOCKS.get(model, set())
        self.names = sorted(set(names) - left_out)
        places = [names.index(name) for name in self.names]
        self.rows = Counter(tuple(_plain(row[place]) for place in places) for row in found)

    __hash__ = None  # type: ignore[assignment]

    def __eq__(self, other: object) -> bool:
        assert isinstance(other, Content)
        return (self.names, self.rows) == (other.names, other.rows)

    def __sub__(self, other: "Content") -> list[str]:
        """Tell of the first rows that the other has not, and by which columns."""
        different = []
        for row in list((self.rows - other.rows).elements())[:3]:
            near = min(
                (other.rows - self.rows) or [()],
                key=lambda others: sum(a != b for a, b in zip(row, others, strict=False)),
            )
            pairs = zip(self.names, row, near or [...] * len(row), strict=False)
            different.append(str({name: (a, b) for name, a, b in pairs if a != b}))
        return different


def _duckdb_type(kind: Any) -> str:
    if isinstance(kind, str):
        return kind.replace("INT64", "BIGINT").replace("STRING", "VARCHAR")
    fields = ", ".join(f'"{name}" {_duckdb_type(each)}' for name, each in kind.items())
    return f"STRUCT({fields})"


def _iso(value: datetime) -> str:
    return f"{value:%Y-%m-%d %H:%M:%S.%f}"


def _naive(value: Any) -> Any:
    return value.replace(tzinfo=None) if isinstance(value, datetime) else value


def _plain(value: Any) -> Any:
    return value.replace(tzinfo=UTC) if isinstance(value, datetime) else value


class BigQueryProject:
    """The project on BigQuery's target, at the address of a replacement for BigQuery."""

    manifest: Manifest | None = None

    def __init__(self, folder: Path, address: str) -> None:
        self.folder = folder
        profile = (ROOT / "profiles.yml.example").read_text()
        (folder / "profiles.yml").write_text(
            profile.replace(
                "method: oauth\n",
                f"method: oauth-secrets\n      token: none\n      api_endpoint: {address}\n",
            )
        )

    def dbt(self, *arguments: str, is_logged: bool = False) -> None:
        options = [
            *("--project-dir", str(ROOT), "--profiles-dir", str(self.folder)),
            *("--target-path", str(self.folder / "target"), "--target", "bigquery"),
            *("--log-path", str(self.folder / "logs"), "--quiet"),
            *(() if is_logged else WITHOUT_LOG),
        ]
        if not BigQueryProject.manifest:
            BigQueryProject.manifest = dbtRunner().invoke(["parse", *options]).result
        result = dbtRunner(BigQueryProject.manifest).invoke([*arguments, *options])
        if not result.success:
            failed = [
                f"{each.node.name}: {each.message}"
                for each in getattr(result.result, "results", [])
                if each.status not in ("success", "pass", "warn", "skipped")
            ]
            raise AssertionError("\n".join(failed) or f"dbt {arguments}: {result.exception}")

    def report(self) -> Path:
        return make_report(self.folder, BigQueryProject.manifest, "bigquery", self.folder)


@dataclass
class Build:
    """What a build sent, and the models as it left them."""

    sent: list[Sent]
    contents: dict[str, Content] = field(default_factory=dict)


@dataclass
class Reference:
    """Builds by GoogleSQL's engine, and what DuckDB makes of the same rows in one build.

    `before` and `changes`: what there was before the second build, and what it made of it.
    """

    api: Api
    project: BigQueryProject
    twin: DuckDBTwin
    first: Build
    second: Build
    expected_first: dict[str, Content]
    expected_second: dict[str, Content]
    before: dict[str, Table | View]
    changes: dict[str, list[Table | None]]


def recorded(arrival: datetime, logs: Sequence[Path]) -> list[Row]:
    kinds = list(csv_log.USAGE_COLUMNS.values())
    found: list[Row] = []
    for path in logs:
        with path.open(newline="", encoding="utf-8") as file:
            for line in list(csv.reader(file))[1:]:
                values = [
                    (int(value) if value else None) if kind == "INT64" else value
                    for value, kind in zip(line, kinds, strict=True)
                ]
                found.append([*values, arrival])
    return found


@pytest.fixture(scope="session")
def reference(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reference]:
    """Half of the examples and of the adversarial input in each of two builds."""
    logs = example_logs()
    # an ingestion hour that goes on grows between the builds
    early = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    late = early + timedelta(hours=1)
    usage = [recorded(early, logs[::2]), recorded(late, logs[1::2])]
    usage = [one + more for one, more in zip(usage, inputs.usage(early, late), strict=True)]
    storage, audit = inputs.storage(early, late), audit_inputs.landed(early, late)
    sink = audit_inputs.sunk(early, late)
    sinks = [
        {
            name: (types, [row for row in rows if parts == 2 or row["receiveTimestamp"] == early])
            for name, (types, rows) in sink.items()
        }
        for parts in (1, 2)
    ]
    networks = tmp_path_factory.mktemp("networks") / "networks.jsonl"
    network_table.write(networks, (EXAMPLES / "networks").iterdir())
    expected = []
    for parts in (1, 2):
        twin = DuckDBTwin(tmp_path_factory.mktemp("duckdb"))
        twin.fill(*(list(chain(*rows[:parts])) for rows in (usage, storage, audit)))
        twin.fill_sink(sinks[parts - 1])
        network_table.replace(twin.database, networks)
        optional = twin.fill_optional() if parts == 2 else {}
        twin.dbt(
            *("build", "--exclude-resource-type", "test", "unit_test"),
            *("--vars", f"{{{TWO_SINKS}}}"),
            is_logged=True,
        )
        expected.append(
            {model: twin.ask(f"from {schema}.{model}", model) for model, schema in MODELS.items()}
        )
    with serve() as (address, api):
        project = BigQueryProject(tmp_path_factory.mktemp("bigquery"), address)
        api.warehouse.datasets |= {RAW, audit_inputs.SINK}
        api.warehouse.put(f"{PROJECT}.{SALT_TABLE}", table({"salt": "STRING"}, [[SALT]]))
        api.warehouse.put(f"{PROJECT}.{RAW}.networks", table(*twin.raw("networks")))
        builds = []
        # the second with the data tests, over all days, since the examples are years old; without
        # the hundred that look for nulls: the rows are compared with those of DuckDB
        for parts, options in (
            (
                1,
                *(("--exclude-resource-type", "test", "unit_test", "--vars", f"{{{TWO_SINKS}}}"),),
            ),
            (
                2,
                (
                    *("--exclude-resource-type", "unit_test", "--exclude", "test_name:not_null"),
                    *("--vars", f"{{test_lookback_days: 36500, {TWO_SINKS}}}"),
                ),
            ),
        ):
            for name, columns, lines in (
                ("usage", inputs.COLUMNS, usage),
                ("storage", inputs.STORAGE_COLUMNS, storage),
                ("audit_logs", audit_inputs.COLUMNS, audit),
            ):
                made = table(columns, list(chain(*lines[:parts])), "_partitiontime")
                api.warehouse.put(f"{PROJECT}.{RAW}.{name}", made)
            for name, (types, rows) in sinks[parts - 1].items():
                made = table(types, ([row.get(column) for column in types] for row in rows))
                api.warehouse.put(f"{PROJECT}.{audit_inputs.SINK}.{name}", made)
            for name, (types, lines) in optional.items() if parts == 2 else ():
                api.warehouse.put(f"{PROJECT}.{RAW}.{name}", table(types, lines))
            start, before = len(api.sent), dict(api.warehouse.relations)
            changes: dict[str, list[Table | None]] = {}
            with patch.object(api.warehouse, "put", watch(api.warehouse.put, changes)):
                project.dbt("build", *options, is_logged=True)
            builds.append(Build(api.sent[start:], {model: content(api, model) for model in MODELS}))
        yield Reference(api, project, twin, *builds, *expected, before, changes)


def watch(
    put: Callable[[str, Table | None], None], changes: dict[str, list[Table | None]]
) -> Callable[[str, Table | None], None]:
    """Give a `put` that keeps what is put."""

    def watched(path: str, relation: Table | None) -> None:
        changes.setdefault(path, []).append(relation)
        put(path, relation)

    return watched


def content(api: Api, model: str) -> Content:
    found = api.warehouse.table(f"{PROJECT}.{MODELS[model]}.{model}")
    return Content(model, list(found.types), found.values())

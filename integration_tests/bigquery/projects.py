"""The project on each engine: over raw tables that tests fill, or at a replacement for BigQuery."""

import json
from collections.abc import Sequence
from contextlib import nullcontext
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
from dbt.contracts.graph.manifest import Manifest

from integration_tests import hostile
from integration_tests.bigquery import audit_inputs, inputs
from integration_tests.bigquery.contents import Content, Row, in_utc
from integration_tests.project import (
    ROOT,
    WITH_FILES,
    WITHOUT_FILES,
    Project,
    make_report,
    parsed_once,
    runner,
)
from integration_tests.quick_dbt import silenced
from integration_tests.test_inventory_models import TABLES as INVENTORY

RAW = "storageanalysis"
BIGQUERY_TYPES = {"VARCHAR": "STRING", "BIGINT": "INT64", "TIMESTAMP": "TIMESTAMP"}


class DuckDBTwin(Project):
    """The project on DuckDB, over raw tables that tests fill."""

    def fill(self, usage: Sequence[Row], storage: Sequence[Row], audit: Sequence[Row] = ()) -> None:
        tables = {
            "usage": (inputs.COLUMNS, usage),
            "storage": (inputs.STORAGE_COLUMNS, storage),
            "audit_logs": (audit_inputs.COLUMNS, audit),
        }
        for name, (columns, lines) in tables.items():
            rows = [dict(zip(columns, line, strict=True)) for line in lines]
            self._create(RAW, name, columns, rows)

    def fill_sink(self, tables: dict[str, tuple[dict[str, Any], list[dict[str, Any]]]]) -> None:
        for name, (columns, rows) in tables.items():
            self._create(audit_inputs.SINK, name, columns, rows)

    def _create(
        self, schema: str, name: str, columns: dict[str, Any], rows: list[dict[str, Any]]
    ) -> None:
        text = self.folder / f"{name}.json"
        text.write_text("\n".join(json.dumps(row, default=_iso) for row in rows))
        types = {column: _duckdb_type(kind) for column, kind in columns.items()}
        with duckdb.connect(str(self.database)) as connection:
            connection.execute(f"create schema if not exists {schema}")
            connection.execute(
                f"create table {schema}.{name} as from read_json('{text}',"
                f" format = 'newline_delimited', columns = {types}, maximum_object_size = 2000000)"
            )
        text.unlink()

    def fill_optional(self) -> dict[str, tuple[dict[str, str], list[Row]]]:
        """Land inventories and a loader's ledger; return each table's columns and rows."""
        with duckdb.connect(str(self.database)) as connection:
            connection.execute(INVENTORY)
            connection.execute(inputs.LEDGER)
            for name, rows in hostile.inventory("hostile.example.com", largest=8200).items():
                text = self.folder / f"{name}.json"
                text.write_text(hostile.lines(rows))
                connection.execute(f"insert into {RAW}.{name} by name from read_json('{text}')")
        names = ("inventories", "manifests", "manifest_blobs", "loaded_objects")
        return {name: self.raw(name) for name in names}

    def raw(self, name: str) -> tuple[dict[str, str], list[Row]]:
        """Return the columns and rows of a table of raw."""
        with duckdb.connect(str(self.database)) as connection:
            lines = connection.execute(f"from {RAW}.{name}").fetchall()
            described = connection.execute(f"describe {RAW}.{name}").fetchall()
        types = {column: BIGQUERY_TYPES[kind] for column, kind, *_ in described}
        return types, [[in_utc(value) for value in line] for line in lines]

    def ask(self, sql: str, name: str) -> Content:
        with duckdb.connect(str(self.database), read_only=True) as connection:
            result = connection.execute(sql)
            names = [column[0] for column in result.description]
            return Content(name, names, result.fetchall())


class BigQueryProject:
    """The project on BigQuery's target, at the address of a replacement for BigQuery."""

    manifest: Manifest | None = None

    def __init__(self, folder: Path, address: str) -> None:
        self.folder = folder
        profile = (ROOT / "profiles.yml.example").read_text()
        (folder / "profiles.yml").write_text(
            profile.replace(
                "method: oauth\n",
                f"method: oauth-secrets\n      token: none\n      api_endpoint: {address}\n"
                # dbt sends a job again whose answer is late, and it would run twice
                "      job_creation_timeout_seconds: 3600\n",
            )
        )

    def dbt(self, *arguments: str, is_logged: bool = False) -> None:
        options = [
            *("--project-dir", str(ROOT), "--profiles-dir", str(self.folder)),
            *("--target-path", str(self.folder / "target"), "--target", "bigquery"),
            *("--log-path", str(self.folder / "logs"), "--log-level", "none"),
            *(WITH_FILES if is_logged else WITHOUT_FILES),
        ]
        if not BigQueryProject.manifest:
            BigQueryProject.manifest = parsed_once("bigquery")
        with nullcontext() if is_logged else silenced():
            result = runner(BigQueryProject.manifest).invoke([*arguments, *options])
        if not result.success:
            failed = [
                f"{getattr(each, 'node', each).unique_id}: {each.message}"
                for each in getattr(result.result, "results", [])
                if each.status not in ("success", "pass", "warn", "skipped")
            ]
            raise AssertionError("\n".join(failed) or f"dbt {arguments}: {result.exception}")

    def report(self) -> Path:
        return make_report(self.folder, BigQueryProject.manifest, "bigquery", self.folder)


def _duckdb_type(kind: Any) -> str:
    if isinstance(kind, str):
        return kind.replace("INT64", "BIGINT").replace("STRING", "VARCHAR")
    fields = ", ".join(f'"{name}" {_duckdb_type(each)}' for name, each in kind.items())
    return f"STRUCT({fields})"


def _iso(value: datetime) -> str:
    return f"{value:%Y-%m-%d %H:%M:%S.%f}"

"""The tables of raw: their columns are in files that `bq` reads as well."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

Field = dict[str, Any]
# The tables whose rows have their time of arrival, like BigQuery's ingestion time.
ROWS = ("usage", "storage", "audit_logs")
TABLES = (*ROWS, "rejected_lines", "loaded_objects")
SCHEMA = "storageanalysis"
_TYPES = {"STRING": "varchar", "INT64": "bigint", "TIMESTAMP": "timestamp", "BYTES": "blob"}


def path(table: str) -> Path:
    return Path(__file__).with_name(f"{table}.json")


def fields(table: str) -> list[Field]:
    found: list[Field] = json.loads(path(table).read_text())
    return found


def columns(table: str) -> dict[str, str]:
    """Name the columns, by type."""
    return {field["name"]: field["type"] for field in fields(table)}


def ddl(tables: Iterable[str] = TABLES) -> str:
    """Write the statements that make tables on DuckDB."""
    statements = [f"create schema if not exists {SCHEMA}"]
    for table in tables:
        arrival = [{"name": "_partitiontime", "type": "TIMESTAMP"}] if table in ROWS else []
        body = _columns([*fields(table), *arrival])
        statements.append(f"create table if not exists {SCHEMA}.{table} ({body})")
    return "; ".join(statements)


def _columns(of: list[Field]) -> str:
    return ", ".join(f'"{field["name"]}" {_type(field)}' for field in of)


def _type(field: Field) -> str:
    if "fields" in field:
        return f"struct({_columns(field['fields'])})"
    # signed addresses are half of a log's bytes, and what DuckDB would choose takes longer
    compression = " using compression zstd" if field["name"] == "cs_uri" else ""
    return (
        _TYPES[field["type"]]
        + compression
        + (" not null" if field.get("mode") == "REQUIRED" else "")
    )

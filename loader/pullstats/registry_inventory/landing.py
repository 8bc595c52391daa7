"""The tables of the inventory, and how their rows get into a warehouse."""

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

import duckdb

SCHEMA = "storageanalysis"
_KEY = {"inventory_id": "STRING NOT NULL"}
_PLACE = _KEY | {"registry_host": "STRING NOT NULL", "repository": "STRING NOT NULL"}
# Types as BigQuery spells them; DuckDB understands them. The ledger is last: what it doesn't
# name has not landed.
TABLES = {
    "manifests": _PLACE
    | {
        "listed_at": "TIMESTAMP NOT NULL",
        "tag": "STRING",
        "manifest_digest": "STRING NOT NULL",
        "media_type": "STRING NOT NULL",
        "artifact_type": "STRING",
        "index_digest": "STRING",
        "platform": "STRING",
        "config_digest": "STRING",
        "config_media_type": "STRING",
        "config_bytes": "INT64",
        "layer_count": "INT64 NOT NULL",
        "manifest_bytes": "INT64 NOT NULL",
    },
    "manifest_blobs": _PLACE
    | {
        "manifest_digest": "STRING NOT NULL",
        "role": "STRING NOT NULL",
        "position": "INT64 NOT NULL",
        "digest": "STRING NOT NULL",
        "media_type": "STRING NOT NULL",
        "size_bytes": "INT64 NOT NULL",
    },
    "inventory_errors": _PLACE | {"reference": "STRING", "reason": "STRING NOT NULL"},
    "inventories": _KEY
    | {
        "target": "STRING NOT NULL",
        "listed_at": "TIMESTAMP NOT NULL",
        "completed_at": "TIMESTAMP",
        "repositories": "INT64 NOT NULL",
        "manifests": "INT64 NOT NULL",
        "errors": "INT64 NOT NULL",
    },
}


def ddl(schema: str) -> str:
    """Create what is missing, in words that both engines understand."""
    return f"create schema if not exists {schema};\n" + "".join(
        f"create table if not exists {schema}.{table} ("
        + ", ".join(f"{name} {kind}" for name, kind in columns.items())
        + ");\n"
        for table, columns in TABLES.items()
    )


# A manifest never changes, so its blobs land once: with the first inventory that finds it.
def known(schema: str, host: str) -> str:
    """Select the repository and digest of each manifest whose blobs have landed."""
    return (
        f"select distinct repository, manifest_digest from {schema}.manifest_blobs"
        f" where registry_host = '{host}'"
        f" and inventory_id in (select inventory_id from {schema}.inventories)"
    )


class Landing(Protocol):
    def known(self, host: str) -> set[tuple[str, str]]:
        """Return repository and digest of the manifests whose blobs have landed."""

    def land(self, files: Mapping[str, Path]) -> None:
        """Land one inventory, a file of JSON lines per table, wholly or not at all."""

    def close(self) -> None: ...


class DuckDBLanding:
    """Owns the database for the whole walk: what has been listed can then be written, too."""

    def __init__(self, database: Path) -> None:
        """Open or create the database; duckdb.IOException when another process has it open."""
        self.connection = duckdb.connect(str(database))
        self.connection.execute(ddl(SCHEMA))

    def known(self, host: str) -> set[tuple[str, str]]:
        return {(*row,) for row in self.connection.execute(known(SCHEMA, host)).fetchall()}

    def land(self, files: Mapping[str, Path]) -> None:
        self.connection.begin()
        for table, path in files.items():
            columns = {name: kind.split()[0] for name, kind in TABLES[table].items()}
            self.connection.execute(
                f"insert into {SCHEMA}.{table} by name from"
                f" read_json(?, format = 'newline_delimited', columns = {columns})",
                [[str(path)]],
            )
        self.connection.commit()

    def close(self) -> None:
        self.connection.close()

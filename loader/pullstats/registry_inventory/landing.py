"""How the rows of an inventory get into a warehouse."""

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

import duckdb

from pullstats import schemas
from pullstats.schemas import SCHEMA, Table

# The ledger is last: what it doesn't name has not landed.
TABLES: tuple[Table, ...] = ("manifests", "manifest_blobs", "inventory_errors", "inventories")
# A manifest never changes, so its blobs land once: with the first inventory that finds it.
KNOWN = (
    "select distinct repository, manifest_digest from {0}.manifest_blobs"
    " where registry_host = '{1}' and inventory_id in (select inventory_id from {0}.inventories)"
)


class Landing(Protocol):
    def known(self, host: str) -> set[tuple[str, str]]:
        """Return repository and digest of the manifests whose blobs have landed."""

    def land(self, files: Mapping[Table, Path]) -> None:
        """Land one inventory, a file of JSON lines per table."""

    def close(self) -> None: ...


class DuckDBLanding:
    """Owns the database for the whole walk: what has been listed can then be written, too."""

    def __init__(self, database: Path) -> None:
        """Open or create the database; duckdb.IOException when another process has it open."""
        self.connection = duckdb.connect(str(database))
        self.connection.execute(schemas.ddl(TABLES))

    def known(self, host: str) -> set[tuple[str, str]]:
        found = self.connection.execute(KNOWN.format(SCHEMA, host)).fetchall()
        return {(repository, digest) for repository, digest in found}

    def land(self, files: Mapping[Table, Path]) -> None:
        """Land one inventory wholly or not at all: in one transaction."""
        self.connection.begin()
        for table, path in files.items():
            self.connection.execute(
                f"insert into {SCHEMA}.{table} by name from read_json(?,"
                f" format = 'newline_delimited', columns = {schemas.columns(table)})",
                [[str(path)]],
            )
        self.connection.commit()

    def close(self) -> None:
        self.connection.close()

"""Raw on DuckDB: tables in the database. A batch lands in one transaction."""

import os
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb

from pullstats import rows, schemas
from pullstats.csv_log import NotALogError, RejectedLine
from pullstats.plan import BatchResult, Found, LogObject
from pullstats.rows import Landing
from pullstats.schemas import SCHEMA

_TABLES = f"select table_name from duckdb_tables() where schema_name = '{SCHEMA}'"


def _make_private(database: Path) -> None:
    """Let only its owner read a file that dbt or DuckDB may have made."""
    if database.is_file():
        about = database.stat()
        if about.st_uid == os.geteuid() and about.st_mode & 0o077:
            database.chmod(0o600)


class DuckDBWarehouse:
    """Owns the database while it is open, unless it is only read: DuckDB lets one process write."""

    # large enough that DuckDB compresses what it writes, small enough that a kill loses little
    max_objects = 10_000
    max_bytes = 1024 * 1024 * 1024
    raw = SCHEMA
    landed = f"{SCHEMA}.loaded_objects"

    def __init__(
        self,
        database: Path,
        read_only: bool = False,
        tables: Iterable[str] = schemas.TABLES,
    ) -> None:
        """Open or create the database; duckdb.IOException when another process has it open.

        If it is only read and doesn't exist, it counts as empty and is not created.
        """
        if read_only and not database.exists():
            database, read_only = Path(":memory:"), False
        self.connection = duckdb.connect(str(database), read_only=read_only)
        try:
            # Several threads would take more memory, and write some row groups twice.
            self.connection.execute(
                "set timezone = 'UTC'; set threads = 1; set write_buffer_row_group_count = 1"
            )
            found = {name for (name,) in self.query(_TABLES)}
            if read_only and "loaded_objects" not in found:
                # dbt or another command made the database: nothing has landed in it
                self.connection.close()
                self.connection, read_only = duckdb.connect(), False
            if not read_only:
                _make_private(database)
                self.connection.execute(schemas.ddl(tables))
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        self.connection.close()

    def query(self, sql: str, parameters: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        return self.connection.execute(sql, parameters).fetchall()

    def has_table(self, name: str) -> bool:
        """Return whether there is a table or view of this name, `schema.table`."""
        found = "select 1 from duckdb_columns() where schema_name || '.' || table_name = ?"
        return bool(self.query(found, [name]))

    def changed_at(self) -> datetime | None:
        """Return when a table of raw was last changed."""
        times = {"loaded_objects": "loaded_at", "inventories": "completed_at"}
        times |= {"networks": "loaded_at"}
        found = [
            self.query(f"select max({column}) from {SCHEMA}.{table}")[0][0]
            for table, column in times.items()
            if self.has_table(f"{SCHEMA}.{table}")
        ]
        return max((each for each in found if each), default=None)

    def ledger(self, since: datetime | None = None) -> dict[str, Found]:
        """Return what is known of objects by uri, of those of an hour and later."""
        found = self.query(
            f"select object_uri, size_bytes, generation, checksum, modified_ns from {self.landed}"
            " where log_hour >= coalesce(?, log_hour) order by loaded_at",
            [since],
        )
        return {uri: Found(uri, size, bytes, *known) for uri, size, *known in found}

    def load(self, objects: list[LogObject]) -> BatchResult:
        """Land a batch: rows, rejected lines and ledger, or nothing of it."""
        result = BatchResult()
        with tempfile.TemporaryDirectory(prefix="pullstats-") as folder:
            landings = rows.look(objects, Path(folder), result.unreadable)
            self.connection.begin()
            try:
                self._land(landings, result)
                self.connection.commit()
            except BaseException:
                self.connection.rollback()
                raise
        return result

    def _land(self, landings: list[Landing], result: BatchResult) -> None:
        arrival = self._next_arrival()
        while not rows.insert_files(self.connection, landings, arrival):
            self.connection.rollback()
            self.connection.begin()
        ledger: list[dict[str, object]] = []
        for of in landings:
            uri = of.source.uri
            rejected: list[RejectedLine] = []
            try:
                if of.row_count is None:
                    rejected = rows.insert_odd(self.connection, of, arrival)
            except (OSError, NotALogError) as error:
                result.unreadable[uri] = str(error)
                continue
            count = len(rejected)
            result.include(BatchResult(1, of.row_count or 0, {uri: count} if count else {}))
            read = {"size_bytes": of.size, "checksum": of.checksum, "row_count": of.row_count}
            arrived = {"rejected_count": count, "loaded_at": arrival}
            ledger.append(of.source.known | read | arrived)
            for piece in rows.pieces(rejected, lambda line: len(line.line_bytes)):
                of_piece = [{"object_uri": uri, "loaded_at": arrival} | vars(x) for x in piece]
                self._insert("rejected_lines", of_piece)
        self._insert("loaded_objects", ledger)

    def load_rows(self, files: Mapping[str, Path], replace: bool = False) -> None:
        """Insert rows, a file of JSON lines per table: all or none."""
        self.connection.begin()
        for table, file in files.items():
            if replace:
                self.query(f"delete from {SCHEMA}.{table}")
            self.query(
                f"insert into {SCHEMA}.{table} by name from read_json(?,"
                f" format = 'newline_delimited', columns = {schemas.columns(table)})",
                [[str(file)]],
            )
        self.connection.commit()

    def _insert(self, table: str, values: list[dict[str, object]]) -> None:
        if values:
            names = [*values[0]]
            marks = ", ".join("unnest(?)" for _ in names)
            into = f"insert into {SCHEMA}.{table} ({', '.join(names)})"
            self.query(f"{into} select {marks}", [[each[x] for each in values] for x in names])

    def _next_arrival(self) -> datetime:
        """Return now, but later than every arrival before, whatever the clock does."""
        ((last,),) = self.query(f"select max(loaded_at) from {self.landed}")
        now = datetime.now(UTC).replace(tzinfo=None)
        return max(now, last + timedelta(microseconds=1)) if last else now

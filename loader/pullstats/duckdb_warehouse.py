"""Raw on DuckDB: tables in the database. What lands of a batch is one transaction."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb

from pullstats import rows, schemas
from pullstats.csv_log import NotALogError
from pullstats.plan import BatchResult, Found, LogObject
from pullstats.schemas import SCHEMA

_TABLES = f"select table_name from duckdb_tables() where schema_name = '{SCHEMA}'"


class DuckDBWarehouse:
    """Owns the database while it is open, unless it is only read: DuckDB lets one process write."""

    # so large that DuckDB compresses what it writes at once, so small that a kill loses little
    max_objects = 10_000
    max_bytes = 1024 * 1024 * 1024
    raw = SCHEMA
    landed = f"{SCHEMA}.loaded_objects"

    def __init__(
        self,
        database: Path,
        read_only: bool = False,
        tables: Iterable[schemas.Table] = schemas.TABLES,
    ) -> None:
        """Open or create the database; duckdb.IOException when another process has it open."""
        self.connection = duckdb.connect(str(database), read_only=read_only)
        try:
            self.connection.execute("set timezone = 'UTC'")
            found = {name for (name,) in self.query(_TABLES)}
            if "raw_files" in found:
                raise ValueError(
                    f"{database} was made before release 0.1.0, and {database}.raw holds its rows:"
                    " move both away, then load the logs again"
                )
            if read_only and "loaded_objects" not in found:
                # dbt or another command made the database: nothing has landed in it
                self.connection.close()
                self.connection, read_only = duckdb.connect(), False
            if not read_only:
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
        unreadable: dict[str, str] = {}
        while True:
            self.connection.begin()
            try:
                batch = [each for each in objects if each.uri not in unreadable]
                result = self._land(batch, unreadable)
                self.connection.commit()
                return result
            except BaseException as error:
                self.connection.rollback()
                if not isinstance(error, NotALogError):
                    raise
                unreadable[error.uri] = str(error)

    def _land(self, objects: list[LogObject], unreadable: dict[str, str]) -> BatchResult:
        result, arrival = BatchResult(unreadable=unreadable), self._next_arrival()
        landings: list[tuple[object, ...]] = []
        rejected: list[tuple[object, ...]] = []
        for kind in rows.TABLES:
            mine = [each for each in objects if each.name.kind == kind]
            for of in rows.insert(self.connection, mine, arrival, unreadable):
                each, hour, bad = of.source, of.source.name.hour, of.parsed.rejected
                counts = {each.uri: len(bad)} if bad else {}
                result.include(BatchResult(1, of.row_count, counts))
                known = (each.generation, kind, hour.replace(tzinfo=None), of.size, of.checksum)
                landings.append(
                    (each.uri, *known, each.modified_ns, of.row_count, len(bad), arrival)
                )
                bad.sort(key=lambda line: line.number)
                rejected += [(each.uri, *vars(line).values(), arrival) for line in bad]
        self._insert("loaded_objects", landings)
        self._insert("rejected_lines", rejected)
        return result

    def load_rows(self, files: Mapping[schemas.Table, Path], replace: bool = False) -> None:
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

    def remember(self, objects: list[LogObject]) -> None:
        """Note how to know objects that have landed without reading them again."""
        self.query(
            f"update {self.landed} as known"
            " set modified_ns = found.modified_ns, generation = found.generation"
            " from (select unnest(?::varchar[]) as uri, unnest(?::bigint[]) as modified_ns,"
            " unnest(?::bigint[]) as generation) as found where known.object_uri = found.uri",
            [[getattr(x, name) for x in objects] for name in ("uri", "modified_ns", "generation")],
        )

    def _insert(self, table: schemas.Table, values: list[tuple[object, ...]]) -> None:
        names = [name for name in schemas.columns(table) if name not in _OF_BIGQUERY]
        if values:
            columns = [list(column) for column in zip(*values, strict=True)]
            marks = ", ".join("unnest(?)" for _ in columns)
            into = f"insert into {SCHEMA}.{table} ({', '.join(names)})"
            self.query(f"{into} select {marks}", columns)

    def _next_arrival(self) -> datetime:
        """Return now, but later than every arrival before, whatever the clock does."""
        ((last,),) = self.query(f"select max(loaded_at) from {self.landed}")
        now = datetime.now(UTC).replace(tzinfo=None)
        return max(now, last + timedelta(microseconds=1)) if last else now


# Columns of the ledger that describe load jobs.
_OF_BIGQUERY = ("job_id", "job_row_count", "job_bytes", "error")

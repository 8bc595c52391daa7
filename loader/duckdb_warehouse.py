"""Raw on DuckDB: the log objects themselves, compressed, beside the database.

`storageanalysis.usage` is a view over the objects that the ledger knows. Parsing them costs less
than writing 17 wide columns would, and the database stays small.
"""

import hashlib
import os
import shutil
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import zstandard

from loader.plan import LedgerEntry, LogObject, checksum
from loader.warehouse import BatchResult, Status, status
from logformat import rows

SCHEMA = "storageanalysis"
_DDL = f"""
create schema if not exists {SCHEMA};
create table if not exists {SCHEMA}.loaded_objects (
    object_uri varchar primary key, generation bigint, kind varchar not null,
    log_hour timestamp not null, size_bytes bigint not null, checksum varchar not null,
    row_count bigint not null, rejected_count bigint not null, loaded_at timestamp not null
);
create table if not exists {SCHEMA}.rejected_lines (
    object_uri varchar not null, line_number bigint not null, reason varchar not null,
    line_bytes blob not null, loaded_at timestamp not null
);
create table if not exists {SCHEMA}.storage (
    bucket varchar, storage_byte_hours bigint, object_uri varchar not null,
    log_hour timestamp not null, _partitiontime timestamp not null
);
"""


def _partition(arrival: datetime) -> str:
    """Name the folder of a batch so that DuckDB reads its arrival as a column."""
    return f"_partitiontime={arrival:%Y-%m-%d %H:%M:%S.%f}"


def _literal(text: object) -> str:
    return "'" + str(text).replace("'", "''") + "'"


class DuckDBWarehouse:
    """Owns the database while it is open: DuckDB lets one process write."""

    # A batch is one transaction: small enough to lose little to a kill and to show progress.
    max_objects = 500
    max_bytes = 512 * 1024 * 1024

    def __init__(self, database: Path) -> None:
        """Open or create the database; duckdb.IOException when another process has it open."""
        database = database.resolve()
        self.raw = database.with_name(database.name + ".raw")
        self.incoming = self.raw / "incoming"
        if set("*?[=") & set(str(self.raw)):
            raise ValueError(f"{self.raw}: DuckDB takes *, ?, [ or = in a path for a pattern")
        self.connection = duckdb.connect(str(database))
        self.connection.execute("set timezone = 'UTC'")
        self.connection.execute(_DDL)
        self._remove_unfinished()
        self._create_view()

    def close(self) -> None:
        self.connection.close()

    def ledger(self, uris: Sequence[str] | None = None) -> dict[str, LedgerEntry]:
        found = self.connection.execute(
            f"select object_uri, size_bytes, checksum from {SCHEMA}.loaded_objects"
            " where ?::varchar[] is null or object_uri in ?",
            [uris, uris],
        ).fetchall()
        return {uri: LedgerEntry(size, check) for uri, size, check in found}

    def load(self, objects: list[LogObject]) -> BatchResult:
        """Land a batch: its files first, then ledger and rejected lines in one transaction.

        What is killed before the commit is not in the ledger: the view doesn't show it, and the
        next start removes it.
        """
        result = BatchResult()
        arrival = self._next_arrival()
        self.incoming.mkdir(parents=True)
        ledger: list[tuple[object, ...]] = []
        rejected: list[tuple[object, ...]] = []
        storage: list[tuple[object, ...]] = []
        for each in objects:
            uri, hour = each.uri, each.name.hour.replace(tzinfo=None)
            try:
                data = each.read()
                count, parsed = self._stage(each, data)
            except (OSError, rows.NotALogError) as error:
                result.unreadable[uri] = str(error)
                continue
            if not each.is_usage:
                storage += [
                    (bucket, int(byte_hours) if byte_hours else None, uri, hour, arrival)
                    for bucket, byte_hours in parsed.records
                ]
            rejected += [(uri, x.number, x.reason, x.content, arrival) for x in parsed.rejected]
            ledger.append(
                (
                    *(uri, each.generation or None, each.name.kind, hour, len(data)),
                    *(checksum(data), count, len(parsed.rejected), arrival),
                )
            )
            result.add(uri, count, len(parsed.rejected))
        self._publish(arrival)
        self.connection.begin()
        self._insert("loaded_objects", ledger)
        self._insert("rejected_lines", rejected)
        self._insert("storage", storage)
        self._create_view()
        self.connection.commit()
        return result

    def status(self) -> Status:
        return status(
            lambda sql: self.connection.execute(sql).fetchall(),
            f"{SCHEMA}.loaded_objects where true",
        )

    def _insert(self, table: str, values: list[tuple[object, ...]]) -> None:
        if values:
            marks = ", ".join("?" for _ in values[0])
            self.connection.executemany(f"insert into {SCHEMA}.{table} values ({marks})", values)

    def _next_arrival(self) -> datetime:
        """Return now, but later than every arrival before, whatever the clock does."""
        (last,) = self.connection.execute(
            f"select max(loaded_at) from {SCHEMA}.loaded_objects"
        ).fetchall()[0]
        now = datetime.now(UTC).replace(tzinfo=None)
        return max(now, last + timedelta(microseconds=1)) if last else now

    def _stage(self, each: LogObject, data: bytes) -> tuple[int, rows.ParsedObject]:
        """Copy a usage log's good records to `incoming`; count them."""
        columns = rows.COLUMNS[each.name.kind]
        count = rows.count_plain(data, columns) if each.is_usage else None
        parsed = rows.ParsedObject() if count is not None else rows.parse(data, columns)
        if count is None:
            count = len(parsed.records)
            data = rows.write(parsed.records, list(columns))
        if count and each.is_usage:
            # a log's name may be too long for one more suffix, or read as a pattern
            name = f"{hashlib.sha256(each.uri.encode()).hexdigest()[:32]}.csv.zst"
            (self.incoming / name).write_bytes(zstandard.compress(data, 1))
        return count, parsed

    def _publish(self, arrival: datetime) -> None:
        target = self.raw / "usage" / _partition(arrival)
        target.parent.mkdir(exist_ok=True)
        if any(self.incoming.iterdir()):
            self.incoming.rename(target)
        else:
            self.incoming.rmdir()
        # the files must be as safe as the ledger that will speak of them
        os.sync()

    def _remove_unfinished(self) -> None:
        """Delete what a killed load left behind; the lock on the database makes this safe."""
        shutil.rmtree(self.incoming, ignore_errors=True)
        known = {
            _partition(arrival)
            for (arrival,) in self.connection.execute(
                f"select distinct loaded_at from {SCHEMA}.loaded_objects"
            ).fetchall()
        }
        for path in (self.raw / "usage").glob("_partitiontime=*"):
            if path.name not in known:
                shutil.rmtree(path)

    def _create_view(self) -> None:
        types = {
            name: "varchar" if kind == "STRING" else "bigint"
            for name, kind in rows.USAGE_COLUMNS.items()
        }
        if next((self.raw / "usage").glob("*/*"), None):
            body = (
                f"select {', '.join(types)}, _partitiontime from read_csv("
                f"{_literal(self.raw / 'usage' / '*' / '*.csv.zst')}, columns = {types},"
                " auto_detect = false, header = true, delim = ',', quote = '\"', escape = '\"',"
                " hive_partitioning = true, hive_types = {'_partitiontime': timestamp})"
                f" where _partitiontime in (select loaded_at from {SCHEMA}.loaded_objects)"
            )
        else:
            nothing = ", ".join(f"null::{kind} as {name}" for name, kind in types.items())
            body = f"select {nothing}, null::timestamp as _partitiontime where false"
        self.connection.execute(f"create or replace view {SCHEMA}.usage as {body}")

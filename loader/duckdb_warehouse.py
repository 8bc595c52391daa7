"""Raw on DuckDB: the log objects themselves, compressed, beside the database.

`storageanalysis.usage` is a view over the objects that the ledger knows. Parsing them costs less
than writing 17 wide columns would, and the database stays small.
"""

import hashlib
import os
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import google_crc32c
import zstandard

from loader import rows
from loader.plan import Batch, LedgerEntry, LogObject
from loader.warehouse import BatchResult, DayStatus, Status

SCHEMA = "storageanalysis"
_DDL = f"""
create schema if not exists {SCHEMA};
create table if not exists {SCHEMA}.loaded_objects (
    object_uri varchar primary key, generation bigint, kind varchar not null,
    log_hour timestamp not null, size_bytes bigint not null, checksum varchar not null,
    row_count bigint not null, rejected_count bigint not null, job_id varchar not null,
    loaded_at timestamp not null
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


def checksum(data: bytes) -> str:
    """CRC32C in hexadecimal: what Cloud Storage itself keeps of every object."""
    return f"{google_crc32c.value(data):08x}"


def _partition(arrival: datetime) -> str:
    """Name the folder of a batch so that DuckDB reads its arrival as a column."""
    return f"_partitiontime={arrival:%Y-%m-%d %H:%M:%S.%f}"


def _literal(text: object) -> str:
    return "'" + str(text).replace("'", "''") + "'"


class DuckDBWarehouse:
    """Owns the database while it is open: DuckDB lets one process write."""

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

    def ledger(self) -> dict[str, LedgerEntry]:
        found = self.connection.execute(
            f"select object_uri, size_bytes, checksum from {SCHEMA}.loaded_objects"
        ).fetchall()
        return {uri: LedgerEntry(size, check) for uri, size, check in found}

    def load(self, batch: Batch) -> BatchResult:
        """Land a batch: its files first, then ledger and rejected lines in one transaction.

        What is killed before the commit is not in the ledger: the view doesn't show it, and the
        next start removes it.
        """
        result = BatchResult()
        arrival = self._next_arrival()
        self.incoming.mkdir(parents=True)
        staged = self._stage(batch, result)
        counts = self._count_rows([uri for uri, (*_, is_plain) in staged.items() if is_plain])
        ledger: list[tuple[object, ...]] = []
        rejected: list[tuple[object, ...]] = []
        storage: list[tuple[object, ...]] = []
        for uri, (each, size, check, _) in staged.items():
            hour = each.name.hour.replace(tzinfo=None)
            parsed = rows.ParsedObject()
            if uri not in counts:
                parsed = self._salvage(each)
            if not each.is_usage:
                storage += [
                    (bucket, int(byte_hours) if byte_hours else None, uri, hour, arrival)
                    for bucket, byte_hours in parsed.records
                ]
            count = counts.get(uri, len(parsed.records))
            if not count or not each.is_usage:
                self._staged(uri).unlink()
            if parsed.rejected:
                result.rejected[uri] = len(parsed.rejected)
            rejected += [(uri, x.number, x.reason, x.content, arrival) for x in parsed.rejected]
            ledger.append(
                (
                    *(uri, None, each.name.kind, hour, size, check),
                    *(count, len(parsed.rejected), batch.job_id, arrival),
                )
            )
            result.objects += 1
            result.rows += count
        self._publish(arrival)
        self.connection.begin()
        self._insert("loaded_objects", ledger)
        self._insert("rejected_lines", rejected)
        self._insert("storage", storage)
        self._create_view()
        self.connection.commit()
        return result

    def status(self) -> Status:
        days = self.connection.execute(
            f"select kind, log_hour::date, count(*), sum(row_count)::bigint,"
            f" sum(rejected_count)::bigint from {SCHEMA}.loaded_objects group by all order by all"
        ).fetchall()
        hours = self.connection.execute(
            f"select distinct date_trunc('hour', log_hour) from {SCHEMA}.loaded_objects"
            " where kind = 'usage' order by 1"
        ).fetchall()
        seen = [hour for (hour,) in hours]
        missing, hour = [], seen[0] if seen else None
        while hour and hour < seen[-1]:
            hour += timedelta(hours=1)
            if hour not in seen:
                missing.append(hour)
        return Status([DayStatus(*day) for day in days], seen[-1] if seen else None, missing)

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

    def _staged(self, uri: str) -> Path:
        # a log's name may be too long for one more suffix, or read as a pattern
        return self.incoming / f"{hashlib.sha256(uri.encode()).hexdigest()[:32]}.csv.zst"

    def _stage(
        self, batch: Batch, result: BatchResult
    ) -> dict[str, tuple[LogObject, int, str, bool]]:
        """Copy what can be read to `incoming`; give their size, checksum, and if they are plain."""
        staged = {}
        for each in batch.objects:
            try:
                data = each.path.read_bytes()
                rows.check_header(data, list(rows.COLUMNS[each.name.kind]))
            except (OSError, rows.NotALogError) as error:
                result.unreadable[each.uri] = str(error)
                continue
            self._staged(each.uri).write_bytes(zstandard.compress(data, 1))
            is_plain = each.is_usage and rows.is_plain(data, list(rows.USAGE_COLUMNS))
            staged[each.uri] = (each, len(data), checksum(data), is_plain)
        return staged

    def _salvage(self, each: LogObject) -> rows.ParsedObject:
        """Parse an object line by line and keep only its good records in `incoming`."""
        columns = rows.COLUMNS[each.name.kind]
        data = zstandard.decompress(self._staged(each.uri).read_bytes())
        parsed = rows.parse(data, columns)
        cleaned = rows.write(parsed.records, list(columns))
        self._staged(each.uri).write_bytes(zstandard.compress(cleaned, 1))
        return parsed

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

    def _read_csv(self, files: str, text_only: bool, options: str) -> str:
        types = ", ".join(
            f"'{name}': '{'varchar' if text_only or kind == 'STRING' else 'bigint'}'"
            for name, kind in rows.USAGE_COLUMNS.items()
        )
        return (
            f"read_csv({files}, columns = {{{types}}}, auto_detect = false, header = true,"
            f" delim = ',', quote = '\"', escape = '\"', {options})"
        )

    def _create_view(self) -> None:
        columns = ", ".join(rows.USAGE_COLUMNS)
        if next((self.raw / "usage").glob("*/*"), None):
            files = _literal(self.raw / "usage" / "*" / "*.csv.zst")
            hive = "hive_partitioning = true, hive_types = {'_partitiontime': timestamp}"
            body = (
                f"select {columns}, _partitiontime from {self._read_csv(files, False, hive)}"
                f" where _partitiontime in (select loaded_at from {SCHEMA}.loaded_objects)"
            )
        else:
            nothing = ", ".join(
                f"null::{'varchar' if kind == 'STRING' else 'bigint'} as {name}"
                for name, kind in rows.USAGE_COLUMNS.items()
            )
            body = f"select {nothing}, null::timestamp as _partitiontime where false"
        self.connection.execute(f"create or replace view {SCHEMA}.usage as {body}")

    def _count_rows(self, uris: list[str]) -> dict[str, int]:
        """Count the rows of each sound object in `incoming`; leave out those with any fault."""
        if not uris:
            return {}
        integers = [name for name, kind in rows.USAGE_COLUMNS.items() if kind == "INT64"]
        numbers = "concat_ws(',', " + ", ".join(f"coalesce({n}, '')" for n in integers) + ")"
        number = f"({rows.INTEGER_PATTERN})?"
        pattern = f"{number}(,{number}){{{len(integers) - 1}}}"
        files = {str(self._staged(uri)): uri for uri in uris}
        source = self._read_csv(
            "[" + ", ".join(_literal(file) for file in files) + "]",
            True,
            f"filename = 'file', max_line_size = {rows.MAX_RECORD_BYTES}",
        )
        # Counting each column makes DuckDB decode it: that is what finds invalid UTF-8.
        touched = ", ".join(f"count({name})" for name in rows.USAGE_COLUMNS)
        query = (
            f"select file, count(*), count_if(not regexp_full_match({numbers}, '{pattern}')),"
            f" {touched} from {source} group by file"
        )
        try:
            found = self.connection.execute(query).fetchall()
        except duckdb.Error:
            if len(uris) == 1:
                return {}
            half = len(uris) // 2
            return self._count_rows(uris[:half]) | self._count_rows(uris[half:])
        counts = dict.fromkeys(uris, 0)
        for file, count, faults, *_ in found:
            if faults:
                del counts[files[file]]
            else:
                counts[files[file]] = count
        return counts

"""Raw on DuckDB: the rows of log objects, compressed, in files beside the database.

`storageanalysis.usage` and so on are views over the files that the database knows. Parsing them
costs less than writing wide columns would, and the database stays small.
"""

import os
import shutil
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import zstandard

from pullstats import formats, json_log
from pullstats.csv_log import NotALogError
from pullstats.log_names import Kind
from pullstats.plan import LedgerEntry, LogObject, fingerprint
from pullstats.warehouse import BatchResult, RawError

SCHEMA = "storageanalysis"
# A row of the ledger is a landing: an object that was whole only later has two.
_DDL = f"""
create schema if not exists {SCHEMA};
create table if not exists {SCHEMA}.loaded_objects (
    object_uri varchar not null, generation bigint, kind varchar not null,
    log_hour timestamp not null, size_bytes bigint not null, checksum varchar not null,
    modified_ns bigint, row_count bigint not null, rejected_count bigint not null,
    loaded_at timestamp not null
);
create table if not exists {SCHEMA}.rejected_lines (
    object_uri varchar not null, line_number bigint not null, reason varchar not null,
    line_bytes blob not null, loaded_at timestamp not null
);
create table if not exists {SCHEMA}.raw_files (
    file_name varchar not null, table_name varchar not null, size_bytes bigint not null,
    checksum varchar not null, modified_ns bigint not null, row_count bigint not null,
    loaded_at timestamp not null
);
"""
# The arrival of rows is in the name of their folder.
_ARRIVAL = ", hive_partitioning = true, hive_types = {'_partitiontime': timestamp}"
_TYPES = {"STRING": "varchar", "INT64": "bigint", "TIMESTAMP": "timestamp"}


def _literal(text: object) -> str:
    return "'" + str(text).replace("'", "''") + "'"


class DuckDBWarehouse:
    """Owns the database while it is open, unless it is only read: DuckDB lets one process write."""

    # A batch is one transaction, and a file per table: small enough to lose little to a kill.
    max_objects = 2_000
    max_bytes = 64 * 1024 * 1024
    landed = f"{SCHEMA}.loaded_objects"
    by_uri = False

    def __init__(self, database: Path, read_only: bool = False) -> None:
        """Open or create the database; duckdb.IOException when another process has it open.

        To write it, raw must be as it was: RawError says what is lost or altered.
        """
        database = database.resolve()
        self.raw = database.with_name(database.name + ".raw")
        self.incoming = self.raw / "incoming"
        if set("*?[=\\") & set(str(self.raw)):
            raise ValueError(f"{self.raw}: DuckDB takes *, ?, [, = or \\ in a path for a pattern")
        self.connection = duckdb.connect(str(database), read_only=read_only)
        tables = "select 1 from duckdb_tables() where table_name = 'loaded_objects'"
        if read_only and not self.query(tables):
            # dbt or another command made the database: nothing has landed in it
            self.connection.close()
            self.connection = duckdb.connect()
            self.connection.execute(_DDL)
        self.connection.execute("set timezone = 'UTC'")
        if not read_only:
            self.connection.execute(_DDL)
            try:
                self._open_raw()
            except BaseException:
                self.close()
                raise

    def close(self) -> None:
        self.connection.close()

    def query(self, sql: str, parameters: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        return self.connection.execute(sql, parameters).fetchall()

    def ledger(self, uris: Sequence[str] | None = None) -> dict[str, LedgerEntry]:
        found = self.query(
            f"select object_uri, size_bytes, checksum, generation, modified_ns from {SCHEMA}"
            ".loaded_objects where ?::varchar[] is null or object_uri in ? order by loaded_at",
            [uris, uris],
        )
        return {uri: LedgerEntry(*entry) for uri, *entry in found}

    def load(self, objects: list[LogObject]) -> BatchResult:
        """Land a batch: its files first, then all that is known of them in one transaction.

        What is killed before the commit is not in the ledger: no view shows it, and the next start
        removes it, since `incoming` still names the arrival.
        """
        result, arrival = BatchResult(), self._next_arrival()
        incoming = self.incoming / f"_partitiontime={arrival:%Y-%m-%d %H:%M:%S.%f}"
        incoming.mkdir(parents=True)
        landings: list[tuple[object, ...]] = []
        rejected: list[tuple[object, ...]] = []
        files: list[tuple[object, ...]] = []
        for kind, table in formats.TABLES.items():
            mine = [each for each in objects if each.name.kind == kind]
            staged = self._stage(kind, mine, result, incoming) if mine else []
            for each, content in staged:
                hour, counts = each.name.hour.replace(tzinfo=None), content.counts
                known = (each.uri, each.generation, kind, hour, *content.fingerprint)
                landings.append((*known, each.modified_ns, *counts, arrival))
                rejected += [(each.uri, *vars(x).values(), arrival) for x in content.rejected]
                result.add(each.uri, *counts)
            if row_count := sum(content.row_count for _, content in staged):
                files.append((*self._publish(incoming / table.name), row_count, arrival))
        self.connection.begin()
        self._insert("loaded_objects", landings)
        self._insert("rejected_lines", rejected)
        self._insert("raw_files", files)
        self._create_views()
        self.connection.commit()
        shutil.rmtree(self.incoming)
        return result

    def remember(self, objects: list[LogObject]) -> None:
        self.query(
            f"update {SCHEMA}.loaded_objects as known set"
            " modified_ns = found.modified_ns, generation = found.generation"
            " from (select unnest(?::varchar[]) as uri, unnest(?::bigint[]) as modified_ns,"
            " unnest(?::bigint[]) as generation) as found where known.object_uri = found.uri",
            [
                [each.uri for each in objects],
                [each.modified_ns for each in objects],
                [each.generation for each in objects],
            ],
        )

    def faults(self) -> list[str]:
        return self._compare()[0]

    def _compare(self) -> tuple[list[str], list[tuple[int, str]]]:
        """Compare raw with what landed; return what is wrong, and the new times of copied files."""
        files = self.query(
            f"select file_name, size_bytes, checksum, modified_ns from {SCHEMA}.raw_files"
        )
        if files and not self.raw.exists():
            return [f"{self.raw} is missing: it holds the rows that this database lists"], []
        faults, copied = [], []
        for name, size, checksum, modified_ns in files:
            path = self.raw / name
            try:
                about = path.stat()
                if (about.st_size, about.st_mtime_ns) == (size, modified_ns):
                    continue
                if fingerprint(path.read_bytes()) == (size, checksum):
                    copied.append((about.st_mtime_ns, name))
                else:
                    faults.append(f"{path} has been altered since it landed")
            except OSError as error:
                faults.append(f"{path} is lost: {error.strerror}")
        return faults, copied

    def _insert(self, table: str, values: list[tuple[object, ...]]) -> None:
        if values:
            columns = [list(column) for column in zip(*values, strict=True)]
            marks = ", ".join("unnest(?)" for _ in columns)
            self.query(f"insert into {SCHEMA}.{table} select {marks}", columns)

    def _next_arrival(self) -> datetime:
        """Return now, but later than every arrival before, whatever the clock does."""
        ((last,),) = self.query(f"select max(loaded_at) from {SCHEMA}.loaded_objects")
        now = datetime.now(UTC).replace(tzinfo=None)
        return max(now, last + timedelta(microseconds=1)) if last else now

    def _stage(
        self,
        kind: Kind,
        objects: list[LogObject],
        result: BatchResult,
        incoming: Path,
        parse_json: bool = False,
    ) -> list[tuple[LogObject, formats.Content]]:
        """Write the rows of objects of one kind to a file; return what is known of each."""
        staged: list[tuple[LogObject, formats.Content]] = []
        path = incoming / formats.TABLES[kind].name
        with path.open("wb") as file:
            # half the size of the logs, in a third of the time that level 1 takes for a quarter
            with zstandard.ZstdCompressor(-5).stream_writer(file, closefd=False) as rows:
                for each in objects:
                    try:
                        content = formats.read(each, parse_json)
                    except (OSError, NotALogError) as error:
                        result.unreadable[each.uri] = str(error)
                        continue
                    rows.write(content.rows)
                    staged.append((each, replace(content, rows=b"")))
            os.fsync(file.fileno())
        row_count = sum(content.row_count for _, content in staged)
        if kind == "audit" and not parse_json and row_count and self._entries(path) != row_count:
            return self._stage(kind, objects, result, incoming, parse_json=True)
        return staged

    def _entries(self, path: Path) -> int:
        """Count the lines that are log entries, in a fifth of the time that Python takes.

        A blank line is none. Bytes that are not UTF-8, or no JSON, end it: there is more to check.
        """
        types = {str: "VARCHAR", dict: "OBJECT"}
        keys = [f"$.{key}" for key in json_log.REQUIRED]
        kinds = [types[kind] for kind in json_log.REQUIRED.values()]
        is_entry = (
            f"strlen(log_entry) <= {json_log.MAX_ENTRY_BYTES}"
            f" and json_type(log_entry, {keys}) = {kinds}"
        )
        try:
            ((count,),) = self.query(f"select count_if({is_entry}) {self._rows('audit', path)}")
        except duckdb.InvalidInputException:
            return -1
        return count or 0  # of no row the count is null

    def _publish(self, staged: Path) -> tuple[object, ...]:
        """Move what is staged for a table to a folder that tells the view its arrival."""
        table, arrival = staged.name, staged.parent.name
        name = f"{table}/{arrival}/rows.csv.zst"
        path = self.raw / name
        path.parent.mkdir(parents=True)
        staged.rename(path)
        for folder in (*path.parents[:3], self.incoming):
            # the file must be as safe as the ledger that refers to it
            descriptor = os.open(folder, os.O_RDONLY)
            os.fsync(descriptor)
            os.close(descriptor)
        return name, table, *fingerprint(path.read_bytes()), path.stat().st_mtime_ns

    def _open_raw(self) -> None:
        faults, copied = self._compare()
        if faults:
            raise RawError(faults)
        for time_and_name in copied:
            sql = f"update {SCHEMA}.raw_files set modified_ns = ? where file_name = ?"
            self.query(sql, time_and_name)
        self._remove_unfinished()
        self._create_views()

    def _remove_unfinished(self) -> None:
        """Delete what a killed load left behind: the arrivals in `incoming`, nothing else."""
        unfinished = {path.name for path in self.incoming.glob("*")}
        known = {
            self.raw / name for (name,) in self.query(f"select file_name from {SCHEMA}.raw_files")
        }
        unknown = {path.parent for path in self.raw.glob("*/*/rows.csv.zst") if path not in known}
        if {path.name for path in unknown} - unfinished:
            raise RawError([f"{self.raw} holds rows that this database doesn't list: move it away"])
        for path in unknown:
            shutil.rmtree(path)
        shutil.rmtree(self.incoming, ignore_errors=True)

    def _create_views(self) -> None:
        for kind, table in formats.TABLES.items():
            columns = f"{', '.join(table.columns)}, _partitiontime"
            files = self._rows(kind, self.raw / table.name / "*" / "rows.csv.zst", _ARRIVAL)
            body = f"select {columns} {files}"
            known = f"select loaded_at from {SCHEMA}.raw_files where table_name = '{table.name}'"
            if self.query(f"{known} limit 1"):
                body += f" where _partitiontime in ({known})"
            else:
                types = {**table.columns, "_partitiontime": "TIMESTAMP"}
                nothing = (f"null::{_TYPES[kind]} as {name}" for name, kind in types.items())
                body = f"select {', '.join(nothing)} where false"
            self.query(f"create or replace view {SCHEMA}.{table.name} as {body}")
        # what dbt tests: all that can be seen without reading the files
        self.query(f"""
            create or replace view {SCHEMA}.raw_faults as
            select file_name, if(size is null, 'lost', 'altered') as fault
            from {SCHEMA}.raw_files
            left join read_blob({_literal(self.raw / "*" / "*" / "*")})
                on filename = {_literal(f"{self.raw}/")} || file_name
            where size is null or size <> size_bytes
                or floor(epoch(last_modified))::bigint <> modified_ns // 1_000_000_000""")

    def _rows(self, kind: Kind, path: Path, more: str = "") -> str:
        table = formats.TABLES[kind]
        types = {name: _TYPES[kind] for name, kind in table.columns.items()}
        return (
            f"from read_csv({_literal(path)}, columns = {types}, auto_detect = false,"
            f" header = false, new_line = '\\n', delim = {_literal(table.delimiter)},"
            f" quote = {_literal(table.quote)}, escape = {_literal(table.quote)},"
            f" compression = 'zstd'{more})"
        )

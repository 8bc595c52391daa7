"""Inserts log objects into the tables of raw.

DuckDB splits the lines of a file as long as all of them are rows. Python reads the other files.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import duckdb

from pullstats import csv_log, json_log
from pullstats.csv_log import ParsedObject, RejectedLine
from pullstats.log_names import Kind
from pullstats.plan import LogObject, find, fingerprint
from pullstats.schemas import SCHEMA

TABLES: dict[Kind, str] = {"usage": "usage", "storage": "storage", "audit": "audit_logs"}
# Storage logs have two lines a day, which Python may read.
_SELECTS: dict[Kind, Callable[..., str]] = {"usage": csv_log.select, "audit": json_log.select}
# Files as lines. What DuckDB can't read, such as bytes that are no UTF-8, it leaves out.
_LINES = """(
    select line from read_csv(
        ?, skip = ?, columns = {line: 'varchar'}, auto_detect = false, header = false,
        delim = '\n', quote = '', escape = '', ignore_errors = true
    )
)"""
_NUMBERED = """(
    select number, try(decode(bytes)) as line
    from (select unnest(?::bigint[]) as number, unnest(?::blob[]) as bytes)
)"""


@dataclass
class Landing:
    """An object, a file that has its content, and what is known of it.

    `row_count` is null for an object that Python has to read.
    """

    source: LogObject
    file: Path
    size: int
    checksum: str
    row_count: int | None
    rejected: list[RejectedLine] = field(default_factory=list)

    @property
    def is_changed(self) -> bool:
        """Whether a file is no longer there as it was listed."""
        each = self.source
        return each.modified_ns is not None and not each.is_known_as(next(find(Path(each.place))))


def look(objects: Iterable[LogObject], folder: Path, unreadable: dict[str, str]) -> list[Landing]:
    """Read objects once, and name their files in a folder; note which can't be read, and why."""
    found = []
    counts = {"usage": csv_log.count, "storage": lambda _: None, "audit": json_log.count}
    for number, each in enumerate(objects):
        file = folder / str(number)
        try:
            data = each.read()
        except OSError as error:
            unreadable[each.uri] = str(error)
            continue
        if each.modified_ns is None:
            file.write_bytes(data)
        else:
            file.symlink_to(each.path)
        found.append(Landing(each, file, *fingerprint(data), counts[each.name.kind](data)))
    return found


def insert_files(
    connection: duckdb.DuckDBPyConnection, landings: Iterable[Landing], arrival: datetime
) -> bool:
    """Insert the rows of files that have only rows.

    Return False if those of a kind turn out to have other lines, too, which is rare: Python has to
    read them. The transaction has to be rolled back, and the rest inserted again.
    """
    for kind, select in _SELECTS.items():
        files = {
            str(of.file): of
            for of in landings
            if of.source.name.kind == kind and of.row_count is not None
        }
        if not files:
            continue
        insertion = f"insert into {SCHEMA}.{TABLES[kind]} select *, ? from ({select(_LINES)})"
        parameters = [arrival, [*files], int(kind == "usage")]
        inserted = None
        try:
            ((inserted,),) = connection.execute(insertion, parameters).fetchall()
        except duckdb.IOException:
            if not any(of.is_changed for of in files.values()):
                raise
        is_whole = inserted == sum(of.row_count or 0 for of in files.values())
        if not is_whole or any(of.is_changed for of in files.values()):
            for of in files.values():
                of.row_count = None
            return False
    return True


def insert_odd(connection: duckdb.DuckDBPyConnection, of: Landing, arrival: datetime) -> None:
    """Insert the rows of an object that has other lines, too, and set those aside.

    Raises NotALogError, before it inserts a row, if the object is none of its kind.
    """
    data, kind = of.source.read(), of.source.name.kind
    of.size, of.checksum = fingerprint(data)
    if kind == "audit":
        of.row_count, of.rejected = _insert_entries(connection, data, arrival)
        return
    parsed = csv_log.parse(data, csv_log.COLUMNS[kind])
    of.row_count, of.rejected = len(parsed.records), parsed.rejected
    if not parsed.records:
        return
    values = [
        "unnest(?::varchar[])" if type_ == "STRING" else "nullif(unnest(?::varchar[]), '')::bigint"
        for type_ in csv_log.COLUMNS[kind].values()
    ]
    more = [of.source.uri, of.source.name.hour, arrival] if kind == "storage" else [arrival]
    connection.execute(
        f"insert into {SCHEMA}.{TABLES[kind]} select {', '.join([*values, *('?' for _ in more)])}",
        [*map(list, zip(*parsed.records, strict=True)), *more],
    )


def _insert_entries(
    connection: duckdb.DuckDBPyConnection, data: bytes, arrival: datetime
) -> tuple[int, list[RejectedLine]]:
    row_count, others = 0, ParsedObject()
    judgement = json_log.select(_NUMBERED, "number")
    for piece in json_log.pieces(data):
        lines = [[*piece], [*piece.values()]]
        entries = {number for (number,) in connection.execute(judgement, lines).fetchall()}
        row_count += len(entries)
        for number in sorted(piece.keys() - entries):
            others.reject(number, json_log.fault(piece[number]), piece[number])
    insertion = f"insert into {SCHEMA}.audit_logs select *, ? from ({json_log.select(_NUMBERED)})"
    for piece in json_log.pieces(data):
        connection.execute(insertion, [arrival, [*piece], [*piece.values()]])
    return row_count, others.rejected

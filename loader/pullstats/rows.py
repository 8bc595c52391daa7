"""Inserts log objects into the tables of raw.

DuckDB splits the lines of a file as long as all of them are rows. Python reads the other files.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from io import BytesIO
from pathlib import Path
from typing import TypeVar

import duckdb

from pullstats import csv_log, json_log
from pullstats.csv_log import NotALogError, RejectedLine
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
    from unnest(?::blob[]) with ordinality as lines(bytes, number)
)"""
MAX_REJECTED_LINES = 10_000
# What is in Python's lists at a time, of an object that Python reads.
PIECE_LINES = 1000
PIECE_BYTES = 8 * 1024 * 1024

Row = Sequence[str | bytes]  # a record's fields; or an entry, which is one text
T = TypeVar("T")


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


def insert_odd(
    connection: duckdb.DuckDBPyConnection, of: Landing, arrival: datetime
) -> list[RejectedLine]:
    """Insert the rows of an object that has other lines, too; return those.

    Raises NotALogError, before it inserts a row, if the object is none of its kind. It reads the
    lines twice and keeps only those set aside, so that memory doesn't grow with the rows.
    """
    data, kind = of.source.read(), of.source.name.kind
    of.size, of.checksum = fingerprint(data)
    of.row_count, rejected = 0, list[RejectedLine]()
    for each in _read(connection, data, kind):
        if not isinstance(each, RejectedLine):
            of.row_count += 1
        elif len(rejected) < MAX_REJECTED_LINES:
            rejected.append(each)
        else:
            raise NotALogError(f"more than {MAX_REJECTED_LINES:,} of its lines can't be read")
    before: list[object] = []
    after = [of.source.uri, of.source.name.hour, arrival] if kind == "storage" else [arrival]
    if kind == "audit":
        before, after = after, before
        selected = f"*, ? from ({json_log.select(_NUMBERED)})"
    else:
        texts = ("unnest(?::varchar[])", "nullif(unnest(?::varchar[]), '')::bigint")
        columns = [texts[type_ == "INT64"] for type_ in csv_log.COLUMNS[kind].values()]
        selected = ", ".join([*columns, *("?" for _ in after)])
    insertion = f"insert into {SCHEMA}.{TABLES[kind]} select {selected}"
    good = (each for each in _read(connection, data, kind) if not isinstance(each, RejectedLine))
    for piece in pieces(good, lambda row: sum(map(len, row))):
        connection.execute(insertion, [*before, *map(list, zip(*piece, strict=True)), *after])
    return rejected


def _read(
    connection: duckdb.DuckDBPyConnection, data: bytes, kind: Kind
) -> Iterator[Row | RejectedLine]:
    if kind != "audit":
        yield from csv_log.parse(data, csv_log.COLUMNS[kind])
        return
    judgement = json_log.select(_NUMBERED, "number")
    lines = ((number, line.rstrip(b"\n")) for number, line in enumerate(BytesIO(data), 1))
    for piece in pieces((each for each in lines if each[1].strip()), lambda each: len(each[1])):
        found = connection.execute(judgement, [[line for _, line in piece]]).fetchall()
        entries = {place for (place,) in found}
        for place, (number, line) in enumerate(piece, 1):
            is_entry = place in entries
            yield (line,) if is_entry else RejectedLine(number, json_log.fault(line), line)


def pieces(values: Iterable[T], size: Callable[[T], int]) -> Iterator[list[T]]:
    """Cut values into lists that take little memory, whatever their number and sizes."""
    piece: list[T] = []
    left = PIECE_BYTES
    for each in values:
        piece.append(each)
        left -= size(each)
        if left < 0 or len(piece) == PIECE_LINES:
            yield piece
            piece, left = [], PIECE_BYTES
    if piece:
        yield piece

"""Inserts log objects into the tables of raw. DuckDB splits their text into lines and columns."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

import duckdb

from pullstats import csv_log, json_log
from pullstats.csv_log import MAX_REJECTED_LINES, NotALogError, ParsedObject
from pullstats.log_names import Kind
from pullstats.plan import LogObject, fingerprint
from pullstats.schemas import SCHEMA, Table

TABLES: dict[Kind, Table] = {"usage": "usage", "storage": "storage", "audit": "audit_logs"}
# DuckDB takes some ten times as much memory for what it splits at a time, and too long for one text
# of millions of lines.
STATEMENT_BYTES = 16 * 1024 * 1024
_LINES = """
    select
        unnest(string_split(text, '\n')) as line,
        generate_subscripts(string_split(text, '\n'), 1) as line_number,
        chunk, object_uri, log_hour
    from (
        select
            unnest(?::varchar[]) as text, unnest(?::bigint[]) as chunk,
            unnest(?::varchar[]) as object_uri, unnest(?::timestamp[]) as log_hour
    )
"""


@dataclass
class Landed:
    """An object, and what is known of it once it has landed."""

    source: LogObject
    size: int
    checksum: str
    parsed: ParsedObject
    row_count: int


class Chunk(NamedTuple):
    """Whole lines of an object, the first of which has this number."""

    of: Landed
    text: str
    number: int
    line_count: int


def insert(
    connection: duckdb.DuckDBPyConnection,
    objects: Sequence[LogObject],
    arrival: datetime,
    unreadable: dict[str, str],
) -> list[Landed]:
    """Insert the rows of objects of one kind; return which can't be read, and why.

    Raises NotALogError, with its uri, for an object of which some rows are inserted already.
    """
    landed: list[Landed] = []
    chunks: list[Chunk] = []
    size = 0
    for each in objects:
        try:
            data = each.read()
            is_audit = each.name.kind == "audit"
            parsed = json_log.read(data) if is_audit else csv_log.read(data, each.name.kind)
        except (OSError, NotALogError) as error:
            unreadable[each.uri] = str(error)
            continue
        of = Landed(each, *fingerprint(data), parsed, len(parsed.records))
        landed.append(of)
        if parsed.records:
            _insert_records(connection, of, arrival)
        for chunk in _cut(of):
            if chunks and size + len(chunk.text) > STATEMENT_BYTES:
                _insert_lines(connection, chunks, arrival)
                chunks, size = [], 0
            chunks.append(chunk)
            size += len(chunk.text)
        parsed.records, parsed.lines = [], b""
    if chunks:
        _insert_lines(connection, chunks, arrival)
    return landed


def _cut(of: Landed) -> Iterator[Chunk]:
    data, start, number = of.parsed.lines, of.parsed.start, 1
    end = len(data) - data.endswith(b"\n")
    while start < end:
        stop = data.find(b"\n", start + STATEMENT_BYTES // 8, end)
        stop = end if stop < 0 else stop
        line_count = data.count(b"\n", start, stop) + 1
        yield Chunk(of, str(memoryview(data)[start:stop], "utf-8"), number, line_count)
        start, number = stop + 1, number + line_count


def _insert_lines(
    connection: duckdb.DuckDBPyConnection, chunks: list[Chunk], arrival: datetime
) -> None:
    """Insert the lines that are rows; set the others aside."""
    kind = chunks[0].of.source.name.kind
    is_row, parts, columns = json_log.sql() if kind == "audit" else csv_log.sql(kind)
    lines = f"select *, {is_row} as is_row from ({_LINES})"
    rows = f"select *, {parts} as parts from ({lines}) where is_row"
    values: list[object] = [
        [chunk.text for chunk in chunks],
        [*range(len(chunks))],
        [chunk.of.source.uri for chunk in chunks],
        [_hour(chunk.of) for chunk in chunks],
    ]
    insertion = f"insert into {SCHEMA}.{TABLES[kind]} select {columns}, ? from ({rows})"
    ((inserted,),) = connection.execute(insertion, [arrival, *values]).fetchall()
    for chunk in chunks:
        chunk.of.row_count += chunk.line_count
    if inserted == sum(chunk.line_count for chunk in chunks):
        return
    is_odd = "not is_row and trim(line, ' \t\r\v\f') != ''"
    odd = f"(list((line_number, line)) filter ({is_odd}))[:{MAX_REJECTED_LINES + 1}]"
    others = f"select chunk, count_if(not is_row), {odd} from ({lines}) group by 1"
    for number, count, odd_lines in connection.execute(others, values).fetchall():
        chunk = chunks[number]
        chunk.of.row_count -= count
        try:
            for line_number, text in odd_lines or ():
                line = text.encode()
                chunk.of.parsed.reject(chunk.number + line_number - 1, json_log.fault(line), line)
        except NotALogError as error:
            error.uri = chunk.of.source.uri
            raise


def _insert_records(connection: duckdb.DuckDBPyConnection, of: Landed, arrival: datetime) -> None:
    kind = of.source.name.kind
    values = [
        "unnest(?::varchar[])" if type_ == "STRING" else "nullif(unnest(?::varchar[]), '')::bigint"
        for type_ in csv_log.COLUMNS[kind].values()
    ]
    named = [of.source.uri, _hour(of)] if kind == "storage" else []
    marks = ", ".join([*values, *("?" for _ in named), "?"])
    connection.execute(
        f"insert into {SCHEMA}.{TABLES[kind]} select {marks}",
        [*map(list, zip(*of.parsed.records, strict=True)), *named, arrival],
    )


def _hour(of: Landed) -> datetime:
    return of.source.name.hour.replace(tzinfo=None)

"""What of log objects lands: rows that DuckDB makes of their lines, for each warehouse alike."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from io import BytesIO
from itertools import islice

import duckdb

from pullstats import csv_log, json_log, schemas
from pullstats.csv_log import NotALogError, RejectedLine
from pullstats.log_names import Kind
from pullstats.plan import LogObject, fingerprint
from pullstats.schemas import SCHEMA, Field, Table

TABLES: dict[Kind, Table] = {"usage": "usage", "storage": "storage", "audit": "audit_logs"}
LARGEST = 10**18 - 1  # so that a sum of some does not overflow
# DuckDB takes some ten times as much memory for what it splits at a time, and too long for one text
# of millions of lines.
STATEMENT_BYTES = 16 * 1024 * 1024
_LINES = """
    select unnest(string_split(text, '\n')) as line, * exclude (text)
    from (
        select
            unnest(?::varchar[]) as text, unnest(?::bigint[]) as number,
            unnest(?::varchar[]) as object_uri, unnest(?::timestamp[]) as log_hour
    )
"""


@dataclass
class BatchResult:
    """What became of a batch: rows landed, lines set aside, objects that could not be read."""

    objects: int = 0
    rows: int = 0
    rejected: dict[str, int] = field(default_factory=dict)
    unreadable: dict[str, str] = field(default_factory=dict)

    def include(self, other: "BatchResult") -> None:
        self.objects += other.objects
        self.rows += other.rows
        self.rejected |= other.rejected
        self.unreadable |= other.unreadable


@dataclass
class Landed:
    """An object: its lines from `start` on are rows, or, once it is parsed, its records."""

    source: LogObject
    fingerprint: tuple[int, str]
    data: bytes
    start: int
    records: list[list[str]] = field(default_factory=list)
    rejected: list[RejectedLine] = field(default_factory=list)

    @property
    def end(self) -> int:
        return len(self.data) - self.data.endswith(b"\n")

    @property
    def row_count(self) -> int:
        return len(self.records) or _line_count(self.data, self.start, self.end)


def insert(
    connection: duckdb.DuckDBPyConnection,
    objects: Sequence[LogObject],
    arrival: datetime,
    unreadable: dict[str, str],
) -> list[Landed]:
    """Insert the rows of objects of one kind into their table; return what is known of each.

    DuckDB splits objects into lines, and inserts those that have the form that the sources write.
    Where that leaves a line, the object is parsed, and all are inserted again.
    """
    kind = objects[0].name.kind
    table, (lines, good) = f"{SCHEMA}.{TABLES[kind]}", _sql(kind)
    landed: dict[str, Landed] = {}
    odd: set[str] = set()
    for each in objects:
        try:
            landed[each.uri], is_odd = _read(each)
            odd |= {each.uri} if is_odd else set()
        except (OSError, NotALogError) as error:
            unreadable[each.uri] = str(error)
    while True:
        for uri in odd:
            try:
                _parse(connection, landed[uri])
            except NotALogError as error:
                unreadable[uri] = str(error)
                del landed[uri]
        odd = set()
        for chunks in _statements(landed.values()):
            values: list[object] = [
                [text for _, text, _ in chunks],
                [*range(len(chunks))],
                [of.source.uri for of, *_ in chunks],
                [of.source.name.hour.replace(tzinfo=None) for of, *_ in chunks],
            ]
            insertion = f"insert into {table} select *, ?::timestamp from ({good})"
            (inserted,) = connection.execute(insertion, [arrival, *values]).fetchall()
            if inserted != (sum(count for *_, count in chunks),):
                found = f"select number, count_if(is_row) from ({lines}) group by number"
                for number, count in connection.execute(found, values).fetchall():
                    if count != chunks[number][2]:
                        odd.add(chunks[number][0].source.uri)
        if not odd:
            break
        connection.execute(f"delete from {table} where _partitiontime = ?", [arrival])
    for of in landed.values():
        if of.records:
            _insert_records(connection, of, arrival)
    return list(landed.values())


def _read(each: LogObject) -> tuple[Landed, bool]:
    """Read an object; also whether it must be parsed: it is not in the form of its source."""
    data = each.read()
    start, quotes, is_odd = 0, None, False
    if each.name.kind != "audit":
        names = csv_log.COLUMNS[each.name.kind]
        csv_log.check_header(data, list(names))
        header = csv_log.write([], list(names))
        start, quotes, is_odd = len(header), 2 * len(names), b"\r" in data
        is_odd |= data[: start - 1] + b"\n" != header or data[start - 1 : start] not in (b"", b"\n")
    if not data.isascii():
        try:
            data.decode()
        except UnicodeDecodeError:
            is_odd = True
    landed = Landed(each, fingerprint(data), data, start)
    # DuckDB finds no quote that stands where it separates fields as well
    is_odd |= quotes is not None and data.count(b'"') != quotes * (landed.row_count + 1)
    return landed, is_odd


def _parse(connection: duckdb.DuckDBPyConnection, landed: Landed) -> None:
    """Tell the good lines of an object from the bad ones."""
    kind = landed.source.name.kind
    if kind == "audit":
        parsed, landed.data = _parse_entries(connection, landed.data)
    else:
        parsed, landed.data = csv_log.parse(landed.data, csv_log.COLUMNS[kind]), b""
    landed.start, landed.records, landed.rejected = 0, parsed.records, parsed.rejected


def _parse_entries(
    connection: duckdb.DuckDBPyConnection, data: bytes
) -> tuple[csv_log.ParsedObject, bytes]:
    """Let DuckDB say which lines are entries; return the others, and what is left without them."""
    parsed, kept = csv_log.ParsedObject(), []
    lines = enumerate((line.removesuffix(b"\n") for line in BytesIO(data)), 1)
    while group := list(islice(lines, 5_000)):
        short = (line[: json_log.MAX_ENTRY_BYTES + 1] for _, line in group)
        texts = [line.decode(errors="replace") for line in short]
        values = [texts, [number for number, _ in group], [""] * len(texts), [None] * len(texts)]
        query = f"select number from ({_sql('audit')[0]}) where is_row"
        entries = {number for (number,) in connection.execute(query, values).fetchall()}
        for (number, line), text in zip(group, texts, strict=True):
            if number in entries and ("\ufffd" not in text or text.encode() == line):
                kept.append(line)
            elif line.strip():
                parsed.reject(number, json_log.fault(line), line)
    return parsed, b"\n".join(kept)


def _statements(landed: Iterable[Landed]) -> Iterator[list[tuple[Landed, str, int]]]:
    """Cut the lines of objects into pieces that DuckDB splits at a time, with their counts."""
    chunks: list[tuple[Landed, str, int]] = []
    size = 0
    for of in landed:
        start, end = of.start, of.end
        while start < end:
            stop = of.data.find(b"\n", start + STATEMENT_BYTES // 8, end)
            stop = end if stop < 0 else stop
            if chunks and size + stop - start > STATEMENT_BYTES:
                yield chunks
                chunks, size = [], 0
            text = str(memoryview(of.data)[start:stop], "utf-8")
            chunks.append((of, text, _line_count(of.data, start, stop)))
            size += stop - start
            start = stop + 1
    if chunks:
        yield chunks


def _line_count(data: bytes, start: int, end: int) -> int:
    return data.count(b"\n", start, end) + 1 if start < end else 0


def _insert_records(connection: duckdb.DuckDBPyConnection, of: Landed, arrival: datetime) -> None:
    kind = of.source.name.kind
    values = [
        "unnest(?::varchar[])" if type_ == "STRING" else "nullif(unnest(?::varchar[]), '')::bigint"
        for type_ in csv_log.COLUMNS[kind].values()
    ]
    named = [of.source.uri, of.source.name.hour.replace(tzinfo=None)] if kind == "storage" else []
    marks = ", ".join([*values, *("?" for _ in named), "?"])
    connection.execute(
        f"insert into {SCHEMA}.{TABLES[kind]} select {marks}",
        [*map(list, zip(*of.records, strict=True)), *named, arrival],
    )


@cache
def _sql(kind: Kind) -> tuple[str, str]:
    """Write the queries that split texts into lines, and say which are rows; and that of the rows.

    Its parameters are lists: of texts, of their numbers, of the uris and hours of their objects.
    """
    if kind == "audit":
        fields = schemas.fields("audit_logs")
        paths = [path for each in fields for path in _paths(each)]
        types = [{str: "VARCHAR", dict: "OBJECT"}[type_] for type_ in json_log.REQUIRED.values()]
        required = f"try(json_type(line, {[f'$.{key}' for key in json_log.REQUIRED]})) = {types}"
        # DuckDB takes long to try what is no JSON
        may_be = f"strlen(line) <= {json_log.MAX_ENTRY_BYTES} and ltrim(line, ' \t\r') ^@ '{{'"
        is_row = f"case when {may_be} then {required} else false end"
        query = f"select *, {is_row} as is_row from ({_LINES})"
        parts = f"try(json_extract_string(line, {paths})) as parts"
        values = ", ".join(_value(each, paths) for each in fields)
        return query, f"select {values} from (select line, {parts} from ({query}) where is_row)"
    names = csv_log.COLUMNS[kind]
    texts = {name: f"parts[{place}]" for place, name in enumerate(names, 1)}
    first, *_, last = names
    texts |= {first: "substr(parts[1], 2)", last: f"left(parts[{len(names)}], -1)"}
    integers = [name for name, type_ in names.items() if type_ == "INT64"]
    numbers = {name: f"try_cast({texts[name]} as bigint)" for name in integers}
    # in one pass over each: a number in range, or an empty text
    found = (f"coalesce({numbers[x]}, if({texts[x]} = '', 0, {LARGEST + 1}))" for x in integers)
    checks = [
        f"strlen(line) <= {csv_log.MAX_RECORD_BYTES}",
        f"len(parts) = {len(names)}",
        f"parts[1] ^@ '\"' and ends_with(parts[{len(names)}], '\"')",
        *(f"{each} between -{LARGEST} and {LARGEST}" for each in found),
        f"not regexp_matches(concat({', '.join(texts[x] for x in integers)}), '[^0-9-]')",
    ]
    parts = "string_split(line, '\",\"') as parts"
    query = f"select *, {' and '.join(checks)} as is_row from (select *, {parts} from ({_LINES}))"
    columns = [(texts | numbers)[name] for name in names]
    columns += ["object_uri", "log_hour"] * (kind == "storage")
    return query, f"select {', '.join(columns)} from ({query}) where is_row"


# A BigQuery sink's names of what a Cloud Storage sink writes.
_ENTRY_NAMES = {"protopayload_auditlog": "protoPayload", "requestJson": "request"}


def _path(field: Field, at: str) -> str:
    return f"{at}.{_ENTRY_NAMES.get(field['name'], field['name'])}"


def _paths(field: Field, at: str = "$") -> list[str]:
    path = _path(field, at)
    return [each for x in field.get("fields", ()) for each in _paths(x, path)] or [path]


def _value(field: Field, paths: list[str], at: str = "$") -> str:
    """Write a column of the audit log's table, or a field of one, as a value of the entry."""
    path = _path(field, at)
    if "fields" in field:
        values = (f"'{x['name']}': {_value(x, paths, path)}" for x in field["fields"])
        return f"{{{', '.join(values)}}}"
    part = f"parts[{paths.index(path) + 1}]"
    if field["name"] == "requestJson":
        return f"case when starts_with({part}, '{{') then {part} end"
    if field["type"] == "TIMESTAMP":
        time = f"try_cast({part} as timestamptz)"  # which honors an offset
        is_bigquerys = f"year({time}) between 1970 and 8999"
        return f"case when {is_bigquerys} then make_timestamp(epoch_us({time})) end"
    # the text of an object or a list is none of its fields'
    is_text = f"json_type(line, '{path}') = 'VARCHAR'"
    text = (
        f"case when left({part}, 1) in ('[', '{{') then case when {is_text} then {part} end"
        f" else {part} end"
    )
    if field["type"] == "INT64":
        number = f"try_cast(regexp_extract({text}, '^[0-9]{{1,9}}$') as bigint)"
        return f"case when nullif({text}, '') is not null then coalesce({number}, -1) end"
    return text

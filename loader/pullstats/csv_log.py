"""Cloud Storage's two log formats, and a parser that accounts for each line of a broken object.

DuckDB and BigQuery read sound objects by themselves and much faster. This parser serves the
objects that they refuse: it separates the good lines from the bad ones.
"""

import csv
import io
import re
from codecs import BOM_UTF8
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from pullstats import schemas
from pullstats.log_names import Kind

USAGE_COLUMNS = schemas.columns("usage")
# Two more columns of the table are from the log object's name.
STORAGE_COLUMNS = dict(list(schemas.columns("storage").items())[:2])
COLUMNS: dict[Kind, dict[str, str]] = {"usage": USAGE_COLUMNS, "storage": STORAGE_COLUMNS}

# Real records have at most a few thousand bytes.
MAX_RECORD_BYTES = 1_000_000
_INTEGER = re.compile("-?0*[0-9]{1,18}")

csv.field_size_limit(MAX_RECORD_BYTES)


class NotALogError(Exception):
    """The object is not a log of its kind, so nothing of it lands."""


@dataclass(frozen=True)
class RejectedLine:
    """A line that can't be read, as its row: numbers count from 1, which is the header's."""

    line_number: int
    reason: str
    line_bytes: bytes


def count(data: bytes) -> int | None:
    """Count the records of a usage log, if it has the form that Cloud Storage writes; else null.

    All fields are quoted. Where there are no more quotes than that takes, a line with all fields is
    a record, and no field holds a quote or a line break.
    """
    header = write([], list(USAGE_COLUMNS))
    line_count = data.count(b"\n") + (not data.endswith(b"\n"))
    is_plain = data.count(b'"') == 2 * len(USAGE_COLUMNS) * line_count and b"\r" not in data
    has_header = data.startswith(header) or data == header[:-1]
    return line_count - 1 if is_plain and has_header else None


def select(source: str) -> str:
    """Write the records among lines as rows of the usage logs' table."""
    names = list(USAGE_COLUMNS)
    texts = {name: f"parts[{place}]" for place, name in enumerate(names, 1)}
    texts[names[0]], texts[names[-1]] = "substr(parts[1], 2)", f"left(parts[{len(names)}], -1)"
    numbers = [name for name, type_ in USAGE_COLUMNS.items() if type_ == "INT64"]
    conditions = [
        f"strlen(line) <= {MAX_RECORD_BYTES}",
        f"len(parts) = {len(names)}",
        "starts_with(parts[1], '\"')",
        f"ends_with(parts[{len(names)}], '\"')",
        *(f"regexp_full_match({texts[name]}, '(-?[0-9]{{1,18}})?')" for name in numbers),
    ]
    # a sum, since `and` would copy the lists
    is_row = f"{' + '.join(f'({each})::int' for each in conditions)} = {len(conditions)}"
    values = (
        f"try_cast({text} as bigint)" if name in numbers else text for name, text in texts.items()
    )
    parts = f"select *, string_split(line, '\",\"') as parts from {source}"
    return f"select {', '.join(values)} from ({parts}) where {is_row}"


def parse(data: bytes, columns: dict[str, str]) -> Iterator[list[str] | RejectedLine]:
    """Give the good records and rejected lines of an object; every line ends in one of the two.

    A record may span lines (a quoted newline). Where the lines up to the closing quote give no
    good record, only the first of them is rejected, and reading continues with the next, so that
    one stray quote costs no other line. Raises NotALogError for another header.
    """
    head = data[:4096].removeprefix(BOM_UTF8).split(b"\n", 1)[0].rstrip(b"\r")
    if head.decode("utf-8", "replace").replace('"', "").split(",") != list(columns):
        raise NotALogError("its first line is not the v0 header of its kind")
    number, start = 1, _line_end(data, 0) + 1
    while start < len(data):
        number, end = number + 1, _line_end(data, start)
        line, stop = data[start:end], _record_end(data, start)
        fields: list[str] | str = []
        if line not in (b"", b"\r"):
            fields = _record(data[start:stop], columns) if stop else "the closing quote is missing"
        if isinstance(fields, str):
            yield RejectedLine(number, fields, line)
        elif fields:
            yield fields
            number, end = number + data.count(b"\n", start, stop), stop
        start = end + 1


def _line_end(data: bytes, start: int) -> int:
    end = data.find(b"\n", start)
    return len(data) if end < 0 else end


def _record_end(data: bytes, start: int) -> int:
    """Find the end of the line that closes the last quote; 0 when none does."""
    quotes, end = 0, start - 1
    while end < len(data) and end - start <= MAX_RECORD_BYTES:
        begin, end = end + 1, _line_end(data, end + 1)
        quotes += data.count(b'"', begin, end)
        if quotes % 2 == 0:
            return end
    return 0


def _record(content: bytes, columns: dict[str, str]) -> list[str] | str:
    """Return the fields of one record, or the reason why it can't be read."""
    if len(content) > MAX_RECORD_BYTES:
        return f"longer than {MAX_RECORD_BYTES} bytes"
    try:
        text = content.removesuffix(b"\r").decode()
    except UnicodeDecodeError as error:
        return f"not UTF-8 at byte {error.start + 1}"
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    except csv.Error as error:
        return f"not CSV: {error}"
    if len(rows) != 1:
        return "a carriage return outside quotes"
    fields = rows[0]
    if len(fields) != len(columns):
        return f"{len(fields)} fields instead of {len(columns)}"
    for (name, kind), value in zip(columns.items(), fields, strict=True):
        if kind == "INT64" and value and not _INTEGER.fullmatch(value):
            return f"{name} is no integer: {value[:40]!r}"
    return fields


def write(records: Iterable[Sequence[str]], header: Sequence[str] = ()) -> bytes:
    """Write records in the logs' own form: every field quoted, every record a line."""
    lines = [header, *records] if header else records
    quoted = (['"' + value.replace('"', '""') + '"' for value in line] for line in lines)
    return "".join(",".join(line) + "\n" for line in quoted).encode()

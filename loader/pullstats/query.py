"""Answers questions to the marts on DuckDB, and never writes."""

import csv
import json
import math
import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime
from decimal import Decimal
from itertools import chain, islice
from pathlib import Path
from typing import Any, TextIO

import duckdb

Row = tuple[Any, ...]
FORMATS = ("table", "csv", "json", "jsonl")
# so many rows of a table are held: they say how wide its columns are
_SAMPLE = 1_000
_MISSING = re.compile(r'name "?(?:\w+\.)?(?:fct|dim|rpt)_|schema "pullstats" does not exist')


class QueryError(Exception):
    """The question can't be answered."""


def run(question: str, database: Path, layout: str, output: TextIO) -> None:
    """Answer SQL, or a file of SQL statements, each titled by the comment before it."""
    path = Path(question)
    text = path.read_text() if path.suffix == ".sql" else question
    if not database.exists():
        raise QueryError(f"no database at {database}: run pullstats load first, then dbt build")
    with duckdb.connect(str(database), read_only=True) as connection:
        connection.execute("set timezone = 'UTC'")
        statements = connection.extract_statements(text)
        for statement in statements:
            if not _is_question(statement):
                raise QueryError(f"only SELECT and EXPLAIN are allowed: {statement.query.strip()}")
        if layout != "table" and len(statements) != 1:
            raise QueryError(f"{layout} is for one statement, not {len(statements)}")
        marts = "select 1 from duckdb_schemas() where schema_name = 'pullstats'"
        if connection.execute(marts).fetchall():
            connection.execute("use pullstats")
        for title, statement in zip(_titles(text, statements), statements, strict=True):
            try:
                result = connection.execute(statement)
            except duckdb.CatalogException as error:
                if _MISSING.search(str(error)):
                    raise QueryError(
                        f"{error}\n\nThe marts are not there: run dbt build first"
                    ) from error
                raise
            names = [name for name, *_ in result.description]
            if layout.startswith("json") and len(set(names)) < len(names):
                raise QueryError(f"{layout} needs columns with different names: {', '.join(names)}")
            rows = _rows(result)
            if layout == "table":
                output.writelines(f"{line}\n" for line in _table(title, names, rows))
            elif layout == "csv":
                writer = csv.writer(output, lineterminator="\n")
                writer.writerow(names)
                writer.writerows([_text(value) for value in row] for row in rows)
            else:
                _write_json(names, rows, output, is_array=layout == "json")


def _is_question(statement: duckdb.Statement) -> bool:
    """Whether it only reads: a read-only database does not keep COPY from writing files."""
    if statement.type == duckdb.StatementType.EXPLAIN:
        return not re.search(r"\bcopy\b", statement.query, re.IGNORECASE)
    return bool(statement.type == duckdb.StatementType.SELECT)


def _titles(text: str, statements: Sequence[duckdb.Statement]) -> Iterator[str | None]:
    """Find the comment before each statement: DuckDB gives it to the statement before."""
    before, end = "", 0
    for statement in statements:
        start = text.index(statement.query, end)
        found = re.search(r"^\s*-- *(.+)", before + text[end:start], re.MULTILINE)
        yield found[1] if found else None
        end = start + len(statement.query)
        before = statement.query.rpartition(";")[2].partition("\n")[2]


def _rows(result: duckdb.DuckDBPyConnection) -> Iterator[Row]:
    while batch := result.fetchmany(_SAMPLE):
        yield from batch


def _table(title: str | None, names: list[str], rows: Iterator[Row]) -> Iterator[str]:
    """Lay out a table; a single value goes without its name."""
    if title:
        yield f"\n{title}"
    sample = list(islice(rows, _SAMPLE))
    if [len(row) for row in sample] == [1]:
        yield _cell(sample[0][0])
        return
    cells = [[_cell(value) for value in row] for row in sample]
    widths = [max(map(len, column)) for column in zip(names, *cells, strict=True)]
    first = sample[0] if sample else names
    is_right = [isinstance(x, int | float | Decimal) and not isinstance(x, bool) for x in first]

    def line(row: Iterable[str]) -> str:
        fields = zip(row, widths, is_right, strict=True)
        return "  ".join(
            x.rjust(width) if right else x.ljust(width) for x, width, right in fields
        ).rstrip()

    yield line(names)
    yield line("-" * width for width in widths)
    for row in chain(cells, ([_cell(value) for value in row] for row in rows)):
        yield line(row)


def _cell(value: object) -> str:
    """Write a value for people: five digits and more in groups, so that a year stays as it is."""
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) >= 10_000:
        return f"{value:,}"
    text = _text(value)
    return text if text.isprintable() else repr(text)[1:-1]


def _text(value: object) -> str:
    if isinstance(value, Decimal) and value != value.to_integral_value():
        return f"{value.normalize():f}"
    plain = _plain(value)
    if isinstance(plain, bool | dict | list):
        return json.dumps(plain, ensure_ascii=False)
    return "" if plain is None else str(plain)


def _plain(value: object) -> object:
    """Write a value as text where JSON and CSV have no form of it."""
    match value:
        case bool():
            return value
        case float() if not math.isfinite(value):
            return None
        case None | int() | float() | str():
            return value
        case bytes():
            return value.decode(errors="backslashreplace")
        case datetime() | date():
            return value.isoformat(" ") if isinstance(value, datetime) else value.isoformat()
        case Decimal():
            return int(value) if value == value.to_integral_value() else float(value)
        case dict():
            return {str(key): _plain(each) for key, each in value.items()}
        case list() | tuple():
            return [_plain(each) for each in value]
    return str(value)


def _write_json(names: list[str], rows: Iterator[Row], output: TextIO, is_array: bool) -> None:
    before = "[" if is_array else ""
    for row in rows:
        record = dict(zip(names, map(_plain, row), strict=True))
        output.write(before + json.dumps(record, ensure_ascii=False))
        before = ",\n" if is_array else "\n"
    output.write(("[]" if before == "[" else "]") + "\n" if is_array else "\n" * (before != ""))

"""What commands print: lines, and tables of rows."""

import csv
import json
import re
from base64 import b64encode
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from itertools import islice
from math import isfinite
from typing import Any, TextIO

import click

FORMATS = ("table", "csv", "json")
# A spreadsheet would run such a text as a formula, also after a character that can separate cells.
_FORMULA = re.compile(r"(^|[;\t\r\n])(?=[\"'\s]*[=+\-@])")


def say(text: str, err: bool = False) -> None:
    """Print a line, with its control characters escaped."""
    click.echo(shown(text), err=err)


def shown(text: str) -> str:
    """Escape characters that could control a terminal, because names come from outside."""
    return "".join(each if each.isprintable() else repr(each)[1:-1] for each in text)


def counted(number: int, noun: str) -> str:
    plural = f"{noun[:-1]}ies" if noun.endswith("y") else f"{noun}s"
    return f"{number:,} {noun if number == 1 else plural}"


def write(
    columns: Sequence[str], rows: Iterator[Sequence[Any]], layout: str, output: TextIO
) -> None:
    """Write rows as a table, as CSV, or as one JSON object a line.

    CSV and JSON are exact, except on a terminal, where control characters are escaped.
    """
    safe = shown if output.isatty() else str
    if layout == "csv":
        writer = csv.writer(output, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows([safe(_csv(cell)) for cell in row] for row in rows)
    elif layout == "json":
        for row in rows:
            line = dict(zip(columns, map(_json, row), strict=True))
            output.write(safe(json.dumps(line, ensure_ascii=False)) + "\n")
    else:
        _write_table(columns, list(rows), output)


def first(rows: Iterable[Sequence[Any]], limit: int | None) -> Iterator[Sequence[Any]]:
    """Give the first rows, and print a line if there are more."""
    left = iter(rows)
    yield from islice(left, limit)
    if next(left, None) is not None:
        say(f"pullstats: these are the first {limit} rows, and there are more", err=True)


def _write_table(columns: Sequence[str], rows: list[Sequence[Any]], output: TextIO) -> None:
    # takes longer to import than a question takes
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for column, cells in zip(columns, zip(*rows, strict=True) if rows else columns, strict=True):
        is_number = rows and all(isinstance(each, int | float | None) for each in cells)
        table.add_column(column, justify="right" if is_number else "left", no_wrap=True)
    for row in rows:
        table.add_row(*(Text(shown(_text(cell, grouped=True))) for cell in row))
    # A line is as long as its cells: a terminal cuts or wraps it, a pipe gets it whole.
    Console(file=output, width=10_000).print(table)


def _text(cell: Any, grouped: bool = False) -> str:
    if cell is None:
        return ""
    if isinstance(cell, datetime):
        return f"{cell.replace(tzinfo=None, microsecond=0)}"
    if grouped and isinstance(cell, int) and not isinstance(cell, bool):
        return f"{cell:,}"
    if isinstance(cell, list | tuple | dict):
        return json.dumps(_json(cell), ensure_ascii=False)
    return str(_json(cell) if isinstance(cell, bytes) else cell)


def _csv(cell: Any) -> str:
    text = _text(cell)
    return text if isinstance(cell, int | float | Decimal) else _FORMULA.sub(r"\1'", text)


def _json(cell: Any) -> Any:
    """Give a value as one that JSON has: bytes as base64, as BigQuery does."""
    if isinstance(cell, Decimal):
        return float(cell)
    if isinstance(cell, float) and not isfinite(cell):
        return str(cell)
    if isinstance(cell, dict):
        return {str(_json(key)): _json(value) for key, value in cell.items()}
    if isinstance(cell, list | tuple):
        return [_json(each) for each in cell]
    if isinstance(cell, bytes):
        return b64encode(cell).decode()
    if isinstance(cell, date | time):
        return cell.isoformat()
    return cell if cell is None or isinstance(cell, str | int | float) else str(cell)

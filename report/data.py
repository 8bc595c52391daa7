"""What the page shows: the results of report/queries, asked through dbt on any target.

The queries are analyses of the dbt project, so both engines, the profile and the variables are
dbt's own concern. They need the marts: `dbt build` first.
"""

import re
from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from dbt.artifacts.schemas.run import RunExecutionResult
from dbt.cli.main import dbtRunner

ROOT = Path(__file__).parent.parent
QUERIES = ROOT / "report/queries"

Cell = str | int | bool | date | datetime | Decimal | None
# Texts are listed once and then pointed at: most columns repeat few of them.
Column = list[int | None] | dict[str, list[str] | list[int | None]]
Table = dict[str, Column]


class QueryError(Exception):
    """dbt could not answer; its message names the query and the fault."""


def read(dbt: dbtRunner, dbt_options: Sequence[str]) -> tuple[dict[str, Table], dict[str, str]]:
    """Run every query; return its columns and its SQL, by the query's name without `report_`."""
    outcome = dbt.invoke(
        [
            *("show", "--select", f"path:{QUERIES.relative_to(ROOT)}", "--limit", "-1"),
            *("--project-dir", str(ROOT), "--quiet", "--no-write-json", *dbt_options),
        ]
    )
    if not outcome.success or not isinstance(outcome.result, RunExecutionResult):
        fault = str(outcome.exception)
        is_missing = re.search(r"Table .* does not exist|Not found: (Table|Dataset)", fault)
        raise QueryError(fault + ("\nRun dbt build first." if is_missing else ""))
    tables, sql = {}, {}
    for result in outcome.result.results:
        answer: Any = result.agate_table
        columns = zip(*answer.rows, strict=True) if answer.rows else [()] * len(answer.column_names)
        node: Any = result.node
        name = node.name.removeprefix("report_")
        tables[name] = {
            header: compact(column)
            for header, column in zip(answer.column_names, columns, strict=True)
        }
        sql[name] = node.compiled_code.strip()
    return tables, sql


def compact(column: Sequence[Cell]) -> Column:
    """Return numbers as numbers, all else as texts with pointers to them."""
    if all(cell is None or isinstance(cell, int | Decimal) for cell in column):
        return [None if cell is None else int(cell) for cell in column]  # type: ignore[arg-type]
    texts = [None if cell is None else as_text(cell) for cell in column]
    known = {text: at for at, text in enumerate(sorted({text for text in texts if text}))}
    return {
        "texts": list(known),
        "at": [None if text is None else known[text] for text in texts],
    }


def as_text(cell: Cell) -> str:
    """Return times in UTC, to the minute."""
    if isinstance(cell, datetime):
        moment = cell.astimezone(UTC) if cell.tzinfo else cell
        return f"{moment:%Y-%m-%d %H:%M}"
    return str(cell)

"""Answers the questions of `analyses/` from the marts, on DuckDB or BigQuery. Reads only.

dbt compiles the questions once, with parameters that the engine binds. Later questions don't start
dbt, until a file of the project or a setting changes.
"""

import csv
import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import Any, TextIO

import duckdb
import yaml
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from pullstats.output import shown

FORMATS = ("table", "csv", "json")
# A change of these can change the SQL of a question.
SOURCES = ("dbt_project.yml", "profiles.yml", "analyses", "macros", "models")
SETTINGS = ("PULLSTATS_", "DBT_")

Value = str | int | None


class AskError(Exception):
    """The question can't be answered."""


@dataclass(frozen=True)
class Parameter:
    """What a question can be asked with."""

    type: str
    default: Value
    description: str


@dataclass(frozen=True)
class Question:
    """A query of `analyses/`."""

    name: str
    description: str
    parameters: dict[str, Parameter]


@dataclass(frozen=True)
class Answer:
    """Rows of an answer, read once."""

    columns: list[str]
    rows: Iterator[Sequence[Any]]


def project_folder() -> Path:
    """Return the checkout that holds the current folder.

    Raises AskError if there is none.
    """
    here = Path.cwd()
    for folder in (here, *here.parents):
        if (folder / "analyses/_analyses.yml").exists():
            return folder
    raise AskError("no questions here: run this in the checkout of pullstats")


def questions(project: Path) -> dict[str, Question]:
    declared = yaml.safe_load((project / "analyses/_analyses.yml").read_text("utf-8"))["analyses"]
    return {
        each["name"]: Question(
            each["name"],
            " ".join(each["description"].split()),
            {
                name: Parameter(**parameter)
                for name, parameter in each.get("config", {})
                .get("meta", {})
                .get("parameters", {})
                .items()
            },
        )
        for each in declared
    }


def sql_of(question: str, project: Path, target: str) -> str:
    """Return the compiled SQL of a question.

    Raises AskError with dbt's message if the project does not compile.
    """
    cache = project / "target" / f"questions-{target}-{_fingerprint(project)}.json"
    if not cache.exists():
        compiled = _compiled(project, target)
        for old in cache.parent.glob(f"questions-{target}-*.json"):
            old.unlink()
        cache.parent.mkdir(exist_ok=True)
        cache.write_text(json.dumps(compiled), "utf-8")
    return str(json.loads(cache.read_text("utf-8"))[question])


def _fingerprint(project: Path) -> str:
    files = sorted(
        path
        for name in SOURCES
        for path in [project / name, *(project / name).rglob("*")]
        if path.is_file()
    )
    state = [(str(path), path.stat().st_mtime_ns) for path in files]
    settings = sorted(item for item in os.environ.items() if item[0].startswith(SETTINGS))
    return hashlib.sha256(repr((state, settings)).encode()).hexdigest()[:16]


def _compiled(project: Path, target: str) -> dict[str, str]:
    """Compile in a process of its own, which leaves no connection open."""
    options = [
        *("compile", "--quiet", "--select", "path:analyses", "--no-introspect"),
        *("--target", target, "--target-path", str(project / "target"), "--no-write-json"),
    ]
    command = [sys.executable, "-c", "from dbt.cli.main import cli; cli()", *options]
    environment = os.environ | {"PULLSTATS_BIND_PARAMETERS": "1"}
    done = subprocess.run(
        command, cwd=project, env=environment, check=False, capture_output=True, text=True
    )
    if done.returncode:
        raise AskError(f"dbt can't compile the questions: {done.stdout}{done.stderr}".strip())
    folder = project / "target/compiled/pullstats/analyses"
    return {path.stem: path.read_text("utf-8") for path in folder.glob("*.sql")}


@contextmanager
def on_duckdb(sql: str, values: dict[str, Value], database: Path) -> Iterator[Answer]:
    """Give the answer of a database file, which stays open meanwhile."""
    if not database.exists():
        raise AskError(f"no database at {database}: run pullstats load, and then dbt build")
    with duckdb.connect(str(database), read_only=True) as connection:
        connection.execute("set timezone = 'UTC'")
        marts = "select 1 from duckdb_schemas() where schema_name = 'pullstats'"
        if not connection.execute(marts).fetchall():
            raise AskError(f"{database} has no marts: run dbt build")
        connection.execute("use pullstats")
        result = connection.execute(sql, values)
        columns = [name for name, *_ in result.description]
        yield Answer(columns, iter(lambda: result.fetchone() or None, None))


@contextmanager
def on_bigquery(
    sql: str, values: dict[str, Value], types: dict[str, str], client: Any
) -> Iterator[Answer]:
    """Give the answer of the dataset `pullstats`, of a query that only reads."""
    from google.cloud import bigquery

    parameters = [
        bigquery.ScalarQueryParameter(name, types[name].upper(), value)
        for name, value in values.items()
    ]
    settings = {
        "default_dataset": f"{client.project}.pullstats",
        "query_parameters": parameters,
    }
    planned = client.query(sql, bigquery.QueryJobConfig(dry_run=True, **settings))
    if planned.statement_type != "SELECT":
        raise AskError(f"only SELECT is allowed, not {planned.statement_type}")
    rows = client.query(sql, bigquery.QueryJobConfig(**settings)).result()
    yield Answer([field.name for field in rows.schema], (tuple(row.values()) for row in rows))


def write(answer: Answer, layout: str, limit: int | None, output: TextIO) -> int:
    """Write rows, at most `limit`; return 1 if there are more."""
    rows = islice(answer.rows, limit)
    if layout == "csv":
        writer = csv.writer(output, lineterminator="\n")
        writer.writerow(answer.columns)
        writer.writerows([_text(cell) for cell in row] for row in rows)
    elif layout == "json":
        for row in rows:
            line = dict(zip(answer.columns, map(_json, row), strict=True))
            output.write(json.dumps(line, ensure_ascii=False) + "\n")
    else:
        _print_table(answer.columns, list(rows), output)
    return int(next(answer.rows, None) is not None)


def _print_table(columns: list[str], rows: list[Sequence[Any]], output: TextIO) -> None:
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
    return str(cell)


def _json(cell: Any) -> Any:
    if isinstance(cell, Decimal):
        return float(cell)
    return cell.isoformat() if isinstance(cell, date | datetime) else cell

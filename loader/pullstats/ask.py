"""The command `pullstats ask`: answers questions from the marts, on DuckDB or BigQuery. Reads only.

dbt compiles the questions of `analyses/` once, with parameters that the engine binds. Later
questions don't start dbt, until a file of the project or a setting changes.
"""

import fcntl
import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import click
import duckdb
import yaml

from pullstats.output import FORMATS, first, write
from pullstats.warehouses import on_either

# A change of these can change the SQL of a question.
SOURCES = ("dbt_project.yml", "profiles.yml", "analyses", "macros", "models")
SETTINGS = ("PULLSTATS_", "DBT_")
# What profiles.yml permits dbt, too.
MAX_BYTES_BILLED = 100 * 2**30
_TYPES = {"int64": click.INT, "string": click.STRING}

Value = str | int | None
Answer = tuple[list[str], Iterator[Sequence[Any]]]  # columns, and rows that are read once


class AskError(ValueError):
    """The question can't be answered."""


def _checkout() -> Path | None:
    """Return the checkout that holds the current folder."""
    here = Path.cwd()
    return next((x for x in (here, *here.parents) if (x / "analyses/_analyses.yml").exists()), None)


def questions() -> dict[str, Any]:
    """Return what the checkout declares of its questions, by name."""
    if not (project := _checkout()):
        return {}
    declared = yaml.safe_load((project / "analyses/_analyses.yml").read_text("utf-8"))
    return {each["name"]: each for each in declared["analyses"]}


class Questions(click.Group):
    """A command for each question of the checkout, and for SQL."""

    def list_commands(self, _: click.Context) -> list[str]:
        return sorted(questions())

    def get_command(self, _: click.Context, name: str) -> click.Command | None:
        is_sql = len(name.split()) > 1
        if not is_sql and not _checkout():
            raise AskError("no questions here: run this in a checkout of pullstats, or ask SQL")
        known = {name: {"description": "SQL of your own."}} if is_sql else questions()
        if name not in known:
            return None
        question: dict[str, Any] = known[name]
        parameters = question.get("config", {}).get("meta", {}).get("parameters", {})
        types = {each: parameter["type"] for each, parameter in parameters.items()}
        options: list[Any] = [
            click.option(
                f"--{each.replace('_', '-')}",
                type=_TYPES[parameter["type"]],
                default=parameter["default"],
                show_default=parameter["default"] is not None,
                help=parameter["description"],
            )
            for each, parameter in parameters.items()
        ]
        options += [
            click.option("--format", "layout", type=click.Choice(FORMATS), default="table"),
            click.option("--limit", type=click.IntRange(0), help="Rows to show at most."),
            click.option("--sql", "is_shown", is_flag=True, help="Print the SQL, run nothing."),
            on_either,
        ]
        answer: Any = partial(_answer, name, is_sql, types)
        for option in reversed(options):
            answer = option(answer)
        return click.command(name, help=" ".join(question["description"].split()))(answer)


@click.group(
    cls=Questions,
    subcommand_metavar="QUESTION [OPTIONS]",
    epilog="""\b
Examples:
  pullstats ask images_not_used --unused-days 30 --format csv
  pullstats ask images_not_used --help
  pullstats ask "select image, pulls from dim_images order by pulls desc"

\b
The questions need a checkout of pullstats; a SELECT works everywhere. With --format json, each
line is an object. Exit codes: 0 success, 1 no answer, 2 wrong usage.""",
)
def command() -> None:
    """Answer a question from the marts. A question is one of these names, or a SELECT."""


def _answer(
    question: str,
    is_sql: bool,
    types: dict[str, str],
    layout: str,
    limit: int | None,
    is_shown: bool,
    to: str,
    database: Path,
    **values: Value,
) -> int:
    os.environ["PULLSTATS_DUCKDB"] = str(database)
    project = _checkout()
    target = "local" if to == "duckdb" else "bigquery"
    sql = question if is_sql or not project else sql_of(question, project, target)
    if is_shown:
        click.echo(sql)
        return 0
    answering = (
        on_duckdb(sql, values, database) if to == "duckdb" else on_bigquery(sql, values, types)
    )
    with answering as (columns, rows):
        write(columns, first(rows, limit), layout, sys.stdout)
    return 0


def sql_of(question: str, project: Path, target: str) -> str:
    """Return the compiled SQL of a question.

    Raises AskError with dbt's message if the project does not compile.
    """
    folder = project / "target"
    folder.mkdir(exist_ok=True)
    cache = folder / f"questions-{target}-{_fingerprint(project)}.json"
    with (folder / "questions.lock").open("w") as lock:
        # another process may compile other questions into the same folder, or replace the cache
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not cache.exists():
            new = cache.with_suffix(".new")
            new.write_text(json.dumps(_compiled(project, target)), "utf-8")
            for old in folder.glob(f"questions-{target}-*.json"):
                old.unlink()
            new.replace(cache)
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
        try:
            connection.execute("use pullstats")
        except duckdb.CatalogException as error:
            raise AskError(f"{database} has no marts: run dbt build") from error
        # so that SQL reads no other file of the machine
        connection.execute("set enable_external_access = false")
        result = connection.execute(_one_select(connection, sql), values)
        columns = [name for name, *_ in result.description]
        yield columns, iter(lambda: result.fetchone() or None, None)


def _one_select(connection: duckdb.DuckDBPyConnection, sql: str) -> duckdb.Statement:
    statements = connection.extract_statements(sql)
    if len(statements) != 1:
        raise AskError(f"one SELECT is allowed, not {len(statements)} statements")
    (statement,) = statements
    # a PIVOT that finds its columns by itself is several
    if statement.type not in (duckdb.StatementType.SELECT, duckdb.StatementType.MULTI):
        raise AskError(f"only SELECT is allowed, not {statement.type.name}")
    return statement


@contextmanager
def on_bigquery(sql: str, values: dict[str, Value], types: dict[str, str]) -> Iterator[Answer]:
    """Give the answer of the dataset `pullstats`, of a query that only reads."""
    from google.cloud import bigquery

    from pullstats import bigquery_client

    client = bigquery_client.make()
    parameters = [
        bigquery.ScalarQueryParameter(name, types[name].upper(), value)
        for name, value in values.items()
    ]
    settings = {
        "default_dataset": f"{client.project}.pullstats",
        "query_parameters": parameters,
        "maximum_bytes_billed": MAX_BYTES_BILLED,
        "labels": bigquery_client.LABELS,
    }
    planned = client.query(sql, bigquery.QueryJobConfig(dry_run=True, **settings))
    if planned.statement_type != "SELECT":
        raise AskError(f"only SELECT is allowed, not {planned.statement_type}")
    rows = client.query(sql, bigquery.QueryJobConfig(**settings)).result()
    yield [field.name for field in rows.schema], (tuple(row.values()) for row in rows)

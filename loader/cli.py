"""The command `pullstats`: load log objects, tell what has landed, ask the marts."""

import argparse
import os
import re
import sys
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path

import duckdb
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from inventory import command
from inventory.landing import DuckDBLanding
from loader import plan
from loader.duckdb_warehouse import DuckDBWarehouse, checksum
from loader.warehouse import BatchResult, Warehouse

EXIT_REJECTED_LINES = 3
EXIT_UNREADABLE = 4

# A batch is one transaction: small enough to lose little to a kill and to show progress.
MAX_BATCH_OBJECTS = 500
MAX_BATCH_BYTES = 512 * 1024 * 1024

out = Console(
    highlight=False, markup=False, emoji=False, width=None if sys.stdout.isatty() else 200
)
err = Console(highlight=False, markup=False, emoji=False, stderr=True)


def say(text: str, to: Console = out) -> None:
    """Print a line as it is, however long."""
    to.print(text, soft_wrap=True)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; exit codes: 0 well, 2 usage, 3 lines rejected, 4 objects not read."""
    options = _parser().parse_args(arguments)
    database = Path(options.database or os.environ.get("PULLSTATS_DUCKDB") or "pullstats.duckdb")
    try:
        return int(options.run(options, database))
    except (duckdb.Error, OSError, ValueError) as error:
        say(f"pullstats: {error}", err)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="pullstats", description=__doc__)
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument(
        "--database", help="path of the DuckDB file (else $PULLSTATS_DUCKDB, else pullstats.duckdb)"
    )
    commands = parser.add_subparsers(required=True, metavar="command")
    load = commands.add_parser("load", parents=[shared], help="land log objects, each once")
    load.add_argument("source", nargs="+", type=Path, help="a folder or a file of log objects")
    load.add_argument("--dry-run", action="store_true", help="say what would be loaded, and why")
    load.set_defaults(run=_load)
    listed = commands.add_parser("inventory", parents=[shared], help="land what a registry holds")
    command.add_arguments(listed)
    listed.set_defaults(
        run=lambda options, database: command.run(options, lambda: DuckDBLanding(database))
    )
    status = commands.add_parser("status", parents=[shared], help="tell what has landed")
    status.set_defaults(run=_status)
    query = commands.add_parser("query", parents=[shared], help="ask the marts")
    query.add_argument("sql", help="SQL, or the path of a file of SQL statements")
    query.set_defaults(run=_query)
    return parser


def _load(options: argparse.Namespace, database: Path) -> int:
    missing = [str(source) for source in options.source if not source.exists()]
    if missing:
        say(f"pullstats: no such file or folder: {', '.join(missing)}", err)
        return 2
    warehouse = DuckDBWarehouse(database)
    try:
        ledger = warehouse.ledger()
        todo = plan.make(plan.find(options.source), ledger)
        total = BatchResult(unreadable=dict(todo.conflicts))
        for each in todo.check:
            try:
                data = each.path.read_bytes()
            except OSError as error:
                total.unreadable[each.uri] = str(error)
                continue
            landed = ledger[each.uri]
            if (len(data), checksum(data)) != (landed.size, landed.checksum):
                total.unreadable[each.uri] = "has landed before with other content"
            else:
                todo.skipped.append(plan.Skipped(str(each.path), "has landed before"))
        if options.dry_run:
            for each in todo.load:
                say(f"would load {each.path}: {each.size:,} bytes")
        else:
            _load_batches(warehouse, todo.load, total)
    finally:
        warehouse.close()
    return _report(todo, total, options.dry_run)


def _load_batches(warehouse: Warehouse, objects: list[plan.LogObject], total: BatchResult) -> None:
    columns = (
        TextColumn("loading"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("objects"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=out, disable=not out.is_terminal) as progress:
        task = progress.add_task("load", total=len(objects))
        for batch in plan.batches(objects, MAX_BATCH_OBJECTS, MAX_BATCH_BYTES):
            result = warehouse.load(batch)
            total.objects += result.objects
            total.rows += result.rows
            total.rejected |= result.rejected
            total.unreadable |= result.unreadable
            progress.advance(task, len(batch.objects))
            if not out.is_terminal:
                say(f"loaded {total.objects:,} of {len(objects):,} objects")


def _report(todo: plan.Plan, total: BatchResult, dry_run: bool) -> int:
    for reason, group in groupby(
        sorted(todo.skipped, key=lambda each: each.reason), key=lambda each: each.reason
    ):
        skipped = list(group)
        for each in skipped if dry_run or reason != "has landed before" else []:
            say(f"skipped {each.uri}: {each.reason}")
        if not dry_run and reason == "has landed before":
            say(f"skipped {len(skipped):,} objects: {reason}")
    for uri, count in total.rejected.items():
        say(f"{uri}: {count:,} lines rejected; see storageanalysis.rejected_lines", err)
    for uri, reason in total.unreadable.items():
        say(f"{uri}: not loaded: {reason}", err)
    if not dry_run:
        say(f"{total.objects:,} objects, {total.rows:,} rows landed")
    if total.unreadable:
        return EXIT_UNREADABLE
    return EXIT_REJECTED_LINES if total.rejected else 0


def _status(_: argparse.Namespace, database: Path) -> int:
    if not database.exists():
        say(f"pullstats: no database at {database}: nothing has landed yet", err)
        return 1
    warehouse = DuckDBWarehouse(database)
    try:
        status = warehouse.status()
    finally:
        warehouse.close()
    table = Table("log", "day", "objects", "rows", "rejected lines")
    for column in table.columns[2:]:
        column.justify = "right"
    for day in status.days:
        numbers = (f"{n:,}" for n in (day.objects, day.rows, day.rejected))
        table.add_row(day.kind, f"{day.day}", *numbers)
    out.print(table)
    if status.newest_hour:
        say(f"newest hour: {status.newest_hour:%Y-%m-%d %H:%M} UTC")
        say(f"hours without a usage log: {len(status.missing_hours):,}")
        for hour in status.missing_hours[-10:]:
            say(f"  {hour:%Y-%m-%d %H:%M} UTC")
    return 0


def _query(options: argparse.Namespace, database: Path) -> int:
    path = Path(options.sql)
    text = path.read_text() if path.suffix == ".sql" else options.sql
    with duckdb.connect(str(database), read_only=True) as connection:
        # The marts' names go without their schema: a database file named like it, as the default
        # is, makes `pullstats.dim_images` ambiguous for DuckDB.
        ((catalog,),) = connection.execute("select current_database()").fetchall()
        if connection.execute(
            "select 1 from duckdb_schemas() where schema_name = 'pullstats'"
        ).fetchall():
            connection.execute(f'use "{catalog}".pullstats')
        for statement in filter(str.strip, re.split(r";\s*(?:\n|$)", text)):
            result = connection.execute(statement)
            title = re.match(r"\s*-- (.*)", statement)
            if title:
                say(f"\n{title[1]}")
            found = result.fetchall()
            if [len(row) for row in found] == [1]:
                say(_cell(found[0][0]))
            else:
                out.print(_table([name for name, *_ in result.description], found))
    return 0


def _table(names: list[str], found: list[tuple[object, ...]]) -> Table:
    table = Table(*names)
    for column, value in zip(table.columns, found[0] if found else (), strict=False):
        if isinstance(value, int):
            column.justify = "right"
    for row in found:
        table.add_row(*(_cell(value) for value in row))
    return table


def _cell(value: object) -> str:
    if value is None:
        return ""
    return f"{value:,}" if isinstance(value, int) else f"{value}"


if __name__ == "__main__":
    sys.exit(main())

"""The command `pullstats`: load log objects, list registries, tell what landed, ask, set up."""

import argparse
import os
import re
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
from google.api_core.exceptions import GoogleAPIError
from google.auth.exceptions import GoogleAuthError
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from commands import query
from commands.output import err, out, say
from inventory import command as inventory
from inventory.landing import DuckDBLanding, Landing
from loader import plan
from loader.duckdb_warehouse import DuckDBWarehouse
from loader.warehouse import BatchResult, Warehouse

if TYPE_CHECKING:
    from loader.bigquery_warehouse import BigQueryWarehouse

EXIT_REJECTED_LINES = 3
EXIT_UNREADABLE = 4


class UsageError(Exception):
    """The command can't be run as it was given."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; exit codes: 0 well, 2 usage, 3 lines rejected, 4 objects not read."""
    options = _parser().parse_args(arguments)
    try:
        return int(options.run(options))
    except UsageError as error:
        say(f"pullstats: {error}", err)
        return 2
    except (duckdb.Error, GoogleAPIError, GoogleAuthError, OSError, ValueError) as error:
        say(f"pullstats: {error}", err)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="pullstats", description=__doc__)
    on_duckdb = argparse.ArgumentParser(add_help=False)
    on_duckdb.add_argument(
        "--database",
        type=Path,
        default=os.environ.get("PULLSTATS_DUCKDB") or "warehouse.duckdb",
        help="path of the DuckDB file (else $PULLSTATS_DUCKDB, else warehouse.duckdb)",
    )
    on_bigquery = argparse.ArgumentParser(add_help=False)
    on_bigquery.add_argument(
        "--project",
        default=os.environ.get("PULLSTATS_PROJECT"),
        help="(else $PULLSTATS_PROJECT, else the one of your credentials)",
    )
    on_bigquery.add_argument(
        "--location", help="of the dataset (else $PULLSTATS_LOCATION, else US)"
    )
    on_bigquery.add_argument("--dataset", help="(else $PULLSTATS_DATASET, else storageanalysis)")
    on_bigquery.add_argument(
        "--label", action="append", default=[], help="k=v (else $PULLSTATS_LABELS)"
    )
    on_bigquery.add_argument(
        "--usage-days", help="days to keep raw usage, 0: all (else $PULLSTATS_USAGE_DAYS, else 400)"
    )
    either = argparse.ArgumentParser(add_help=False, parents=[on_duckdb, on_bigquery])
    either.add_argument("--to", choices=["duckdb", "bigquery"], default="duckdb")
    commands = parser.add_subparsers(required=True, metavar="command")
    load = commands.add_parser("load", parents=[either], help="land log objects, each once")
    load.add_argument("source", nargs="+", help="a folder or a file, or gs://bucket/prefix")
    load.add_argument(
        "--since", type=_hour, default="0000-00-00", help="first hour: 2024-05-29[T07]"
    )
    load.add_argument("--until", type=_hour, default="9999-99-99", help="last hour, included")
    load.add_argument("--dry-run", action="store_true", help="say what would be loaded, and why")
    load.set_defaults(run=_load)
    status = commands.add_parser("status", parents=[either], help="tell what has landed")
    status.set_defaults(run=_status)
    ask = commands.add_parser("query", parents=[on_duckdb], help="ask the marts on DuckDB")
    ask.add_argument("sql", help="SQL, or the path of a file of SQL statements")
    ask.set_defaults(run=lambda options: query.run(options.sql, options.database))
    listed = commands.add_parser("inventory", parents=[either], help="land what a registry holds")
    inventory.add_arguments(listed)
    listed.set_defaults(run=lambda options: inventory.run(options, lambda: _landing(options)))
    setup = commands.add_parser("setup", parents=[on_bigquery], help="make what logging needs")
    setup.add_argument("--log-bucket", required=True, help="the bucket that logs are written to")
    setup.add_argument(
        "--bucket", action="append", default=[], help="a registry's bucket to log; may be repeated"
    )
    setup.add_argument("--delete-logs-after", type=int, metavar="DAYS")
    setup.add_argument("--dry-run", action="store_true", help="say what would be done")
    setup.add_argument("--check", action="store_true", help="say what is missing; 1 if anything is")
    setup.set_defaults(run=_setup, to="bigquery")
    return parser


def _hour(text: str) -> str:
    if not re.fullmatch(r"\d{4}-\d\d-\d\d(T\d\d)?", text):
        raise argparse.ArgumentTypeError(f"neither a day nor an hour as 2024-05-29T07: {text}")
    return text


def _connect(options: argparse.Namespace) -> "BigQueryWarehouse":
    # takes most of a second to import
    from loader.bigquery_warehouse import BigQueryWarehouse  # noqa: PLC0415

    return BigQueryWarehouse(
        options.project, options.location, options.dataset, options.label, options.usage_days
    )


def _open(options: argparse.Namespace) -> Warehouse:
    return DuckDBWarehouse(options.database) if options.to == "duckdb" else _connect(options)


def _landing(options: argparse.Namespace) -> Landing:
    if options.to == "duckdb":
        return DuckDBLanding(options.database)
    from inventory.bigquery_landing import BigQueryLanding  # noqa: PLC0415

    warehouse = _connect(options)
    return BigQueryLanding(warehouse.client, warehouse.dataset.dataset_id)


def _find(options: argparse.Namespace) -> Iterable[Path | plan.Found]:
    """List the sources; UsageError for what can't be one."""
    remote = [source for source in options.source if source.startswith("gs://")]
    local = [Path(source) for source in options.source if source not in remote]
    if local and options.to == "bigquery":
        raise UsageError(f"BigQuery loads from gs:// only, not from {local[0]}")
    if missing := [str(source) for source in local if not source.exists()]:
        raise UsageError(f"no such file or folder: {', '.join(missing)}")
    yield from plan.find(local)
    if remote:
        from google.cloud.storage import Client  # noqa: PLC0415

        from loader import gcs  # noqa: PLC0415

        yield from gcs.find(Client(options.project), remote)


def _load(options: argparse.Namespace) -> int:
    sources = list(_find(options))
    warehouse = _open(options)
    try:
        hours = (options.since, options.until + "~")
        todo = plan.make(sources, warehouse.ledger(), options.to == "bigquery", hours)
        total = BatchResult(unreadable=dict(todo.conflicts))
        if options.dry_run:
            for each in todo.load:
                say(f"would load {each.place}: {each.size:,} bytes")
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
        for batch in plan.batches(objects, warehouse.max_objects, warehouse.max_bytes):
            result = warehouse.load(batch)
            total.objects += result.objects
            total.rows += result.rows
            total.rejected |= result.rejected
            total.unreadable |= result.unreadable
            progress.advance(task, len(batch))
            if not out.is_terminal:
                say(f"loaded {total.objects:,} of {len(objects):,} objects")


def _report(todo: plan.Plan, total: BatchResult, dry_run: bool) -> int:
    landed_before = 0
    for place, reason in todo.skipped.items():
        if dry_run or reason != "has landed before":
            say(f"skipped {place}: {reason}")
        else:
            landed_before += 1
    if landed_before:
        say(f"skipped {landed_before:,} objects: has landed before")
    for uri, count in total.rejected.items():
        say(f"{uri}: {count:,} lines rejected; see rejected_lines", err)
    for uri, reason in total.unreadable.items():
        say(f"{uri}: not loaded: {reason}", err)
    if not dry_run:
        say(f"{total.objects:,} objects, {total.rows:,} rows landed")
    if total.unreadable:
        return EXIT_UNREADABLE
    return EXIT_REJECTED_LINES if total.rejected else 0


def _status(options: argparse.Namespace) -> int:
    if options.to == "duckdb" and not options.database.exists():
        say(f"pullstats: no database at {options.database}: nothing has landed yet", err)
        return 1
    warehouse = _open(options)
    try:
        status = warehouse.status()
    finally:
        warehouse.close()
    table = Table("log", "day", "objects", "rows", "rejected lines")
    for column in table.columns[2:]:
        column.justify = "right"
    for day in status.days:
        counts = (day.objects, day.rows, day.rejected)
        numbers = ("" if count is None else f"{count:,}" for count in counts)
        table.add_row(day.kind, f"{day.day}", *numbers)
    out.print(table)
    if status.newest_hour:
        say(f"newest hour: {status.newest_hour:%Y-%m-%d %H:%M} UTC")
        say(f"hours without a log record: {len(status.missing_hours):,}")
        for hour in status.missing_hours[-10:]:
            say(f"  {hour:%Y-%m-%d %H:%M} UTC")
    return 0


def _setup(options: argparse.Namespace) -> int:
    from commands import setup  # noqa: PLC0415

    steps = setup.plan(
        _connect(options), options.log_bucket, options.bucket, options.delete_logs_after
    )
    return setup.run(steps, options.dry_run, options.check)


if __name__ == "__main__":
    sys.exit(main())

"""The command `pullstats`."""

import sys
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from datetime import datetime
from functools import reduce
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import duckdb
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from pullstats import plan, query, status
from pullstats.duckdb_warehouse import DuckDBWarehouse
from pullstats.output import err, out, say
from pullstats.warehouse import BatchResult, RawError, Warehouse

if TYPE_CHECKING:
    from pullstats.bigquery_warehouse import BigQueryWarehouse

EXIT_REJECTED_LINES = 3
EXIT_UNREADABLE = 4
EXIT_INTERRUPTED = 130

_Command = Callable[..., Any]
_Sources = dict[str, list[plan.Found | plan.Unusable]]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code; faults of the world around it are one line."""
    try:
        return int(pullstats.main(arguments, "pullstats", standalone_mode=False) or 0)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        say("pullstats: interrupted; what has landed has landed", err)
        return EXIT_INTERRUPTED
    except Exception as error:
        from google.api_core.exceptions import GoogleAPIError
        from google.auth.exceptions import GoogleAuthError

        kinds = (duckdb.Error, query.QueryError, RawError, OSError, ValueError)
        if not isinstance(error, (*kinds, GoogleAPIError, GoogleAuthError)):
            raise
        say(f"pullstats: {error}", err)
        return 1


def _options(*options: Callable[[_Command], _Command]) -> Callable[[_Command], _Command]:
    return lambda command: reduce(lambda done, option: option(done), reversed(options), command)


on_duckdb = _options(
    click.option(
        "--database",
        type=click.Path(dir_okay=False, path_type=Path),
        envvar="PULLSTATS_DUCKDB",
        default="warehouse.duckdb",
        show_default=True,
        show_envvar=True,
        help="The DuckDB file.",
    ),
)
on_bigquery = _options(
    click.option("--project", help="Project of dataset and jobs.  [env: PULLSTATS_PROJECT]"),
    click.option("--location", help="Location of both.  [env: PULLSTATS_LOCATION; default: US]"),
    click.option("--dataset", help="Raw.  [env: PULLSTATS_DATASET; default: storageanalysis]"),
    click.option(
        "--label", "labels", multiple=True, help="k=v, repeatable.  [env: PULLSTATS_LABELS]"
    ),
    click.option(
        "--usage-days",
        type=click.IntRange(0),
        help="Days to keep raw, 0: all.  [env: PULLSTATS_USAGE_DAYS; default: 400]",
    ),
)
on_either = _options(
    click.option("--to", type=click.Choice(["duckdb", "bigquery"]), default="duckdb"),
    on_duckdb,
    on_bigquery,
)


@click.group(
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="""\b
Start with:
  pullstats load DIR         land log objects, each once
  dbt build                  turn them into tables
  pullstats query "from dim_images"
\b
Completion for bash, zsh or fish:
  eval "$(_PULLSTATS_COMPLETE=bash_source pullstats)"
\b
Exit codes: 0 success, 1 a file, network or permission failed, 2 wrong usage,
130 interrupted; load and inventory have more.""",
)
@click.version_option(package_name="pullstats")
def pullstats() -> None:
    """Who pulls which container image: land logs, see what landed, ask the marts."""


class Hour(click.ParamType[str]):
    """A day, or an hour of it, as 2024-05-29T07."""

    name = "YYYY-MM-DD[THH]"

    def convert(self, value: str, param: Any, context: Any) -> str:
        """Return the text if it is a day or an hour that there is."""
        for form in ("%Y-%m-%d", "%Y-%m-%dT%H"):
            try:
                if datetime.strptime(value, form).strftime(form) == value:
                    return value
            except ValueError:
                pass
        self.fail(f"{value} is no day or hour as 2024-05-29 or 2024-05-29T07", param, context)


@pullstats.command(
    epilog="""\b
Examples:
  pullstats load --dry-run logs/
  pullstats load logs/ more_logs/
  pullstats load --to bigquery gs://my-logs/ --since 2024-05-01
\b
Exit codes:
  0  all landed
  1  a file, network or permission failed, or raw files are lost or altered
  2  wrong usage
  3  lines were rejected: storageanalysis.rejected_lines has them; all others landed
  4  objects or folders could not be read, landed before with other content, or a source has no
     log object: each is named; all others landed"""
)
@click.argument("sources", nargs=-1, required=True, metavar="SOURCE...")
@click.option("--since", type=Hour(), help="First hour to load.")
@click.option("--until", type=Hour(), help="Last hour to load, included.")
@click.option("--allow-empty", is_flag=True, help="A source may have no log object.")
@click.option("--dry-run", is_flag=True, help="Say what would be loaded, and why not the rest.")
@on_either
def load(
    sources: tuple[str, ...],
    since: str | None,
    until: str | None,
    allow_empty: bool,
    dry_run: bool,
    to: str,
    database: Path,
    **settings: Any,
) -> int:
    """Land log objects, each once: of a folder, a file, or gs://BUCKET/PREFIX.

    Usage and storage logs of Cloud Storage, and audit logs that a Cloud Logging sink has written to
    a bucket. What has landed before is left alone.
    """
    if since and until and since > until + "~":
        raise click.UsageError(f"--since {since} is after --until {until}")
    found = {source: list(_find(source, to, settings["project"])) for source in sources}
    places = [each for of_source in found.values() for each in of_source]
    hours = (since or "", (until or "") + "~")
    if dry_run and to == "duckdb" and not database.exists():
        todo = plan.make(places, {}, hours=hours)
        total = BatchResult(unreadable=dict(todo.conflicts))
    else:
        with closing(_open(to, database, settings, read_only=dry_run)) as warehouse:
            todo = plan.make(places, warehouse.ledger(), to == "bigquery", hours)
            total = BatchResult(unreadable=dict(todo.conflicts))
            if faults := warehouse.faults():
                raise RawError(faults)
            if not dry_run:
                warehouse.remember(todo.compared)
                _load_batches(warehouse, todo.load, total)
    if dry_run:
        for each in todo.load:
            say(f"would load {each.place}: {each.size:,} bytes")
    if not allow_empty:
        total.unreadable |= {
            source: "no log object is there"
            for source, logs in found.items()
            if not _has_logs(logs)
        }
    return _report(todo, total, dry_run)


def _find(source: str, to: str, project: str | None) -> Iterable[plan.Found | plan.Unusable]:
    if source.startswith("gs://"):
        from google.cloud.storage import Client

        from pullstats import gcs

        return gcs.find(Client(project), source)
    if to == "bigquery":
        raise click.UsageError(f"BigQuery loads from gs:// only, not from {source}")
    if not Path(source).exists():
        raise click.UsageError(f"no such file or folder: {source}")
    return plan.find(Path(source))


def _has_logs(places: Iterable[plan.Found | plan.Unusable]) -> bool:
    return any(isinstance(each, plan.Found) and plan.name_of(each) for each in places)


def _open(to: str, database: Path, settings: dict[str, Any], read_only: bool = False) -> Warehouse:
    return DuckDBWarehouse(database, read_only) if to == "duckdb" else _connect(settings)


def _connect(settings: dict[str, Any]) -> "BigQueryWarehouse":
    from pullstats.bigquery_warehouse import BigQueryWarehouse

    return BigQueryWarehouse(**settings)


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


@pullstats.command("status")
@on_either
def show_status(to: str, database: Path, **settings: Any) -> int:
    """Say what has landed, by day, and which hours are missing. Reads only.

    Exit codes: 0 success, 1 nothing has landed, or raw files are lost or altered.
    """
    if to == "duckdb" and not database.exists():
        say(f"pullstats: no database at {database}: nothing has landed yet", err)
        return 1
    with closing(_open(to, database, settings, read_only=True)) as warehouse:
        return status.run(warehouse)


@pullstats.command(
    "query",
    epilog="""\b
Examples:
  pullstats query "select image, pulls from dim_images order by pulls desc limit 10"
  pullstats query --format csv "from fct_image_pulls_daily" > pulls.csv
  pullstats query answer.sql""",
)
@click.argument("sql")
@click.option("--format", "layout", type=click.Choice(query.FORMATS), default="table")
@on_duckdb
def ask(sql: str, layout: str, database: Path) -> None:
    """Answer SQL, or a file of SQL statements, from the marts on DuckDB. Reads only."""
    query.run(sql, database, layout, sys.stdout)


@pullstats.command(
    "setup",
    epilog="""\b
Exit codes: 0 success, 1 it can't be done; with --check, 1 if anything is missing.""",
)
@click.option("--log-bucket", required=True, help="The bucket that logs are written to.")
@click.option("--bucket", "buckets", multiple=True, help="A registry's bucket to log, repeatable.")
@click.option("--delete-logs-after", type=click.IntRange(1), metavar="DAYS")
@click.option("--dry-run", is_flag=True, help="Say what would be done.")
@click.option("--check", is_flag=True, help="Say what is missing.")
@on_bigquery
def set_up(
    log_bucket: str,
    buckets: tuple[str, ...],
    delete_logs_after: int | None,
    dry_run: bool,
    check: bool,
    **settings: Any,
) -> int:
    """Make what logging needs on Google Cloud: bucket, grant, logging, dataset and tables."""
    from pullstats import setup

    steps = setup.plan(_connect(settings), log_bucket, [*buckets], delete_logs_after)
    return setup.run(steps, dry_run, check)


def _landing(to: str, database: Path, settings: dict[str, Any]) -> Any:
    from pullstats.registry_inventory.landing import DuckDBLanding

    if to == "duckdb":
        return DuckDBLanding(database)
    from pullstats.registry_inventory.bigquery_landing import BigQueryLanding

    warehouse = _connect(settings)
    return BigQueryLanding(warehouse.client, warehouse.dataset.dataset_id)


@pullstats.command(
    epilog="""\b
Examples:
  pullstats inventory --dry-run gcr.io/my-project
  pullstats inventory gcr.io/my-project registry.example.com/team 127.0.0.1:5000
\b
Exit codes:
  0  all landed
  1  a file, network or permission failed
  2  wrong usage
  3  something was set aside: storageanalysis.inventory_errors names it; all else landed
  4  a registry can't be reached or listed: nothing of it landed, the other targets did"""
)
@click.argument("targets", nargs=-1, required=True, metavar="TARGET...")
@click.option("--plain-http", is_flag=True, help="No TLS, even if the registry is elsewhere.")
@click.option("--dry-run", is_flag=True, help="Name the repositories, land nothing.")
@on_either
def inventory(
    targets: tuple[str, ...],
    plain_http: bool,
    dry_run: bool,
    to: str,
    database: Path,
    **settings: Any,
) -> int:
    """Land what registries hold: tags, manifests, blobs. TARGET is HOST[:PORT][/PATH].

    The variables PULLSTATS_REGISTRY_USER and PULLSTATS_REGISTRY_PASSWORD hold the login.
    """
    try:
        from pullstats.registry_inventory import command
    except ImportError as error:
        raise click.ClickException("install pullstats[inventory] for this command") from error
    open_landing = None if dry_run else lambda: _landing(to, database, settings)
    return command.run(targets, plain_http, open_landing)


if __name__ == "__main__":
    sys.exit(main())

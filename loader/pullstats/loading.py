"""The command `pullstats load`: lists the sources, loads what is new, and reports."""

import os
import re
from collections.abc import Iterable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click

from pullstats import plan
from pullstats.output import counted, say
from pullstats.plan import BatchResult, Found
from pullstats.warehouses import on_either, open_warehouse

EXIT_REJECTED_LINES = 3
EXIT_UNREADABLE = 4


def _hour(_: click.Context, __: click.Parameter, value: str | None) -> str | None:
    """Return the text of a day or an hour that there is; `7d` means the day seven days ago."""
    if value and re.fullmatch("[0-9]{1,4}d", value):
        return f"{datetime.now(UTC) - timedelta(days=int(value[:-1])):%Y-%m-%d}"
    try:
        is_hour = value and re.fullmatch("[0-9-]{10}(T[0-9]{2})?", value)
        if value is None or (is_hour and datetime.fromisoformat(value)):
            return value
    except ValueError:
        pass
    forms = "a day (2024-05-29), an hour (2024-05-29T07) or a number of days (7d)"
    raise click.BadParameter(f"{value} is not {forms}")


@click.command(
    epilog="""\b
Examples:
  pullstats load --dry-run logs/
  pullstats load logs/ more_logs/
  pullstats load --to bigquery gs://my-logs/ --since 7d

\b
--since and --until take a day (2024-05-29), an hour (2024-05-29T07), or days before now (7d).

\b
Exit codes:
  0  all landed
  1  a file, network or permission failed
  2  wrong usage
  3  lines were rejected: storageanalysis.rejected_lines has them; all others landed
  4  an object or folder could not be read or named, an object landed before with other content,
     or a source has no log object: each is named; all others landed"""
)
@click.argument("sources", nargs=-1, required=True, metavar="SOURCE...")
@click.option("--since", callback=_hour, help="First hour to load. A bucket is listed from it on.")
@click.option("--until", callback=_hour, help="Last hour to load, included.")
@click.option("--allow-empty", is_flag=True, help="Accept a source without log objects.")
@click.option("--dry-run", is_flag=True, help="Show what would be loaded, and why not the rest.")
@on_either
def command(
    sources: tuple[str, ...],
    since: str | None,
    until: str | None,
    allow_empty: bool,
    dry_run: bool,
    to: str,
    database: Path,
) -> int:
    """Land log objects, each once.

    A SOURCE is a folder, a file, or gs://BUCKET/PREFIX. Log objects are usage and storage logs of
    Cloud Storage, and audit logs that a Cloud Logging sink has written to a bucket.
    """
    if since and until and since > until + "~":
        raise click.UsageError(f"--since {since} is after --until {until}")
    for source in sources:
        if not source.startswith("gs://"):
            if to == "bigquery":
                raise click.UsageError(f"BigQuery loads from gs:// only, not from {source}")
            if not source or not Path(source).exists():
                raise click.UsageError(f"no such file or folder: {source or repr(source)}")
    found = {source: list(_find(source, since or "")) for source in sources}
    with closing(open_warehouse(to, database, dry_run)) as warehouse:
        ledger = warehouse.ledger(datetime.fromisoformat(since) if since else None)
        places = (place for of_source in found.values() for place in of_source)
        todo = plan.make(places, ledger, to == "bigquery", (since or "", (until or "") + "~"))
        total = BatchResult(unreadable=todo.conflicts)
        if not dry_run:
            for batch in plan.batches(todo.load, warehouse.max_objects, warehouse.max_bytes):
                total.include(warehouse.load(batch))
                say(f"loaded {total.objects:,} of {counted(len(todo.load), 'object')}")
    for source, of_source in found.items():
        if not allow_empty and not any(place.log_name for place in of_source):
            total.unreadable[source] = "no log object is there"
    return _report(todo, total, dry_run)


def _find(source: str, since: str) -> Iterable[Found]:
    if not source.startswith("gs://"):
        return plan.find(Path(source))
    # takes most of a second to import
    from google.cloud.storage import Client

    from pullstats import gcs

    return gcs.find(Client(os.environ.get("PULLSTATS_PROJECT")), source, since)


def _report(todo: plan.Plan, total: BatchResult, dry_run: bool) -> int:
    if dry_run:
        for each in todo.load:
            say(f"would load {each.place}: {each.size:,} bytes")
    landed_before = 0
    for place, reason in todo.skipped.items():
        if dry_run or reason != plan.HAS_LANDED:
            say(f"skipped {place}: {reason}")
        else:
            landed_before += 1
    if landed_before:
        say(f"skipped {counted(landed_before, 'object')} that landed before")
    for place in todo.again:
        say(f"{place}: was cut off when it landed, so it lands again, whole")
    for uri, count in total.rejected.items():
        say(f"{uri}: {counted(count, 'line')} rejected; see rejected_lines", err=True)
    for uri, reason in total.unreadable.items():
        say(f"{uri}: not loaded: {reason}", err=True)
    if not dry_run:
        say(f"{counted(total.objects, 'object')}, {counted(total.rows, 'row')} landed")
    if total.unreadable:
        return EXIT_UNREADABLE
    return EXIT_REJECTED_LINES if total.rejected else 0

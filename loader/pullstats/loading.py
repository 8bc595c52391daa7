"""What `pullstats load` does: lists the sources, loads what is new, and reports."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import click
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from pullstats import plan
from pullstats.output import err, out, say
from pullstats.warehouse import BatchResult, RawError, Warehouse

EXIT_REJECTED_LINES = 3
EXIT_UNREADABLE = 4

Places = list[plan.Found | plan.Unusable]


def find(sources: Sequence[str], to: str, project: str | None) -> dict[str, Places]:
    """List each source; click.UsageError for what can't be one."""
    for source in sources:
        if not source.startswith("gs://"):
            if to == "bigquery":
                raise click.UsageError(f"BigQuery loads from gs:// only, not from {source}")
            if not source or not Path(source).exists():
                raise click.UsageError(f"no such file or folder: {source or repr(source)}")
    return {source: list(_list(source, project)) for source in sources}


def _list(source: str, project: str | None) -> Iterable[plan.Found | plan.Unusable]:
    if not source.startswith("gs://"):
        return plan.find(Path(source))
    # takes most of a second to import
    from google.cloud.storage import Client  # noqa: PLC0415

    from pullstats import gcs  # noqa: PLC0415

    return gcs.find(Client(project), source)


def run(
    found: dict[str, Places],
    warehouse: Warehouse | None,
    hours: tuple[str, str],
    allow_empty: bool,
    dry_run: bool,
) -> int:
    """Load what has not landed, or only say so; without a warehouse nothing has."""
    places = [each for of_source in found.values() for each in of_source]
    ledger, by_uri = (warehouse.ledger(), warehouse.by_uri) if warehouse else ({}, False)
    todo = plan.make(places, ledger, by_uri, hours)
    total = BatchResult(unreadable=dict(todo.conflicts))
    if warehouse and (faults := warehouse.faults()):
        raise RawError(faults)
    if warehouse and not dry_run:
        warehouse.remember(todo.compared)
        _load_batches(warehouse, todo.load, total)
    else:
        for each in todo.load:
            say(f"would load {each.place}: {each.size:,} bytes")
    for source, of_source in found.items():
        if not allow_empty and not any(_is_log(each) for each in of_source):
            total.unreadable[source] = "no log object is there"
    return _report(todo, total, dry_run)


def _is_log(place: plan.Found | plan.Unusable) -> bool:
    return isinstance(place, plan.Found) and plan.name_of(place) is not None


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
        say(f"skipped {landed_before:,} objects that landed before")
    for uri, count in total.rejected.items():
        say(f"{uri}: {count:,} lines rejected; see rejected_lines", err)
    for uri, reason in total.unreadable.items():
        say(f"{uri}: not loaded: {reason}", err)
    if not dry_run:
        say(f"{total.objects:,} objects, {total.rows:,} rows landed")
    if total.unreadable:
        return EXIT_UNREADABLE
    return EXIT_REJECTED_LINES if total.rejected else 0

"""What `pullstats load` does: lists the sources, loads what is new, and reports."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Union

import click

from pullstats import plan
from pullstats.duckdb_warehouse import DuckDBWarehouse
from pullstats.output import err, say
from pullstats.plan import BatchResult

if TYPE_CHECKING:
    from pullstats.bigquery_warehouse import BigQueryWarehouse

EXIT_REJECTED_LINES = 3
EXIT_UNREADABLE = 4

Places = list[plan.Found | plan.Unusable]
Warehouse = Union[DuckDBWarehouse, "BigQueryWarehouse"]


def find(sources: Sequence[str], to: str, project: str | None, since: str) -> dict[str, Places]:
    """List each source; click.UsageError for what can't be one."""
    for source in sources:
        if not source.startswith("gs://"):
            if to == "bigquery":
                raise click.UsageError(f"BigQuery loads from gs:// only, not from {source}")
            if not source or not Path(source).exists():
                raise click.UsageError(f"no such file or folder: {source or repr(source)}")
    return {source: list(_list(source, project, since)) for source in sources}


def _list(source: str, project: str | None, since: str) -> Iterable[plan.Found | plan.Unusable]:
    if not source.startswith("gs://"):
        return plan.find(Path(source))
    # takes most of a second to import
    from google.cloud.storage import Client  # noqa: PLC0415

    from pullstats import gcs  # noqa: PLC0415

    return gcs.find(Client(project), source, since)


def run(
    found: dict[str, Places],
    warehouse: Warehouse | None,
    hours: tuple[str, str],
    allow_empty: bool,
    dry_run: bool,
) -> int:
    """Load what has not landed, or only say so; without a warehouse nothing has."""
    places = [each for of_source in found.values() for each in of_source]
    since = datetime.fromisoformat(hours[0]) if hours[0] else None
    ledger, by_uri = (warehouse.ledger(since=since), warehouse.by_uri) if warehouse else ({}, False)
    todo = plan.make(places, ledger, by_uri, hours)
    total = BatchResult(unreadable=dict(todo.conflicts))
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
    for batch in plan.batches(objects, warehouse.max_objects, warehouse.max_bytes):
        total.include(warehouse.load(batch))
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
    for place in todo.again:
        say(f"{place}: was cut off when it landed, so it lands again, whole")
    for uri, count in total.rejected.items():
        say(f"{uri}: {count:,} lines rejected; see rejected_lines", err)
    for uri, reason in total.unreadable.items():
        say(f"{uri}: not loaded: {reason}", err)
    if not dry_run:
        say(f"{total.objects:,} objects, {total.rows:,} rows landed")
    if total.unreadable:
        return EXIT_UNREADABLE
    return EXIT_REJECTED_LINES if total.rejected else 0

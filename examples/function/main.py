"""A Cloud Run function that lands the object of an event, by the code of `pullstats load`.

docs/orchestration.md shows how to deploy it. Terraform does not, because the job loads by itself.
"""

import json
from functools import cache

import functions_framework
from cloudevents.http import CloudEvent

from pullstats import gcs, plan
from pullstats.bigquery_warehouse import BigQueryWarehouse
from pullstats.output import counted
from pullstats.plan import BatchResult


@cache
def _warehouse() -> BigQueryWarehouse:
    """Make the clients when the first event comes, and keep them."""
    return BigQueryWarehouse()


def _log(severity: str, message: str, uri: str = "") -> None:
    print(json.dumps({"severity": severity, "message": message, "object": uri}), flush=True)


@functions_framework.cloud_event
def load_log_object(event: CloudEvent) -> None:
    """Land the object that was finalized.

    Transient errors are raised so that Eventarc retries; permanent errors are logged and recorded
    in the ledger.
    """
    warehouse = _warehouse()
    try:
        about = event.data
        uri = f"gs://{about['bucket']}/{about['name']}"
        found = gcs.found(
            warehouse.storage,
            uri,
            int(about["generation"]),
            (int(about["size"]), about["crc32c"]),
            about.get("contentEncoding"),
        )
    except (KeyError, TypeError, ValueError) as error:
        _log("ERROR", f"the event {event['id']} describes no object: {error!r}")
        return
    todo = plan.make([found], {}, by_uri=True)
    if todo.load:
        todo = plan.make([found], warehouse.ledger(since=todo.load[0].name.hour), by_uri=True)
    result = warehouse.load(todo.load) if todo.load else BatchResult()
    for place, reason in todo.skipped.items():
        _log("INFO", f"skipped: {reason}", place)
    for place, reason in (todo.conflicts | result.unreadable).items():
        _log("ERROR", f"not loaded: {reason}", place)
    for place, count in result.rejected.items():
        _log("WARNING", f"{counted(count, 'line')} rejected; see rejected_lines", place)
    if result.objects:
        landed = f"{counted(result.objects, 'object')}, {counted(result.rows, 'row')} landed"
        _log("INFO", landed, uri)

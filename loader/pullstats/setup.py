"""Does once what logging needs on Google Cloud: log bucket, grant, logging, dataset and tables."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from google.api_core.exceptions import NotFound
from google.cloud.storage import Bucket

from pullstats.bigquery_warehouse import BigQueryWarehouse
from pullstats.output import say

# Google's own writer of usage and storage logs.
WRITER = "group:cloud-storage-analytics@google.com"
ROLE = "roles/storage.objectCreator"
TABLES = ("usage", "storage", "audit_logs", "rejected_lines", "loaded_objects")


@dataclass(frozen=True)
class Step:
    """A desired state, and the action that establishes it."""

    title: str
    is_done: Callable[[], bool]
    do: Callable[[], object]


def run(steps: list[Step], dry_run: bool, check: bool) -> int:
    """Do what isn't done and print each step's state. Returns 1 if `check` misses any."""
    missing = 0
    for step in steps:
        try:
            is_done = step.is_done()
        except NotFound:
            is_done = False
        if is_done:
            say(f"ok: {step.title}")
        elif check or dry_run:
            missing += 1
            say(f"{'missing' if check else 'would'}: {step.title}")
        else:
            step.do()
            say(f"done: {step.title}")
    return int(check and missing > 0)


def plan(
    warehouse: BigQueryWarehouse, log_bucket: str, buckets: list[str], delete_after: int | None
) -> list[Step]:
    """List the steps, each of which stands on those before it."""
    client, dataset = warehouse.storage, warehouse.dataset
    location = warehouse.client.location
    logs = client.bucket(log_bucket)
    steps = [
        Step(
            f"make gs://{log_bucket} in {location}, with uniform access",
            lambda: _read(logs).iam_configuration.uniform_bucket_level_access_enabled,
            partial(_make, logs, location),
        ),
        Step(
            f"let {WRITER} write to gs://{log_bucket} ({ROLE})",
            lambda: any(_is_grant(each) for each in _policy(logs).bindings),
            partial(_grant, logs),
        ),
    ]
    if delete_after:
        rule = {"action": {"type": "Delete"}, "condition": {"age": delete_after}}
        steps.append(
            Step(
                f"delete log objects after {delete_after} days",
                lambda: rule in [dict(each) for each in _read(logs).lifecycle_rules],
                lambda: _patch(logs, lambda: logs.add_lifecycle_delete_rule(age=delete_after)),
            )
        )
    for name in buckets:
        bucket = client.bucket(name)
        steps.append(
            Step(
                f"log the use of gs://{name} to gs://{log_bucket}/{name}_usage_…",
                partial(_is_logged, bucket, log_bucket),
                partial(_patch, bucket, partial(bucket.enable_logging, log_bucket, name)),
            )
        )
    steps.append(
        Step(
            f"make the dataset {dataset.project}.{dataset.dataset_id} and its tables:"
            f" {', '.join(TABLES)}",
            partial(_has_tables, warehouse),
            lambda: warehouse.client.query(warehouse.ddl()).result(),
        )
    )
    return steps


def _read(bucket: Bucket) -> Bucket:
    bucket.reload()
    return bucket


def _make(bucket: Bucket, location: str) -> None:
    bucket.iam_configuration.uniform_bucket_level_access_enabled = True
    if bucket.exists():
        bucket.patch()
    else:
        bucket.create(location=location)


def _policy(bucket: Bucket) -> Any:
    return bucket.get_iam_policy(requested_policy_version=3)


def _is_grant(binding: dict[str, object]) -> bool:
    members = binding["members"]
    return binding["role"] == ROLE and isinstance(members, set) and WRITER in members


def _grant(bucket: Bucket) -> None:
    """Add the grant to the policy as it was read; its etag keeps others' changes."""
    policy = _policy(bucket)
    policy.bindings.append({"role": ROLE, "members": {WRITER}})
    bucket.set_iam_policy(policy)


def _is_logged(bucket: Bucket, log_bucket: str) -> bool:
    found = _read(bucket).get_logging() or {}
    if found.get("logBucket", log_bucket) != log_bucket:
        raise ValueError(f"gs://{bucket.name} logs to gs://{found['logBucket']} already")
    return bool(found)


def _patch(bucket: Bucket, change: Callable[[], object]) -> None:
    _read(bucket)
    change()
    bucket.patch()


def _has_tables(warehouse: BigQueryWarehouse) -> bool:
    usage = warehouse.client.get_table(warehouse.dataset.table("usage"))
    partitioning = usage.time_partitioning
    if not partitioning or partitioning.type_ != "HOUR" or partitioning.field:
        raise ValueError(f"{usage} is not partitioned by ingestion hour: use another dataset")
    for name in TABLES:
        warehouse.client.get_table(warehouse.dataset.table(name))
    return True

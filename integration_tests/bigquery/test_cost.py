"""After the first build no statement reads raw or a restated table without constants that prune."""

import re
from datetime import date, timedelta

import pytest

from integration_tests.bigquery import googlesql
from integration_tests.bigquery.conftest import Reference
from integration_tests.bigquery.scans import Scan, columns_of, scans_of
from integration_tests.bigquery.warehouse import Warehouse
from integration_tests.emulators import PROJECT

# What partitions each relation; views hand their table's column on.
PARTITIONED_BY = {
    "stg_gcs__usage_logs": "loaded_at",
    "int_gcs_request_records": "event_date",
    "int_log_arrivals_hourly": "event_date",
    "int_gcs_requests": "event_date",
    "int_object_writes": "activity_date",
    "int_blob_reads": "session_date",
    "int_bursts": "session_date",
    "int_burst_votes": "session_date",
    "int_blob_votes_daily": "activity_date",
    "int_blob_votes_monthly": "activity_month",
    "int_blob_read_pulls": "session_date",
    "int_blob_fetches": "session_date",
    "int_image_fetches": "session_date",
    "int_artifact_registry_request_records": "event_date",
    "int_artifact_registry_requests": "event_date",
    "int_manifest_reads_sessionized": "session_date",
    "int_manifest_reads": "session_date",
    "int_manifest_contents": "session_date",
    "int_manifest_config_votes_daily": "vote_date",
    "int_manifest_request_tags": "session_date",
    "int_manifest_fetches": "session_date",
    "int_image_uses_daily": "use_date",
    "int_manifest_writes": "activity_date",
    "fct_image_pulls": "pull_date",
    "fct_image_pulls_daily": "pull_date",
    "fct_image_builds_monthly": "pull_month",
    "fct_registry_requests_daily": "request_date",
    "fct_failed_requests_daily": "request_date",
}
# Facts over all time, made from tables that are much smaller than the requests: docs/bigquery.md.
OVER_ALL_TIME = {
    ("int_blobs", "int_blob_votes_monthly"),
    ("int_blobs", "int_object_writes"),
    ("dim_image_tags", "int_object_writes"),
    ("int_manifest_configs", "int_manifest_config_votes_daily"),
    ("dim_images", "int_image_uses_daily"),
    ("dim_image_tags", "int_image_uses_daily"),
    ("dim_images", "fct_image_pulls"),
    ("dim_images", "fct_image_builds_monthly"),
    ("dim_image_tags", "fct_image_builds_monthly"),
    ("fct_project_days", "fct_image_pulls_daily"),
    ("fct_project_days", "fct_registry_requests_daily"),
    # a view: a build asks for its columns only, `where false`
    ("fct_log_hours", "int_log_arrivals_hourly"),
}


def test_every_table_with_a_day_is_partitioned_by_it_and_clustered(reference: Reference) -> None:
    layouts = {path.split(".")[-1]: each for path, each in reference.api.warehouse.layouts.items()}
    views = {
        *("stg_gcs__usage_logs", "int_gcs_requests", "int_bursts"),
        "int_image_fetches",
        "int_artifact_registry_requests",
    }
    for table in PARTITIONED_BY.keys() - views:
        partitioned, clustered = layouts[table]
        assert partitioned == [PARTITIONED_BY[table]]
        assert 1 <= len(clustered) <= 4
    assert {name for name, each in layouts.items() if each[0]} == PARTITIONED_BY.keys() - views


def test_an_incremental_build_with_its_tests_scans_by_constants_only(reference: Reference) -> None:
    unpruned, seen = set(), set()
    for sent in reference.second.sent:
        node = sent.node.split(".")[2] if sent.node else ""
        for scan in scans_of(reference.api.warehouse, sent.sql):
            if scan.table in PARTITIONED_BY:
                seen.add(scan.table)
                if not scan.is_pruned_by(PARTITIONED_BY[scan.table]):
                    unpruned.add((node, scan.table))
    assert seen == PARTITIONED_BY.keys()
    assert unpruned == OVER_ALL_TIME


def test_data_tests_of_months_look_back_a_month_further(reference: Reference) -> None:
    """The first day of a month is soon older than the days that tests look back."""
    first = {}
    for column in ("pull_date", "pull_month"):
        bound = re.compile(rf"{column} >= date '([0-9-]+)'")
        days = [day for sent in reference.second.sent for day in bound.findall(sent.sql)]
        (first[column],) = {date.fromisoformat(day) for day in days}
    assert first["pull_date"] - first["pull_month"] == timedelta(days=31)


def test_raw_itself_is_read_through_its_views(reference: Reference) -> None:
    for sent in reference.first.sent + reference.second.sent:
        tables = {scan.table for scan in scans_of(reference.api.warehouse, sent.sql)}
        is_about_raw = sent.node.endswith(".assert_raw_holds_what_landed")
        assert is_about_raw or not tables & {"usage", "storage"}, sent.node


def test_a_run_asks_for_what_has_arrived_since_the_last(reference: Reference) -> None:
    for build, is_first in ((reference.first, True), (reference.second, False)):
        (asked,) = {
            re.search(r"usage_logs`\s+where\s+loaded_at > timestamp '(....)", sent.sql)[1]
            for sent in build.sent
            if sent.node == "model.pullstats.int_build_days" and "arrivals as" in sent.sql
        }
        assert (asked == "1970") == is_first


def test_every_job_is_labelled_with_what_it_is_for(reference: Reference) -> None:
    for sent in reference.second.sent:
        assert dict(sent.labels)["app"] == "dbt"
        if sent.node:
            assert dict(sent.labels)["node_id"].startswith(sent.node.split(".")[0])


@pytest.mark.parametrize(
    ("condition", "is_pruned"),
    [
        ("where day in (date '2024-05-29', date '2024-05-30') and x", True),
        ("where day >= date '2024-05-29'", True),
        ("where false", True),
        ("where day in (select day from other)", False),
        ("where date_trunc(day, month) = date '2024-05-01'", False),
        ("where other_day in (date '2024-05-29')", False),
        ("where is_false", False),
        ("", False),
    ],
)
def test_a_predicate_prunes_only_with_constants(condition: str, is_pruned: bool) -> None:
    assert Scan("table", condition).is_pruned_by("day") is is_pruned


@pytest.mark.parametrize(
    ("sql", "columns"),
    [
        ("with x as (select * from t where d > 0), y as (select a from x) select a from y", "ad"),
        ("with x as (select * from t) select a from x union all select b from x", "ab"),
        ("with x as (select * from t) select a from x where b in (select c from x)", "abc"),
        ("with x as (select *, lag(c) over (order by d) as e from t) select e from x", "cd"),
        ("with x as (select * from t union all select * from t) select b from x", "b"),
        ("with x as (select a, count(*) as n from t group by a) select n from x", "a"),
        ("select * from t", "abcd"),
    ],
)
def test_columns_that_only_a_star_selects_are_not_read(sql: str, columns: str) -> None:
    warehouse = Warehouse()
    warehouse.datasets.add("pullstats")
    path = f"{PROJECT}.pullstats.t"
    warehouse.put(path, googlesql.table(dict.fromkeys("abcd", "INT64"), [[1, 2, 3, 4]]))
    named = sql.replace("from t", f"from `{path}`")
    assert columns_of(warehouse, named) == {"t": set(columns)}

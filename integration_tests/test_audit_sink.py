"""A BigQuery sink's tables, on DuckDB: read with the columns that they have."""

import json
from pathlib import Path

import duckdb
import pytest
import yaml

from integration_tests.bigquery.audit_inputs import entry
from integration_tests.bigquery.googlesql import GoogleSQL, table
from integration_tests.project import ROOT, Project, example_logs

SINK = """
create schema sink;
create table sink.cloudaudit_googleapis_com_data_access_20241228 as
select
    'projects/p/logs/cloudaudit.googleapis.com%2Fdata_access' as logName,
    'e' || range as insertId,
    timestamp '2024-12-28 10:00:00' + range * interval 1 second as "timestamp",
    timestamp '2024-12-28 10:00:01' + range * interval 1 second as receiveTimestamp,
    {
        'serviceName': 'artifactregistry.googleapis.com',
        'methodName': ['Docker-HeadManifest', 'Docker-GetManifest', 'Docker-ServeBlob'][range + 1],
        'resourceName': 'projects/p/locations/us/repositories/r/dockerImages/app@sha256:'
            || repeat('a', 64),
        'requestMetadata': {'callerIp': '192.0.2.7', 'callerSuppliedUserAgent': 'docker/28.5.2'},
        'requestJson': '{"requestUrl": "/v2/p/r/app/' || [
            'manifests/v1',
            'manifests/sha256:' || repeat('a', 64),
            'blobs/sha256:' || repeat('b', 64)
        ][range + 1] || '"}'
    } as protopayload_auditlog
from range(3);
"""
RECORDS = "int_artifact_registry_request_records"
WITHOUT_TESTS = ("--exclude-resource-type", "test", "unit_test")
VARS = ("--vars", "{audit_sink_dataset: sink}")


@pytest.fixture
def sink(project: Project) -> Project:
    with duckdb.connect(str(project.database)) as connection:
        connection.execute(SINK)
    return project


def test_a_sink_is_enough_and_a_back_fill_is_read_when_its_days_are_restated(
    sink: Project, tmp_path: Path
) -> None:
    """Other runs look no further back than `audit_sink_max_lag_days`, and a test warns."""
    build = ("build", *WITHOUT_TESTS, "--vars")
    sink.dbt(*build, VARS[1])
    assert sink.query(
        "select log_source, image, tag, client_tool, blobs from pullstats.fct_image_pulls"
    ) == [("cloud_audit", "us-docker.pkg.dev/p/r/app", "v1", "docker", 1)]
    landed = tmp_path / "logs/cloudaudit.googleapis.com/data_access/2024/07/02"
    landed.mkdir(parents=True)
    with duckdb.connect(str(sink.database)) as connection:
        connection.execute(
            "update pullstats_intermediate.int_build_days"
            " set started_at = started_at - interval 1 hour"
        )
    path = landed / "12:00:00_12:59:59_S0.json"
    path.write_text(json.dumps(entry(1, 0)) + "\n")
    sink.load([path])
    days = f"select distinct event_date::varchar from pullstats_intermediate.{RECORDS} order by 1"
    sink.dbt(*build, VARS[1])
    assert sink.query(days) == [("2024-12-28",)]
    check = ("--warn-error", "test", "--select", "assert_back_filled_days_are_read", *VARS)
    with pytest.raises(AssertionError, match="Got 1 result"):
        sink.dbt(*check)
    sink.dbt(*build, "{audit_sink_dataset: sink, restate_from: 2024-07-02}")
    assert sink.query(days) == [("2024-07-02",), ("2024-12-28",)]
    sink.dbt(*build, VARS[1])
    assert sink.query(days) == [("2024-07-02",), ("2024-12-28",)]
    sink.dbt(*check)


def test_days_that_raw_no_longer_holds_are_not_restated(sink: Project) -> None:
    """As after raw has expired, or if the variable that names the sink is forgotten."""
    sink.load(example_logs()[:1])
    build = ("build", "--select", f"+{RECORDS}", *WITHOUT_TESTS, "--vars")
    sink.dbt(*build, VARS[1])
    records = f"from pullstats_intermediate.{RECORDS} order by all"
    before = sink.query(records)
    days = "{restate_from: 2024-12-27, restate_to: 2024-12-28}"
    sink.dbt(*build, days)
    assert sink.query(records) == before
    sink.dbt("build", "--select", "+int_log_arrivals_hourly", *WITHOUT_TESTS)
    check = ("--warn-error", "test", "--select", "assert_restated_days_are_in_raw", "--vars")
    with pytest.raises(AssertionError, match="Got 1 result"):
        sink.dbt(*check, days)
    restored = "{audit_sink_dataset: sink, restate_from: 2024-12-28}"
    sink.dbt(*build, restored)
    assert sink.query(records) == before
    sink.dbt(*check, restored)


def test_entries_that_could_not_be_written_are_noticed(sink: Project) -> None:
    sink.dbt("test", "--select", "assert_no_export_errors", *VARS)
    with duckdb.connect(str(sink.database)) as connection:
        connection.execute("create table sink.export_errors_20241228 as select '{}' as logEntry")
    with pytest.raises(AssertionError, match="Got 1 result"):
        sink.dbt("--warn-error", "test", "--select", "assert_no_export_errors", *VARS)


def test_a_sink_that_falls_silent_is_not_fresh(sink: Project) -> None:
    freshness = ("source", "freshness", "--select", "source:audit_sink", *VARS)
    with duckdb.connect(str(sink.database)) as connection:
        connection.execute(
            "create table sink.cloudaudit_googleapis_com_data_access as"
            " from sink.cloudaudit_googleapis_com_data_access_20241228"
        )
    for hours in (100, 26, 1):
        with duckdb.connect(str(sink.database)) as connection:
            received = f"now() at time zone 'utc' - interval {hours} hour"
            connection.execute(
                "update sink.cloudaudit_googleapis_com_data_access"
                f" set timestamp = {received}, receiveTimestamp = {received}"
            )
        if hours == 1:
            sink.dbt(*freshness)
        else:
            with pytest.raises(AssertionError, match="cloudaudit_googleapis_com_data_access"):
                sink.dbt(*freshness)


def test_bigquery_understands_what_freshness_asks_the_sink() -> None:
    sources = ROOT / "models/staging/artifact_registry/_artifact_registry__sources.yml"
    (sink,) = (
        each
        for each in yaml.safe_load(sources.read_text(encoding="utf-8"))["sources"]
        if each["name"] == "audit_sink"
    )
    config = sink["config"]
    entries = table({"timestamp": "TIMESTAMP", "receiveTimestamp": "TIMESTAMP"}, [])
    GoogleSQL().analyze(
        f"select max({config['loaded_at_field']}), current_timestamp() from entries"
        f" where {config['freshness']['filter']}",
        {"entries": entries},
    )

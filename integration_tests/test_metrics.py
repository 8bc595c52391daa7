"""The metrics say what the marts say, asked through MetricFlow."""

import shutil
from collections.abc import Sequence

import pytest
from dbt.adapters.duckdb.connections import DuckDBConnectionManager
from dbt_metricflow.cli.cli_configuration import CLIConfiguration
from metricflow.engine.metricflow_engine import MetricFlowQueryRequest

from integration_tests.project import PROFILES, ROOT, Project, built_examples
from pullstats import csv_log

BYTE_HOURS = {"2024_05_30": (2400, 240), "2024_05_31": (4800, 480), "2024_06_01": (7200, 720)}


class Metrics:
    """MetricFlow over a project's database. Not the command `mf`: that asks for updates first."""

    def __init__(self, project: Project) -> None:
        self.project = project
        shutil.copy(ROOT / "dbt_project.yml", project.folder)
        self.configuration = CLIConfiguration()
        self.configuration.setup(PROFILES, project.folder, configure_file_logging=False)
        DuckDBConnectionManager.close_all_connections()

    def ask(self, metrics: Sequence[str], group_by: Sequence[str]) -> list[tuple[object, ...]]:
        request = MetricFlowQueryRequest.create(metric_names=metrics, group_by_names=group_by)
        sql = self.configuration.mf.explain(request).sql_statement.sql
        return self.project.query(f"select {', '.join([*group_by, *metrics])} from (\n{sql}\n)")


@pytest.fixture(scope="module")
def metrics(tmp_path_factory: pytest.TempPathFactory) -> Metrics:
    """The examples, with storage logs of two buckets, which the examples have none of."""
    project = built_examples(tmp_path_factory.mktemp("metrics"))
    logs = project.folder / "storage"
    logs.mkdir()
    for day, sizes in BYTE_HOURS.items():
        buckets = [[f"bucket-{place}", str(size)] for place, size in enumerate(sizes)]
        content = csv_log.write(buckets, list(csv_log.STORAGE_COLUMNS))
        (logs / f"log_storage_{day}_07_00_00_00ab_v0").write_bytes(content)
    project.load(logs.iterdir())
    project.dbt("run", "--select", "+fct_bucket_storage_daily")
    return Metrics(project)


def in_order(found: Sequence[tuple[object, ...]]) -> list[tuple[object, ...]]:
    return sorted(found, key=repr)


def test_pulls_and_their_kin_are_those_of_the_daily_mart(metrics: Metrics) -> None:
    dimensions = ["resource", "log_source", "host", "project", "image", "class", "tool"]
    asked = metrics.ask(
        ["pulls", "end_user_pulls", "clients", "served_bytes"],
        ["metric_time__day", *(f"pull__{name}" for name in dimensions)],
    )
    mart = metrics.project.query(
        "select pull_date::timestamp, resource_name, log_source, registry_host, project_id, image,"
        " traffic_class, client_tool, pulls, end_user_pulls, clients, served_bytes"
        " from pullstats.fct_image_pulls_daily"
    )
    assert len(mart) > 100
    assert in_order(asked) == in_order(mart)


def test_clients_of_a_month_are_counted_once(metrics: Metrics) -> None:
    mart = metrics.project.query(
        "select date_trunc('month', pull_date)::timestamp, count(distinct client_id)"
        " from pullstats.fct_image_pulls group by 1"
    )
    assert in_order(metrics.ask(["clients"], ["metric_time__month"])) == in_order(mart)


def test_blobs_written_are_those_of_the_mart_and_have_their_images(metrics: Metrics) -> None:
    asked = metrics.ask(["blob_writes"], ["metric_time__day", "blob__image", "blob_write__tool"])
    mart = metrics.project.query(
        "select written_date::timestamp, blobs.image, client_tool, count(*)"
        " from pullstats.fct_object_first_writes as writes left join pullstats.dim_blobs as blobs"
        " on writes.resource_name = blobs.bucket_name and writes.digest = blobs.digest"
        " where object_kind = 'blob' group by all"
    )
    written = {row[:3]: row[3] for row in asked if row[3]}
    assert len(mart) > 10
    assert written == {row[:3]: row[3] for row in mart}


def test_stored_bytes_of_a_day_are_the_buckets_together(metrics: Metrics) -> None:
    asked = metrics.ask(["stored_bytes"], ["metric_time__day"])
    assert [size for _, size in in_order(asked)] == [110, 220, 330]
    by_bucket = metrics.ask(["stored_bytes"], ["metric_time__day", "bucket_day__bucket"])
    mart = metrics.project.query(
        "select storage_date::timestamp, bucket_name, stored_bytes"
        " from pullstats.fct_bucket_storage_daily"
    )
    assert in_order(by_bucket) == in_order(mart)


def test_stored_bytes_of_a_month_are_those_of_its_last_day(metrics: Metrics) -> None:
    asked = metrics.ask(["stored_bytes"], ["metric_time__month"])
    assert [size for _, size in in_order(asked)] == [220, 330]

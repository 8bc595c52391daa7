"""pullstats as a package of another project, on DuckDB. On BigQuery: bigquery/test_package.py."""

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest
from dbt.adapters.duckdb.connections import DuckDBConnectionManager

from integration_tests.host import Host
from integration_tests.project import Project, example_logs


class HostOnDuckDB(Host):
    def __init__(self, folder: Path) -> None:
        self.raw = Project(folder)
        super().__init__(
            folder, {"type": "duckdb", "path": str(self.raw.database), "schema": "analytics"}
        )

    def dbt(self, *arguments: str) -> None:
        try:
            super().dbt(*arguments)
        finally:
            DuckDBConnectionManager.close_all_connections()

    def schemas(self) -> set[object]:
        with duckdb.connect(str(self.raw.database), read_only=True) as connection:
            found = connection.execute(
                "select distinct table_schema from information_schema.tables"
            )
            # the first is where tests fix the salt of the checkout's own project
            return {schema for (schema,) in found.fetchall()} - {"pullstats_private"}


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HostOnDuckDB]:
    host = HostOnDuckDB(tmp_path_factory.mktemp("package"))
    host.raw.load(example_logs())
    host.dbt("build", "--exclude-resource-type", "unit_test")
    yield host


def test_the_marts_are_those_of_the_checkout(host: HostOnDuckDB, examples: Project) -> None:
    daily = "select * from {}.fct_image_pulls_daily order by all"
    assert host.raw.query(daily.format("analytics_pullstats")) == examples.query(
        daily.format("pullstats")
    )


def test_schemas_are_those_that_the_host_chooses(host: HostOnDuckDB) -> None:
    layers = {
        f"analytics_pullstats{layer}" for layer in ("", "_seeds", "_staging", "_intermediate")
    }
    assert host.schemas() == {
        "storageanalysis",
        "analytics_private",
        "analytics_analytics",
        *layers,
    }
    build_log = "select count(*) > 0 from analytics_pullstats_intermediate.build_log"
    assert host.raw.query(build_log) == [(True,)]


def test_a_second_build_restates_nothing(host: HostOnDuckDB) -> None:
    restated = "select count(restated_date) from analytics_pullstats_intermediate.build_log"
    before = host.raw.query(restated)
    host.dbt("run")
    assert host.raw.query(restated) == before


def test_commands_for_the_hosts_own_models_leave_pullstats_alone(tmp_path: Path) -> None:
    host = HostOnDuckDB(tmp_path)
    host.dbt("build", "--select", "countries")
    assert host.schemas() == {"analytics_analytics"}

"""pullstats as a package of another project, on DuckDB. On BigQuery: bigquery/test_package.py."""

import re
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest
import yaml
from dbt.adapters.duckdb.connections import DuckDBConnectionManager
from dbt.contracts.graph.nodes import ManifestNode

from integration_tests.host import Host
from integration_tests.project import MARTS, ROOT, Project, example_logs

DOCUMENTED = (ROOT / "docs/package.md").read_text()


class HostOnDuckDB(Host):
    def __init__(self, folder: Path, settings: dict[str, object] | None = None) -> None:
        self.raw = Project(folder)
        output = {"type": "duckdb", "path": str(self.raw.database), "schema": "analytics"}
        super().__init__(folder, output, settings)

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


def parents(node: ManifestNode) -> set[str]:
    """Models of pullstats that a model of pullstats reads."""
    if node.resource_type != "model" or node.package_name != "pullstats":
        return set()
    return {parent.split(".")[-1] for parent in node.depends_on_nodes}


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HostOnDuckDB]:
    host = HostOnDuckDB(tmp_path_factory.mktemp("package"))
    host.dbt("build", "--select", "countries")
    host.schemas_of_own_models = host.schemas()
    host.raw.load(example_logs())
    assert "\ndbt build --select package:pullstats\n" in DOCUMENTED
    host.dbt("build", "--select", "package:pullstats")
    host.dbt("build", "--select", "requests_per_day", "countries", "dim_dates", "principals")
    yield host


def test_the_marts_are_those_of_the_checkout(host: HostOnDuckDB, examples: Project) -> None:
    daily = "select * from {}.fct_image_pulls_daily order by all"
    assert host.raw.query(daily.format("analytics_pullstats_pullstats")) == examples.query(
        daily.format("pullstats")
    )


def test_unit_tests_that_a_host_lacks_pass_in_the_checkout(
    host: HostOnDuckDB, examples: Project
) -> None:
    """All others have passed in the host's build."""
    ours, hosts = (set(each.manifest.unit_tests) for each in (examples, host))
    names = [name.split(".")[-1] for name in ours - hosts]
    assert 0 < len(names) < len(ours & hosts)
    examples.dbt("test", "--select", *names)


def test_models_and_seeds_of_the_same_names_are_the_hosts(host: HostOnDuckDB) -> None:
    ours = [node for node in host.manifest.nodes.values() if node.package_name == "pullstats"]
    foreign = {
        node.unique_id
        for node in ours
        for parent in node.depends_on_nodes
        if parent.startswith(("model.", "seed.")) and parent.split(".")[1] != "pullstats"
    }
    assert foreign == set()
    for name in ("dim_dates", "principals"):
        theirs = f"select distinct owner from analytics_analytics.{name}"
        assert host.raw.query(theirs) == [("theirs",)]


def test_schemas_are_those_that_the_host_chooses(host: HostOnDuckDB) -> None:
    layers = {
        f"analytics_pullstats_pullstats{layer}"
        for layer in ("", "_seeds", "_staging", "_intermediate")
    }
    assert host.schemas() == {
        "storageanalysis",
        "analytics_private",
        "analytics_analytics",
        *layers,
    }
    build_days = (
        "select count(*) > 0 from analytics_pullstats_pullstats_intermediate.int_build_days"
    )
    assert host.raw.query(build_days) == [(True,)]


def test_a_second_build_restates_nothing(host: HostOnDuckDB) -> None:
    restated = (
        "select count(restated_date) from analytics_pullstats_pullstats_intermediate.int_build_days"
    )
    before = host.raw.query(restated)
    host.dbt("run", "--select", "package:pullstats")
    assert host.raw.query(restated) == before


def test_commands_for_the_hosts_own_models_leave_pullstats_alone(host: HostOnDuckDB) -> None:
    assert host.schemas_of_own_models == {"analytics_analytics"}


def test_the_documented_marts_may_be_off(host: HostOnDuckDB, tmp_path: Path) -> None:
    documented = re.search(r"```yaml\n(models:.*?)```", DOCUMENTED, re.DOTALL)[1]
    off = set(re.findall(r"(?:dim|fct)_\w+", documented))
    manifest = HostOnDuckDB(tmp_path, yaml.safe_load(documented)).manifest
    on = {node.name for node in manifest.nodes.values() if node.package_name == "pullstats"}
    assert set(MARTS) - on == off
    read = {name for node in host.manifest.nodes.values() for name in parents(node)}
    assert set(MARTS) - read == off


def test_what_is_for_the_checkout_alone_stays_there(host: HostOnDuckDB) -> None:
    names = {node.name for node in host.manifest.nodes.values() if node.package_name == "pullstats"}
    assert not host.manifest.exposures
    assert not [name for name in names if name.startswith(("rpt_", "report_"))]
    assert "images_not_used" in names


def test_variables_of_the_host_pass_unless_they_look_like_ours(host: HostOnDuckDB) -> None:
    command = ["--warn-error", "run", "--select", "dim_dates", "countries", "--vars"]
    host.dbt(*command, "{fiscal_year: 2024}")
    with pytest.raises(AssertionError, match="Did you mean restate_from"):
        host.dbt(*command, "{restate_form: 2024-05-30}")

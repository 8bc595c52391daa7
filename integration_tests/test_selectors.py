"""The selectors of selectors.yml, and the configurations that others select and limit by."""

import os
import re
from collections.abc import Sequence

import pytest
from dbt.adapters.duckdb.connections import DuckDBConnectionManager
from dbt.cli.main import dbtRunner

from integration_tests.project import (
    PROFILES,
    ROOT,
    SHARED,
    WITHOUT_FILES,
    Project,
    one_process_at_a_time,
    parsed_once,
)


@pytest.fixture(scope="module")
def built(examples: Project) -> Project:
    """The examples; dbt writes no second manifest beside theirs."""
    Project.manifest = Project.manifest or parsed_once("local")
    os.environ["PULLSTATS_DUCKDB"] = str(examples.database)
    return examples


def listed(project: Project, *options: str) -> set[str]:
    places = ["--project-dir", str(ROOT), "--profiles-dir", str(PROFILES), "--quiet"]
    places += ["--target-path", str(SHARED / "local"), *WITHOUT_FILES]
    try:
        # the tests' own runner alters configurations, which a state is compared by
        with one_process_at_a_time("dbt"):
            result = dbtRunner().invoke(["ls", *options, *places])
    finally:
        DuckDBConnectionManager.close_all_connections()
    assert result.success, result.exception
    return set(result.result)


def names(found: Sequence[str]) -> set[str]:
    return {each.split(".")[-1] for each in found}


def test_a_schedule_builds_all_but_unit_tests(built: Project) -> None:
    everything = listed(built, "--resource-type", "seed", "model", "test", "unit_test")
    left_out = everything - listed(built, "--selector", "hourly")
    assert left_out == listed(built, "--resource-type", "unit_test")
    assert len(left_out) > 100


def test_a_pull_request_that_changes_nothing_builds_nothing(built: Project) -> None:
    state = ("--state", str(built.folder / "target"))
    assert listed(built, "--selector", "ci", *state) == set()


@pytest.mark.parametrize(
    ("selector", "own", "other"),
    [
        ("bucket_logs", "int_gcs_requests", "int_artifact_registry_requests"),
        ("audit_logs", "int_artifact_registry_requests", "int_gcs_requests"),
    ],
)
def test_one_source_leaves_the_other_out(
    built: Project, selector: str, own: str, other: str
) -> None:
    selected = names(listed(built, "--selector", selector, "--resource-type", "model"))
    assert {own, "int_registry_requests", "fct_image_pulls"} <= selected
    assert other not in selected


def test_all_that_is_built_has_the_tag_and_the_label(built: Project) -> None:
    tagged = listed(built, "--select", "tag:pullstats", "--resource-type", "model", "seed")
    assert tagged == listed(built, "--resource-type", "model", "seed")
    labels = [
        node.config.extra.get("labels")
        for node in Project.manifest.nodes.values()
        if node.resource_type in ("model", "seed")
    ]
    assert all(each == {"application": "pullstats"} for each in labels)


def test_event_times_are_columns_of_the_marts(built: Project) -> None:
    timed = {
        node.name: node.config.event_time
        for node in Project.manifest.nodes.values()
        if getattr(node.config, "event_time", None)
    }
    assert len(timed) == 6
    for mart, column in timed.items():
        missing = f"select count(*) from pullstats.{mart} where {column} is null"
        assert built.query(missing) == [(0,)]


def test_past_days_get_their_prices_by_the_command_of_the_page(built: Project) -> None:
    page = (ROOT / "docs/networks.md").read_text()
    (selected,) = re.findall(r"--select (egress_prices .+) --exclude", page)
    priced = {
        node.name
        for node in Project.manifest.nodes.values()
        if node.resource_type == "model" and "egress_cost_nanos" in node.columns
    }
    assert len(priced) == 2
    assert priced < names(listed(built, "--select", *selected.split()))

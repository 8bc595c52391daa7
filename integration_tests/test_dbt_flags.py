"""What dbt's flags and other commands make of the list of days."""

import os
import shutil
from pathlib import Path
from unittest.mock import patch

import duckdb
import pytest
from dbt.adapters.duckdb.connections import DuckDBConnectionManager
from dbt.contracts.files import FileHash

from integration_tests.project import (
    PROFILES,
    ROOT,
    WITHOUT_FILES,
    Project,
    copied,
    example_logs,
    parsed,
    runner,
)
from integration_tests.quick_dbt import silenced
from integration_tests.test_whole_days import statements

DAYS = "pullstats_intermediate.int_build_days"
WITHOUT_TESTS = ("--exclude-resource-type", "test", "unit_test")
# a schema has a salt of its own, and so client ids
PULLS = (
    "select image, image_id, client_tool, served_bytes, pull_date"
    " from {}.fct_image_pulls order by all"
)


def finished(project: Project) -> list[tuple[object, ...]]:
    return project.query(f"from {DAYS} where finished_at is not null order by all")


def test_parts_that_are_built_change_nothing_that_was_right(
    landed: Project, examples: Project
) -> None:
    before, expected = finished(landed), examples.marts()
    # facts that have changed are not lost when a build stops behind them
    landed.dbt("run", "--select", "+int_blobs")
    for _ in range(2):
        landed.dbt("build", *WITHOUT_TESTS, "--select", "+fct_image_pulls", "+dim_projects")
    landed.dbt("build", "--select", "dim_clients+", "--exclude-resource-type", "unit_test")
    parts = ("fct_image_pulls_daily+", "fct_image_builds_monthly+", "+dim_images")
    landed.dbt("run", "--select", *parts)
    found = landed.marts()
    for mart in ("fct_image_pulls", "fct_image_pulls_daily", "dim_images"):
        assert found[mart] == expected[mart]
    assert finished(landed) == before
    landed.run()
    assert landed.marts() == expected


def test_less_than_there_is_replaces_no_day(landed: Project, examples: Project) -> None:
    before, kept = finished(landed), landed.marts()
    incremental = ("fct_image_pulls", "fct_image_pulls_daily", "fct_registry_requests_daily")
    tests = ("--exclude-resource-type", "unit_test")
    # an empty run passes its tests
    for command in (("build", "--empty", *tests), ("run", "--sample", "1 day")):
        landed.dbt(*command, "--vars", "{restate_from: 2024-05-30}")
        assert finished(landed) == before
        found = landed.marts()
        for mart in (*incremental, "fct_image_builds_monthly", "dim_clients"):
            assert found[mart] == kept[mart], (command, mart)
    landed.run()
    assert landed.marts() == examples.marts()


def test_an_empty_first_build_does_not_hinder_the_next(project: Project, examples: Project) -> None:
    project.load(example_logs())
    project.dbt("seed")
    project.dbt("run", "--empty")
    project.run()
    assert project.marts() == examples.marts()


def test_what_restates_no_day_asks_for_none(built: Project) -> None:
    sent: list[str] = []
    with statements(before=sent.append):
        built.dbt("seed", "--select", "client_tools")
        built.dbt("test", "--select", "fct_image_pulls")
        built.dbt("run", "--select", "dim_dates")
    assert sent
    assert not [
        sql for sql in sent if "int_build_days" in sql or ("create" in sql and "salt" in sql)
    ]


def test_all_data_tests_pass_for_an_account_that_may_only_read(built: Project) -> None:
    sent: list[str] = []
    with statements(before=sent.append):
        built.dbt("test", "--exclude", "test_type:unit")
    writes = ("create", "insert", "update", "delete", "drop", "alter")
    plain = [sql.split("*/")[-1].strip().lower() for sql in sent]
    assert plain
    assert not [sql for sql in plain if sql.startswith(writes)]


def test_a_failed_build_is_retried_and_the_next_one_does_the_rest(
    landed: Project, examples: Project
) -> None:
    before = finished(landed)

    def fail(sql: str) -> None:
        if '"model.pullstats.fct_image_pulls"' in sql:
            raise RuntimeError("killed")

    with statements(before=fail), pytest.raises(AssertionError):
        landed.run(is_logged=True)
    assert finished(landed) == before
    landed.dbt("retry", is_logged=True)
    assert landed.marts() == examples.marts()
    # a retry builds a part
    assert finished(landed) == before
    landed.run()
    assert landed.marts() == examples.marts()
    assert len(finished(landed)) > len(before)


class Developer:
    """Someone with a schema of their own beside production's, whose artifacts are at hand."""

    def __init__(self, production: Project, folder: Path) -> None:
        self.production = production
        profile = (PROFILES / "profiles.yml").read_text()
        mine = profile.replace("schema: pullstats", "schema: dev")
        (folder / "profiles.yml").write_text(mine)
        self.options = [
            *("--project-dir", str(ROOT), "--profiles-dir", str(folder)),
            *("--target-path", str(folder / "target"), "--log-path", str(folder)),
            *("--log-level", "none", *WITHOUT_FILES),
        ]
        self.manifest = parsed(self.options)

    def dbt(self, *arguments: str) -> None:
        # artifacts name the database by its file, which is alike for all projects
        state = ("--state", str(self.production.folder / "target"))
        try:
            with patch.dict(os.environ, {"PULLSTATS_DUCKDB": str(self.production.database)}):
                command = [*arguments, *self.options, *state]
                with silenced():
                    assert runner(self.manifest).invoke(command).success
        finally:
            DuckDBConnectionManager.close_all_connections()


@pytest.fixture(scope="module")
def beside(examples: Project, tmp_path_factory: pytest.TempPathFactory) -> Developer:
    production = copied(examples, tmp_path_factory.mktemp("production"))
    shutil.copytree(examples.folder / "target", production.folder / "target")
    return Developer(production, tmp_path_factory.mktemp("developer"))


@pytest.fixture
def developer(beside: Developer) -> Developer:
    """A developer who has built nothing yet."""
    schemas = "select schema_name from duckdb_schemas() where schema_name like 'dev%'"
    for (schema,) in beside.production.query(schemas):
        with duckdb.connect(str(beside.production.database)) as connection:
            connection.execute(f"drop schema {schema} cascade")
    return beside


def test_a_part_can_be_deferred_to_production_again_and_again(developer: Developer) -> None:
    part = ("run", "--select", "fct_image_pulls_daily", "--defer")
    built = "from {}.fct_image_pulls_daily order by all"
    expected = developer.production.query(built.format("pullstats"))
    # the second one restates the days of production's newest run
    for _ in range(2):
        developer.dbt(*part)
        assert developer.production.query(built.format("dev")) == expected


def test_a_clone_can_be_built_on(developer: Developer) -> None:
    developer.dbt("clone")
    for _ in range(2):
        developer.dbt("run")
    production = developer.production
    assert production.query(PULLS.format("dev")) == production.query(PULLS.format("pullstats"))
    unfinished = "select count(*) from dev_intermediate.int_build_days where finished_at is null"
    assert production.query(unfinished) == [(0,)]


def test_what_is_changed_can_be_built_beside_production(developer: Developer) -> None:
    model = developer.manifest.nodes["model.pullstats.int_gcs_request_records"]
    changed = ("build", *WITHOUT_TESTS, "--select", "state:modified+", "--defer")
    with patch.object(model, "checksum", FileHash.from_contents("changed")):
        for _ in range(2):
            developer.dbt(*changed)
    production = developer.production
    assert production.query(PULLS.format("dev")) == production.query(PULLS.format("pullstats"))


def test_without_a_finished_run_all_days_are_restated(landed: Project, examples: Project) -> None:
    """As after a first run that was killed, or when the list is lost."""
    with duckdb.connect(str(landed.database)) as connection:
        connection.execute(f"delete from {DAYS}")
    landed.run()
    assert landed.marts() == examples.marts()


def test_a_failing_test_does_not_keep_a_run_from_finishing(built: Project) -> None:
    """Its days would be restated again and again, until what the test found is corrected."""
    before = {run for run, *_ in finished(built)}
    mart = "pullstats.fct_failed_requests_daily"
    with duckdb.connect(str(built.database)) as connection:
        connection.execute(f"insert into {mart} from {mart} limit 1")
    with pytest.raises(AssertionError, match="unique_combination_fct_failed_requests_daily"):
        built.dbt("build", "--exclude", "resource_type:seed", "test_type:unit")
    assert len({run for run, *_ in finished(built)} - before) == 1

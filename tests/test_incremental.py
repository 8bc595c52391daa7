"""Whatever the order and batching in which logs arrive, the marts are those of one clean build."""

from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from tests.conftest import Project, example_logs, shuffled


def in_order(logs: list[Path]) -> list[list[Path]]:
    return [logs[start : start + 30] for start in range(0, len(logs), 30)]


def backwards(logs: list[Path]) -> list[list[Path]]:
    return [logs[::-1][start : start + 60] for start in range(0, len(logs), 60)]


def mixed(logs: list[Path]) -> list[list[Path]]:
    logs = shuffled(logs, 7)
    return [logs[:1], logs[1:3], logs[3:90], logs[90:91], logs[91:160], logs[160:]]


def every_second_first(logs: list[Path]) -> list[list[Path]]:
    return [logs[::2], logs[1::2]]


@pytest.mark.parametrize("arrivals", [in_order, backwards, mixed, every_second_first])
def test_marts_do_not_depend_on_arrival(
    arrivals: Callable[[list[Path]], list[list[Path]]], project: Project, examples: Project
) -> None:
    for batch in arrivals(example_logs()):
        project.load(batch)
        project.run()
    expected = examples.marts()
    for mart, rows in project.marts().items():
        assert rows == expected[mart], mart


def test_building_again_changes_nothing(project: Project, examples: Project) -> None:
    project.load(example_logs())
    project.run()
    project.run()
    assert project.marts() == examples.marts()
    project.dbt("build")


def test_restating_days_by_hand_changes_nothing_that_was_right(
    project: Project, examples: Project
) -> None:
    logs = example_logs()
    project.load(logs[:150])
    project.run()
    project.load(logs[150:])
    days = '{"restate_from": "2024-05-29", "restate_to": "2024-05-31"}'
    project.dbt("build", "--exclude-resource-type", "test", "unit_test", "--vars", days)
    project.run()
    assert project.marts() == examples.marts()


def test_a_changed_rule_reaches_restated_days_only(project: Project, tmp_path: Path) -> None:
    project.load(example_logs())
    project.run()
    before = project.query(
        "select event_date, count(*) from pullstats_intermediate.int_requests"
        " where client_tool = 'docker' group by 1 order by 1"
    )
    table = f"{project.database.stem}.pullstats_seeds.user_agents"
    with duckdb.connect(str(project.database)) as connection:
        connection.execute(f"update {table} set tool = 'moby' where tool = 'docker'")
    day = '{"restate_from": "2024-05-30"}'
    project.dbt("run", "--vars", day)
    renamed = project.query(
        "select event_date, count(*) from pullstats_intermediate.int_requests"
        " where client_tool = 'moby' group by 1 order by 1"
    )
    assert renamed == [row for row in before if f"{row[0]}" == "2024-05-30"]
    project.dbt("test", "--select", "test_type:data", "--exclude", "client_tools", "user_agents")


def test_a_first_build_on_nothing_does_not_hinder_the_next(
    project: Project, examples: Project
) -> None:
    project.load([])
    project.run()
    project.load(example_logs())
    project.run()
    assert project.marts() == examples.marts()


def test_changed_facts_are_not_lost_when_a_build_stops_behind_them(
    project: Project, examples: Project
) -> None:
    logs = example_logs()
    project.load(logs[::2])
    project.run()
    project.load(logs[1::2])
    project.dbt("run", "--select", "+int_blobs")
    # as if killed before the hook, which on BigQuery is a job of its own
    with duckdb.connect(str(project.database)) as connection:
        connection.execute(
            "delete from pullstats_intermediate.build_log where model_name = 'int_blobs'"
            " and read_at > (select min(read_at) from pullstats_intermediate.build_log"
            " where model_name = 'int_blobs')"
        )
    project.run()
    assert project.marts() == examples.marts()

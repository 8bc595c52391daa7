"""A row in a table keeps two builds on BigQuery from writing at the same time, until it expires."""

from collections.abc import Iterator

import pytest

from integration_tests.bigquery.projects import BigQueryProject
from integration_tests.bigquery.rest import Api, serve
from integration_tests.emulators import PROJECT

LOCKS = f"{PROJECT}.pullstats_intermediate.build_locks"
DATES = f"{PROJECT}.pullstats.dim_dates"
QUOTED = ".".join(f"`{name}`" for name in LOCKS.split("."))


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[BigQueryProject, Api]]:
    """A project in which one small model has been built."""
    with serve() as (address, api):
        project = BigQueryProject(tmp_path_factory.mktemp("build_lock"), address)
        project.dbt("run", "--select", "dim_dates")
        yield project, api


@pytest.fixture(autouse=True)
def unlocked(built: tuple[BigQueryProject, Api]) -> None:
    _, api = built
    api.warehouse.run(f"delete from {QUOTED} where true")


def holders(api: Api) -> list[str]:
    return [row[0] for row in api.warehouse.table(LOCKS).values()]


def begin_another(api: Api, minutes_ago: int) -> None:
    api.warehouse.run(
        f"insert into {QUOTED} (invocation_id, acquired_at, expires_at) values ('other',"
        f" timestamp_sub(current_timestamp(), interval {minutes_ago} minute),"
        f" timestamp_add(current_timestamp(), interval {50 - minutes_ago} minute))"
    )


def test_a_build_that_has_ended_lets_the_next_begin(built: tuple[BigQueryProject, Api]) -> None:
    project, api = built
    assert holders(api) == []
    project.dbt("run", "--select", "dim_dates")
    assert holders(api) == []


def test_a_second_build_fails_and_changes_nothing(built: tuple[BigQueryProject, Api]) -> None:
    project, api = built
    begin_another(api, minutes_ago=49)
    before, start = api.warehouse.table(DATES), len(api.sent)
    with pytest.raises(AssertionError, match=r"another build has been running since 20"):
        project.dbt("run", "--select", "dim_dates")
    assert not [sent.node for sent in api.sent[start:] if sent.node.startswith("model.")]
    assert api.warehouse.table(DATES) is before
    assert holders(api) == ["other"]


def test_the_lock_of_a_killed_build_expires(built: tuple[BigQueryProject, Api]) -> None:
    project, api = built
    begin_another(api, minutes_ago=51)
    project.dbt("run", "--select", "dim_dates")
    assert holders(api) == []


def test_a_long_build_renews_its_lock(built: tuple[BigQueryProject, Api]) -> None:
    project, api = built
    start = len(api.sent)
    # half of no time is over at once
    with pytest.raises(AssertionError):
        project.dbt("run", "--select", "int_images", "--vars", "{build_lock_minutes: 0}")
    taken = [sent for sent in api.sent[start:] if "insert into" in sent.sql]
    assert [sent.node for sent in taken] == ["", "model.pullstats.int_images"]
    assert holders(api) == []


def test_what_only_reads_needs_no_lock(built: tuple[BigQueryProject, Api]) -> None:
    project, api = built
    begin_another(api, minutes_ago=1)
    project.dbt("test", "--select", "dim_dates")
    assert holders(api) == ["other"]

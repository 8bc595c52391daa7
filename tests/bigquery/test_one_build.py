"""Nothing but a row in a table keeps two builds on BigQuery from writing at once."""

from collections.abc import Iterator

import pytest

from tests.bigquery.conftest import BigQueryProject
from tests.bigquery.rest import Api, serve
from tests.emulators import PROJECT

RUNNING = f"{PROJECT}.pullstats_intermediate.running_builds"
DAYS = f"{PROJECT}.pullstats.dim_dates"


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[BigQueryProject, Api]]:
    """A project in which one small model has been built."""
    with serve() as (address, api):
        project = BigQueryProject(tmp_path_factory.mktemp("one_build"), address)
        project.dbt("run", "--select", "dim_dates")
        yield project, api


def running(api: Api) -> list[str]:
    return [row[0] for row in api.warehouse.table(RUNNING).values()]


def begin_another(api: Api) -> None:
    quoted = ".".join(f"`{name}`" for name in RUNNING.split("."))
    api.warehouse.run(
        f"insert into {quoted} (invocation_id, started_at)"
        " values ('other', timestamp '2024-07-04 05:06:07')"
    )


def test_a_build_that_has_ended_lets_the_next_begin(built: tuple[BigQueryProject, Api]) -> None:
    project, api = built
    assert running(api) == []
    project.dbt("run", "--select", "dim_dates")
    assert running(api) == []


def test_a_build_at_once_names_the_other_and_changes_nothing(
    built: tuple[BigQueryProject, Api],
) -> None:
    project, api = built
    begin_another(api)
    before, start = api.warehouse.table(DAYS), len(api.sent)
    with pytest.raises(AssertionError, match=r"since 2024-07-04 05:06:07.*killed_build: other"):
        project.dbt("run", "--select", "dim_dates")
    assert not [sent.node for sent in api.sent[start:] if sent.node.startswith("model.")]
    assert api.warehouse.table(DAYS) is before
    assert running(api) == ["other"]


def test_whoever_says_that_the_other_was_killed_builds(built: tuple[BigQueryProject, Api]) -> None:
    project, api = built
    project.dbt("run", "--select", "dim_dates", "--vars", "{killed_build: other}")
    assert running(api) == []


def test_what_only_reads_needs_no_turn(built: tuple[BigQueryProject, Api]) -> None:
    project, api = built
    begin_another(api)
    project.dbt("test", "--select", "dim_dates")
    assert running(api) == ["other"]

"""A run is refused while another is going on, unless they are one build or a variable allows it."""

from collections.abc import Iterator

import pytest

from integration_tests.bigquery.conftest import EARLY, recorded
from integration_tests.bigquery.projects import BigQueryProject
from integration_tests.bigquery.rest import Api, serve
from integration_tests.bigquery.test_incremental import INTERMEDIATE, WITHOUT_TESTS, land
from integration_tests.project import example_logs

DAYS = f"{INTERMEDIATE}.int_build_days"
MODEL = "int_gcs_request_records"
RUN = ("run", "--select", MODEL, "int_build_days")


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[BigQueryProject, Api]]:
    """A project in which one model that restates days has been built."""
    with serve() as (address, api):
        project = BigQueryProject(tmp_path_factory.mktemp("parallel_runs"), address)
        land(api, recorded(EARLY, example_logs()[:1]))
        first = ("--vars", "{build_id: first}")
        project.dbt("build", *WITHOUT_TESTS, "--select", f"+{MODEL}", *first)
        project.dbt("run-operation", "finish_build", *first)
        yield project, api


@pytest.fixture(autouse=True)
def alone(built: tuple[BigQueryProject, Api]) -> None:
    _, api = built
    api.warehouse.run(f"delete from `{DAYS}` where run_id != 'first'")


def runs(api: Api) -> set[tuple[str, bool]]:
    """Other runs that have not been stopped, and whether they are finished."""
    rows = api.warehouse.table(DAYS).values()
    return {
        (run, finished is not None)
        for run, *_, finished, stopped in rows
        if run != "first" and stopped is None
    }


def begin_another(api: Api, minutes_ago: int) -> None:
    api.warehouse.run(
        f"insert into `{DAYS}` (run_id, log_source, loaded_after, started_at) values ('other',"
        " 'gcs_usage', timestamp '2024-07-03',"
        f" timestamp_sub(current_timestamp(), interval {minutes_ago} minute))"
    )


def test_a_run_that_has_ended_lets_the_next_begin(built: tuple[BigQueryProject, Api]) -> None:
    project, api = built
    for _ in range(2):
        project.dbt(*RUN)
        assert runs(api) == set()


def test_a_second_run_fails_and_changes_nothing(built: tuple[BigQueryProject, Api]) -> None:
    project, api = built
    begin_another(api, minutes_ago=49)
    path = f"{INTERMEDIATE}.{MODEL}"
    before, start = api.warehouse.table(path), len(api.sent)
    with pytest.raises(AssertionError, match=r"another run has been building since 20"):
        project.dbt(*RUN)
    assert f"model.pullstats.{MODEL}" not in {sent.node for sent in api.sent[start:]}
    assert api.warehouse.table(path) is before
    assert runs(api) == {("other", False)}


def test_a_killed_run_keeps_others_out_for_a_while(built: tuple[BigQueryProject, Api]) -> None:
    project, api = built
    begin_another(api, minutes_ago=51)
    project.dbt(*RUN)
    assert runs(api) == {("other", False)}


def test_runs_at_the_same_time_can_be_allowed(built: tuple[BigQueryProject, Api]) -> None:
    project, api = built
    begin_another(api, minutes_ago=1)
    project.dbt(*RUN, "--vars", "{allow_parallel_builds: true}")
    project.dbt(*RUN, "--vars", "{build_id: other}")
    assert runs(api) == {("other", False)}


def test_processes_of_one_build_share_its_list_and_finish_once(
    built: tuple[BigQueryProject, Api],
) -> None:
    project, api = built
    same = ("--vars", "{build_id: hourly}")
    project.dbt("run", "--select", "int_build_days", *same)
    listed = api.warehouse.table(DAYS)
    project.dbt("run", "--select", MODEL, *same)
    assert api.warehouse.table(DAYS) is listed
    assert runs(api) == {("hourly", False)}
    project.dbt("run-operation", "finish_build", *same)
    assert runs(api) == {("hourly", True)}


def test_of_runs_that_overlap_none_counts(built: tuple[BigQueryProject, Api]) -> None:
    """What either restates may lack the rows of the other."""
    project, api = built
    same = ("--vars", "{build_id: long}")
    project.dbt(*RUN, *same)
    begin_another(api, minutes_ago=-1)
    project.dbt("run-operation", "finish_build", *same)
    assert runs(api) == set()


def test_what_only_reads_begins_no_run(built: tuple[BigQueryProject, Api]) -> None:
    project, api = built
    begin_another(api, minutes_ago=1)
    project.dbt("test", "--select", f"not_null_{MODEL}_client_id")
    assert runs(api) == {("other", False)}

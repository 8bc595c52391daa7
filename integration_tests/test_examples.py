"""The examples' marts against their truth, and the questions that people ask."""

from collections.abc import Callable
from pathlib import Path

import pytest

from integration_tests import accuracy
from integration_tests.project import Project
from integration_tests.stories import STORIES, Outcome, outcomes


@pytest.fixture(scope="module")
def measured(examples: Project) -> accuracy.Accuracy:
    return accuracy.measure(examples.query)


def test_pulls_per_image_and_day_match_the_truth(
    measured: accuracy.Accuracy, record_property: Callable[[str, object], None]
) -> None:
    truth, _, over, under = measured.overall.row
    figure = f"{over + under} of {truth} observable pulls"
    record_property("summed error over image and day", figure)
    assert over + under <= 0.03 * truth, f"{over} too many, {under} too few"


def test_image_ids_are_the_config_digests_or_unknown(measured: accuracy.Accuracy) -> None:
    assert measured.image_ids["wrong"] == 0
    assert measured.image_ids["right"] >= 0.95 * measured.image_ids.total()


def test_each_push_is_one_push_of_its_image_or_of_an_unknown_one(examples: Project) -> None:
    pushes = examples.query(
        "select image, blobs, written_bytes from pullstats.fct_image_pushes order by started_at"
    )
    truth = [
        (each["target"].rsplit(":", 1)[0], int(each["blobs_written"]), int(each["bytes_written"]))
        for each in accuracy.read_truth("truth_pushes.csv")
        if each["blobs_written"] != "0"
    ]
    assert [push[1:] for push in pushes] == [push[1:] for push in truth]
    pairs = [(push[0], true[0]) for push, true in zip(pushes, truth, strict=True)]
    assert not [pair for pair in pairs if pair[0] not in (None, pair[1])]
    assert sum(image is not None for image, _ in pairs) >= 0.75 * len(pairs)


def test_every_request_has_the_tool_version_and_class_of_its_agent(
    measured: accuracy.Accuracy,
) -> None:
    assert measured.agents == {"right": measured.requests, "wrong": 0}


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> accuracy.Accuracy:
    project = Project(tmp_path_factory.mktemp("programs"))
    project.load(accuracy.program_logs())
    project.run()
    return accuracy.measure(project.query, accuracy.PROGRAMS)


def test_pulls_of_more_programs_match_the_truth(programs: accuracy.Accuracy) -> None:
    truth, _, over, under = programs.overall.row
    assert over + under <= 0.03 * truth, f"{over} too many, {under} too few"
    assert programs.image_ids["wrong"] == 0


def test_few_pulls_are_ambiguous(measured: accuracy.Accuracy, programs: accuracy.Accuracy) -> None:
    for result in (measured, programs):
        assert result.confidence["ambiguous"] <= 0.05 * result.confidence.total()


@pytest.fixture(scope="module")
def stories(tmp_path_factory: pytest.TempPathFactory) -> list[Outcome]:
    """Traffic as it is in the wild, in short logs."""
    return outcomes(tmp_path_factory.mktemp("stories"))


@pytest.mark.parametrize("name", [story.name for story in STORIES])
def test_a_story_is_counted_as_it_happened(name: str, stories: list[Outcome]) -> None:
    (story,) = [each for each in stories if each.name == name]
    assert story.found == story.expected


def test_the_documented_figures_are_those_measured(
    measured: accuracy.Accuracy, programs: accuracy.Accuracy, stories: list[Outcome]
) -> None:
    found = accuracy.report(measured, programs, stories)
    assert accuracy.documented() == found, "run make accuracy"


@pytest.fixture(scope="module")
def compiled(examples: Project) -> Path:
    asked = '{"unused_days": 1, "client_tool": "docker", "client_version": "20"}'
    selected = ("--select", "resource_type:analysis", "resource_type:model")
    examples.dbt("compile", *selected, "--vars", asked)
    return examples.folder / "target/compiled/pullstats/analyses"


def test_an_old_client_of_a_host_is_found(compiled: Path, examples: Project) -> None:
    sql = (compiled / "who_pulls_from_a_host.sql").read_text()
    (found,) = examples.query(sql)
    assert found[:5] == (
        *("eu.gcr.io/globex-eu/shop", "203.0.113.0/24", "docker", "20.10.24+dfsg1"),
        2,
    )


def test_images_unused_for_long_are_those_last_pulled_before(
    compiled: Path, examples: Project
) -> None:
    found = examples.query((compiled / "images_not_used.sql").read_text())
    unused = examples.query(
        "with logs as (select cs_bucket, max(make_timestamp(time_micros)::date) as end_date"
        " from storageanalysis.usage group by cs_bucket),"
        " uses as (select image, started_at as used_at from pullstats.fct_image_pulls"
        " union all select image, ended_at from pullstats.fct_image_pushes),"
        " ends as (select registry_host, project_id, max(end_date) as end_date"
        " from pullstats.fct_image_pulls join logs on resource_name = cs_bucket group by all)"
        " select image, date_diff('day', max(used_at)::date, any_value(end_date)) as days"
        " from uses join pullstats.dim_images using (image)"
        " join ends using (registry_host, project_id) group by image having days >= 1"
    )
    assert 0 < len(unused) < len(examples.marts()["dim_images"])
    assert {(image, days) for image, days, *_ in found} == set(unused)


def test_bytes_of_an_image_and_month_are_those_of_its_days(
    compiled: Path, examples: Project
) -> None:
    found = examples.query((compiled / "bytes_per_image_per_month.sql").read_text())
    daily = examples.query(
        "select date_trunc('month', pull_date)::date, image, sum(served_bytes), sum(pulls)"
        " from pullstats.fct_image_pulls_daily group by 1, 2"
    )
    assert sorted((row[:4] for row in found), key=repr) == sorted(daily, key=repr)

"""The recording of Artifact Registry's audit log against its truth."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from integration_tests import accuracy_artifact_registry as accuracy
from integration_tests.bigquery.audit_inputs import entry
from integration_tests.project import Project


@pytest.fixture(scope="module")
def measured(
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[accuracy.Accuracy, accuracy.Accuracy]:
    folder = tmp_path_factory.mktemp("recording")
    return accuracy.both(accuracy.unpack(folder), folder)


def test_pulls_per_image_and_day_match_the_truth(
    measured: tuple[accuracy.Accuracy, accuracy.Accuracy],
    record_property: Callable[[str, object], None],
) -> None:
    for each, limit in zip(measured, (0.02, 0.05), strict=True):
        truth, _, over, under = each.overall.row
        record_property("summed error over image and day", f"{over + under} of {truth} pulls")
        assert over + under <= limit * truth, f"{over} too many, {under} too few"


def test_tags_and_digests_are_right_or_unknown(
    measured: tuple[accuracy.Accuracy, accuracy.Accuracy],
) -> None:
    for each in measured:
        assert each.tags["wrong"] == each.digests["wrong"] == each.image_ids["wrong"] == 0
        assert each.tags["right"] >= 0.99 * each.tags.total()
    assert measured[0].image_ids["right"] >= 0.8 * measured[0].image_ids.total()


def test_checks_pushes_and_callers_are_exact(
    measured: tuple[accuracy.Accuracy, accuracy.Accuracy],
) -> None:
    for each in measured:
        assert each.checks.counted == each.checks.truth
        assert each.pushes["wrong"] == each.pushes["missing"] == each.callers["wrong"] == 0


def test_the_documented_figures_are_those_measured(
    measured: tuple[accuracy.Accuracy, accuracy.Accuracy],
) -> None:
    assert accuracy.documented() == accuracy.report(*measured), "run make accuracy"


def test_text_that_begins_like_json_stays_text(project: Project, tmp_path: Path) -> None:
    agents: list[object] = ["[bot] x/1", "{bot} x/1", "[", {"docker": 1}, ["docker"]]
    folder = tmp_path / "logs/cloudaudit.googleapis.com/data_access/2026/06/01"
    folder.mkdir(parents=True)
    log = folder / "12:00:00_12:59:59_S0.json"
    log.write_text(
        "".join(
            json.dumps(entry(at, at, requestMetadata={"callerSuppliedUserAgent": agent})) + "\n"
            for at, agent in enumerate(agents)
        )
    )
    project.load([log])
    project.dbt("run", "--select", "stg_artifact_registry__audit_logs")
    assert project.query(
        "select user_agent from pullstats_staging.stg_artifact_registry__audit_logs"
        " order by started_micros"
    ) == [("[bot] x/1",), ("{bot} x/1",), ("[",), (None,), (None,)]

"""kill -9 of loads and builds at random moments: a plain re-run gives a clean build's marts."""

import random
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from integration_tests.accuracy_artifact_registry import unpack
from integration_tests.kill_loop import killed_after
from integration_tests.project import Project, example_logs
from pullstats import cli


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """The examples' bucket logs, and the recording's audit logs."""
    folder = unpack(tmp_path_factory.mktemp("recorded")).logs
    return example_logs() + sorted(folder.rglob("*.json"))


@pytest.fixture
def clean(tmp_path: Path) -> Project:
    """A database beside the project's, for what nothing is killed in."""
    folder = tmp_path / "clean"
    folder.mkdir()
    return Project(folder)


def landed(project: Project) -> list[list[tuple[object, ...]]]:
    raw = "storageanalysis"
    return [
        project.query(f"select * exclude (_partitiontime) from {raw}.usage order by all"),
        project.query(f"select * exclude (_partitiontime) from {raw}.audit_logs order by all"),
        project.query(f"select object_uri, row_count from {raw}.loaded_objects order by 1"),
    ]


def test_killed_loads_land_everything_once(
    project: Project,
    clean: Project,
    logs: list[Path],
    times: tuple[int, int],
    record_property: Callable[[str, object], None],
) -> None:
    chance = random.Random(20)

    def load(into: Project) -> None:
        options = ["--database", str(into.database)]
        assert cli.main(["load", *options, *(str(path) for path in logs)]) == 0

    begin = time.monotonic()
    load(clean)
    longest = time.monotonic() - begin
    kills = 0
    while kills < times[0]:
        if killed_after(chance.uniform(0, longest), lambda: load(project)):
            kills += 1
        else:
            # all had landed: begin again with nothing
            project.database.unlink()
    load(project)
    record_property("loads killed", kills)
    assert landed(project) == landed(clean)
    lines = [line for path in logs if path.suffix for line in path.read_text().splitlines()]
    assert len(landed(project)[1]) == len(lines)


def test_killed_builds_give_the_marts_of_a_clean_one(
    project: Project,
    clean: Project,
    logs: list[Path],
    times: tuple[int, int],
    record_property: Callable[[str, object], None],
) -> None:
    chance = random.Random(10)
    parts = times[1] + 1
    kills = 0
    for part in range(parts):
        project.load(logs[part::parts])
        if part == 0:
            project.dbt("parse")
            begin = time.monotonic()
            project.run()
            longest = time.monotonic() - begin
        elif killed_after(chance.uniform(0, longest), project.run):
            kills += 1
    project.run()
    record_property("builds killed", f"{kills} of {times[1]}")
    assert kills
    clean.load(logs)
    clean.run()
    assert project.marts() == clean.marts()

"""kill -9 of loads and builds at random moments: a plain re-run gives a clean build's marts."""

import os
import random
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.accuracy_artifact_registry import unpack
from tests.conftest import PROFILES, ROOT, WITHOUT_LOG, Project, example_logs
from tests.kill_loop import kill_at_random, run_to_end

LOAD = [sys.executable, "-c", "from pullstats.cli import main; raise SystemExit(main())", "load"]
BUILD = [str(Path(sys.executable).with_name("dbt")), "build", *WITHOUT_LOG]
BUILD += ["--exclude-resource-type", "test", "unit_test"]


@pytest.fixture
def environment(project: Project) -> dict[str, str]:
    return os.environ | {
        "PULLSTATS_DUCKDB": str(project.database),
        "DBT_PROJECT_DIR": str(ROOT),
        "DBT_PROFILES_DIR": str(PROFILES),
        "DBT_TARGET_PATH": str(project.folder / "target"),
        "DBT_LOG_PATH": str(project.folder / "logs"),
    }


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
        project.query(f"select log_entry from {raw}.audit_logs order by all"),
        project.query(f"select object_uri, row_count from {raw}.loaded_objects order by 1"),
    ]


def test_killed_loads_land_everything_once(
    project: Project,
    clean: Project,
    logs: list[Path],
    environment: dict[str, str],
    times: tuple[int, int],
    record_property: Callable[[str, object], None],
) -> None:
    chance = random.Random(20)
    command = [*LOAD, *(str(path) for path in logs)]
    longest = run_to_end([*command, "--database", str(clean.database)], environment)
    kills = 0
    while kills < times[0]:
        if kill_at_random(command, environment, longest, chance):
            kills += 1
        else:
            # all had landed: begin again with nothing
            project.database.unlink()
            shutil.rmtree(f"{project.database}.raw")
    run_to_end(command, environment)
    record_property("loads killed", kills)
    assert landed(project) == landed(clean)
    lines = [line for path in logs if path.suffix for line in path.read_text().splitlines()]
    assert [entry for (entry,) in landed(project)[1]] == sorted(lines)


def test_killed_builds_give_the_marts_of_a_clean_one(
    project: Project,
    clean: Project,
    logs: list[Path],
    environment: dict[str, str],
    times: tuple[int, int],
    record_property: Callable[[str, object], None],
) -> None:
    chance = random.Random(10)
    parts = times[1] + 1
    kills = 0
    for part in range(parts):
        project.load(logs[part::parts])
        if part == 0:
            longest = run_to_end(BUILD, environment)
        elif kill_at_random(BUILD, environment, longest * 1.1, chance):
            kills += 1
    run_to_end(BUILD, environment)
    record_property("builds killed", f"{kills} of {times[1]}")
    assert kills
    clean.load(logs)
    clean.run()
    assert project.marts() == clean.marts()

"""kill -9 of loads and builds at random moments: a plain re-run gives a clean build's marts."""

import os
import random
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import EXAMPLES, PROFILES, ROOT, Project
from tests.kill_loop import kill_at_random, run_to_end

LOAD = [sys.executable, "-c", "from pullstats.cli import main; raise SystemExit(main())", "load"]
BUILD = [
    str(Path(sys.executable).with_name("dbt")),
    "build",
    "--exclude-resource-type",
    "test",
    "unit_test",
]


@pytest.fixture
def environment(project: Project) -> dict[str, str]:
    return os.environ | {
        "PULLSTATS_DUCKDB": str(project.database),
        "DBT_PROJECT_DIR": str(ROOT),
        "DBT_PROFILES_DIR": str(PROFILES),
        "DBT_TARGET_PATH": str(project.folder / "target"),
        "DBT_LOG_PATH": str(project.folder / "logs"),
    }


def landed(project: Project) -> list[tuple[object, ...]]:
    return project.query(
        "select * exclude (_partitiontime) from storageanalysis.usage order by all"
    ) + project.query("select object_uri, row_count from storageanalysis.loaded_objects order by 1")


def test_killed_loads_land_everything_once(
    project: Project,
    examples: Project,
    environment: dict[str, str],
    times: tuple[int, int],
    record_property: Callable[[str, object], None],
    tmp_path: Path,
) -> None:
    chance = random.Random(20)
    command = [*LOAD, str(EXAMPLES / "logs")]
    longest = run_to_end([*command, "--database", str(tmp_path / "timing.duckdb")], environment)
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
    assert landed(project) == landed(examples)


def test_killed_builds_give_the_marts_of_a_clean_one(
    project: Project,
    examples: Project,
    environment: dict[str, str],
    times: tuple[int, int],
    record_property: Callable[[str, object], None],
) -> None:
    chance = random.Random(10)
    logs = sorted((EXAMPLES / "logs").glob("*_v0"))
    parts = times[1] + 1
    kills = 0
    for part in range(parts):
        project.load(logs[part::parts])
        if part == 0:
            run_to_end(BUILD, environment)
            longest = run_to_end(BUILD, environment)
        elif kill_at_random(BUILD, environment, longest * 1.1, chance):
            kills += 1
    run_to_end(BUILD, environment)
    record_property("builds killed", f"{kills} of {times[1]}")
    assert kills
    assert project.marts() == examples.marts()

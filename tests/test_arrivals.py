"""Whatever the order and batching in which logs arrive, the marts are those of one clean build."""

import random
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests import synthetic_logs
from tests.conftest import Project


@pytest.fixture(scope="module")
def arrivals(request: pytest.FixtureRequest) -> int:
    return 500 if request.config.getoption("--soak") else 10


@pytest.fixture(scope="module")
def seeded(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A database with the seeds and nothing else, to be copied."""
    project = Project(tmp_path_factory.mktemp("seeded"))
    project.load([])
    project.dbt("seed")
    return project


def copied(seeded: Project, folder: Path) -> Project:
    folder.mkdir()
    project = Project(folder)
    shutil.copy(seeded.database, project.database)
    return project


def test_marts_do_not_depend_on_arrival(
    seeded: Project, arrivals: int, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    builds = 0
    for case in range(arrivals):
        # a few cases share their logs, so that they share the clean build
        if case % 5 == 0:
            logs = synthetic_logs.write(tmp_path / f"logs{case}", seed=case)
            clean = copied(seeded, tmp_path / f"clean{case}")
            clean.load(logs)
            clean.dbt("run")
            expected = clean.marts()
            assert all(expected[mart] for mart in ("fct_image_pulls_daily", "fct_image_pushes"))
        chance = random.Random(case)
        order = chance.sample(logs, len(logs))
        cuts = sorted(chance.sample(range(1, len(order)), chance.choice([1, 1, 2])))
        project = copied(seeded, tmp_path / f"case{case}")
        for start, end in zip([0, *cuts], [*cuts, len(order)], strict=True):
            project.load(order[start:end], batch=chance.choice([1, 7, 500]))
            project.dbt("run")
            builds += 1
        if chance.random() < 0.2:
            project.dbt("run")
        for mart, rows in project.marts().items():
            assert rows == expected[mart], f"case {case}: {mart}"
        shutil.rmtree(project.folder)
    record_property("arrivals in random orders", f"{arrivals}, with {builds} builds")

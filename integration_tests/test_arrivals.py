"""Whatever the order and batching in which logs arrive, the marts are those of one clean build."""

import random
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from integration_tests import synthetic_logs
from integration_tests.accuracy_artifact_registry import unpack
from integration_tests.project import Project, copied


@pytest.fixture(scope="module")
def arrivals(request: pytest.FixtureRequest) -> int:
    return 500 if request.config.getoption("--soak") else 2


@pytest.fixture(scope="module")
def seeded(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A database with the seeds and nothing else, to be copied."""
    project = Project(tmp_path_factory.mktemp("seeded"))
    project.dbt("seed")
    return project


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Audit logs, with late objects and entries that came twice, and bucket logs of these days."""
    folder = unpack(tmp_path_factory.mktemp("recorded")).folder
    found = [*folder.glob("logs/**/*.json"), *folder.glob("bucket_logs/*_v0")]
    return sorted(found)


def test_marts_do_not_depend_on_arrival(
    seeded: Project,
    recorded: list[Path],
    arrivals: int,
    tmp_path: Path,
    record_property: Callable[[str, object], None],
) -> None:
    builds = 0
    for case in range(arrivals):
        # two cases share their logs, and so the clean build
        if case % 2 == 0:
            logs = synthetic_logs.write(tmp_path / f"logs{case}", seed=case)
            logs += random.Random(case).sample(recorded, len(recorded) // 2)
            clean = copied(seeded, tmp_path / f"clean{case}")
            clean.load(logs)
            clean.dbt("run")
            expected = clean.marts()
            for mart in ("fct_image_pulls", "fct_image_pushes"):
                sources = clean.query(f"select distinct log_source from pullstats.{mart}")
                assert len(sources) == 2, mart
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

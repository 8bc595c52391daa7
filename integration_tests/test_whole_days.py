"""Whatever a build is doing, and wherever it stops, readers see each mart as it was or will be."""

import random
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from dbt.adapters.duckdb.environments.local import DuckDBCursorWrapper

from integration_tests.project import MARTS, ROOT, Project, built_examples, example_logs

State = dict[str, tuple[int, int]]
# A view shows its tables, each of them as it is at the time.
VIEWS = [path.stem for path in ROOT.rglob("models/**/*.sql") if "'view'" in path.read_text()]
TABLES = sorted(set(MARTS) - set(VIEWS))


@contextmanager
def statements(
    before: Callable[[str], None] = lambda _: None,
    after: Callable[[DuckDBCursorWrapper], None] = lambda _: None,
) -> Iterator[None]:
    """Call functions before and after each statement that dbt executes."""
    execute = DuckDBCursorWrapper.execute

    def watched(self: DuckDBCursorWrapper, sql: str, bindings: Any = None) -> Any:
        before(sql)
        result = execute(self, sql, bindings)
        after(self)
        return result

    with patch.object(DuckDBCursorWrapper, "execute", watched):
        yield


def state(query: Callable[[str], list[tuple[Any, ...]]]) -> State:
    """Give the number of rows and a fingerprint of each mart."""
    return {
        mart: query(f"select count(*), bit_xor(hash(mart)) from pullstats.{mart} as mart")[0]
        for mart in TABLES
    }


@pytest.fixture(scope="module")
def landed(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project that was built before the second half of the logs landed; with a copy of it."""
    project = built_examples(tmp_path_factory.mktemp("whole_days"), every=2)
    project.load(example_logs()[1::2])
    shutil.copy(project.database, project.folder / "copy")
    return project


@pytest.fixture(scope="module")
def watched(landed: Project) -> tuple[list[State], int]:
    """The states that readers see during a build, and the number of its statements."""
    seen, count = [state(landed.query)], 0

    def look(cursor: DuckDBCursorWrapper) -> None:
        nonlocal count
        count += 1
        reader = cursor.cursor()
        found = state(lambda sql: reader.execute(sql).fetchall())
        reader.close()
        if found != seen[-1]:
            seen.append(found)

    with statements(after=look):
        landed.run()
    return [*seen, state(landed.query)], count


def test_readers_see_each_mart_as_it_was_or_will_be(watched: tuple[list[State], int]) -> None:
    seen, count = watched
    assert count > 100
    assert len(seen) > 5
    for each in seen:
        for mart in TABLES:
            assert each[mart] in (seen[0][mart], seen[-1][mart])


def test_a_build_stopped_at_any_statement_is_made_up_for(
    landed: Project, watched: tuple[list[State], int], request: pytest.FixtureRequest
) -> None:
    (*_, expected), count = watched
    stops = range(1, count, 2)
    if not request.config.getoption("--soak"):
        stops = random.Random(3).sample(stops, 1)
    for stop in stops:
        stop_at(landed, landed.folder / "copy", stop)
        landed.run()
        assert state(landed.query) == expected, stop


def stop_at(project: Project, copy: Path, stop: int) -> None:
    """Build from a copy, with no statement executed from one on."""
    shutil.copy(copy, project.database)
    left = stop

    def count_down(_: str) -> None:
        nonlocal left
        left -= 1
        if left < 0:
            raise RuntimeError("killed")

    with statements(before=count_down), pytest.raises(AssertionError):
        project.run()

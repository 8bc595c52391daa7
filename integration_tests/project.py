"""Drives the project as its users do: the loader in this process, dbt in this process."""

import atexit
import fcntl
import gc
import os
import random
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from functools import cache
from pathlib import Path
from typing import Any
from unittest.mock import patch

import duckdb
import pytest
from dbt.adapters.duckdb.connections import DuckDBConnectionManager
from dbt.cli.main import dbtRunner
from dbt.contracts.graph.manifest import Manifest
from dbt.contracts.graph.nodes import CompiledNode
from playwright.sync_api import Browser
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

from integration_tests import browser
from integration_tests.quick_dbt import silenced
from pullstats import plan
from pullstats.duckdb_warehouse import DuckDBWarehouse
from report import __main__ as report

ROOT = Path(__file__).parent.parent
EXAMPLES = ROOT / "examples"
# What the processes that run tests share; the first one, which starts the others, makes it.
if "PULLSTATS_TESTS" not in os.environ:
    os.environ["PULLSTATS_TESTS"] = tempfile.mkdtemp(prefix="pullstats-tests-")
    shutil.copy(ROOT / "profiles.yml.example", os.environ["PULLSTATS_TESTS"] + "/profiles.yml")
    atexit.register(shutil.rmtree, os.environ["PULLSTATS_TESTS"])
# It has the example's profile, whatever the user's own is.
PROFILES = SHARED = Path(os.environ["PULLSTATS_TESTS"])
# Where tests leave pictures of pages, for people and as artifacts of CI.
SCREENSHOTS = ROOT / "target/screenshots"
# Client ids are compared across databases, so all of them have one salt.
SALT = "salt-of-the-tests"
# These share the two builds of all models, which take longest.
ON_THE_REFERENCE_ENGINE = [
    f"integration_tests/bigquery/test_{name}.py" for name in ("cost", "reference", "secrets")
]
WITH_FILES = ("--log-level-file", "debug", "--write-json")
WITHOUT_FILES = ("--log-level-file", "none", "--no-write-json")
MARTS = sorted(path.stem for path in (ROOT / "models/marts").rglob("*.sql"))


class Project:
    """A database, with what can be done to it."""

    manifest: Manifest | None = None

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.database = folder / "test.duckdb"
        with duckdb.connect(str(self.database)) as connection:
            connection.execute(
                "create schema if not exists pullstats_private;"
                "create table if not exists pullstats_private.client_salt"
                f" as select '{SALT}' as salt"
            )

    def load(self, paths: Iterable[Path], batch: int = 500) -> None:
        warehouse = DuckDBWarehouse(self.database)
        try:
            places = (found for path in paths for found in plan.find(path))
            todo = plan.make(places, warehouse.ledger())
            for each in plan.batches(todo.load, batch, 10**9):
                assert not warehouse.load(each).unreadable
        finally:
            warehouse.close()

    def dbt(self, *arguments: str, is_logged: bool = False) -> Any:
        """Run a command of dbt; return its result."""
        os.environ["PULLSTATS_DUCKDB"] = str(self.database)
        options = [
            *("--project-dir", str(ROOT), "--profiles-dir", str(PROFILES)),
            *("--target-path", str(self.folder / "target")),
            *("--log-path", str(self.folder / "logs"), "--log-level", "none"),
            *(WITH_FILES if is_logged else WITHOUT_FILES),
        ]
        try:
            if not Project.manifest:
                Project.manifest = parsed_once("local")
            # of all variables, these alone are in configs: of models, and of a source
            in_configs = ("rebuild_requests", "audit_log_has_blobs", "using_")
            is_as_parsed = not any(name in " ".join(arguments) for name in in_configs)
            is_as_parsed &= arguments[0] != "source"
            manifest = Project.manifest if is_as_parsed else None
            has_events = is_logged or "--warn-error" in arguments
            with nullcontext() if has_events else silenced():
                result = runner(manifest).invoke([*arguments, *options])
        finally:
            DuckDBConnectionManager.close_all_connections()
        if not result.success:
            failed = [
                f"{(each.node.name if hasattr(each, 'node') else each.unique_id)}: {each.message}"
                for each in getattr(result.result, "results", [])
                if each.status not in ("success", "pass")
            ]
            raise AssertionError(f"dbt {arguments}: {failed or result.exception}")
        return result.result

    def run(self, is_logged: bool = False) -> None:
        """Seeds and models, without their tests."""
        without_tests = ("--exclude-resource-type", "test", "unit_test")
        self.dbt("build", *without_tests, is_logged=is_logged)

    def docs(self) -> Path:
        """The documentation of this database, by `make docs`."""
        settings = {
            "PULLSTATS_DUCKDB": str(self.database),
            "DBT_PROFILES_DIR": str(PROFILES),
        }
        command = ["make", "--silent", "docs"]
        subprocess.run(command, cwd=ROOT, env=os.environ | settings, check=True)
        return ROOT / "target/site"

    def report(self, variables: str = "{}") -> Path:
        os.environ["PULLSTATS_DUCKDB"] = str(self.database)
        try:
            return make_report(self.folder, Project.manifest, "local", PROFILES, variables)
        finally:
            DuckDBConnectionManager.close_all_connections()

    def query(self, sql: str) -> list[tuple[object, ...]]:
        with duckdb.connect(str(self.database), read_only=True) as connection:
            return connection.execute(sql).fetchall()

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """Keep one connection for all queries while nothing is written: a new one takes 20 ms."""
        with duckdb.connect(str(self.database), read_only=True) as connection:
            ask = lambda sql: connection.execute(sql).fetchall()  # noqa: E731
            with patch.object(self, "query", ask):
                yield

    def marts(self) -> dict[str, list[tuple[object, ...]]]:
        """All rows of all marts, except for columns that depend on how they arrived."""
        columns = "columns(lambda name: name not in ('late_rows', 'last_loaded_at'))"
        with self.frozen():
            return {
                mart: self.query(f"select {columns} from pullstats.{mart} order by all")
                for mart in MARTS
            }


def parsed(options: Sequence[str]) -> Manifest:
    """Parse the project once for many builds.

    A collector that searches the manifest for garbage again and again takes a seventh of a build.
    """
    manifest: Manifest = dbtRunner().invoke(["parse", *options]).result
    gc.freeze()
    atexit.register(gc.unfreeze)  # else DuckDB's module calls what is left a leak
    return manifest


def parsed_once(target: str) -> Manifest:
    """Parse the project for all processes: dbt reads again what the first one has parsed."""
    settings = {"PULLSTATS_DUCKDB": str(SHARED / "test.duckdb")}
    with one_process_at_a_time("dbt"), patch.dict(os.environ, settings):
        return parsed(
            [
                *("--project-dir", str(ROOT), "--profiles-dir", str(PROFILES)),
                *("--target", target, "--target-path", str(SHARED / target)),
                *("--log-path", str(SHARED / "logs"), "--log-level", "none", *WITHOUT_FILES),
            ]
        )


@contextmanager
def one_process_at_a_time(purpose: str) -> Iterator[None]:
    with (SHARED / f"{purpose}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def runner(manifest: Manifest | None) -> dbtRunner:
    """Give a runner that compiles for its own database what was compiled for others before."""
    for node in manifest.nodes.values() if manifest else ():
        if isinstance(node, CompiledNode):
            node.compiled = node.extra_ctes_injected = False
            node.extra_ctes = []
    return dbtRunner(manifest)


def copied(source: Project, folder: Path) -> Project:
    """Make a project that begins with the database of another."""
    folder.mkdir(exist_ok=True)
    project = Project(folder)
    shutil.copy(source.database, project.database)
    return project


def make_report(
    folder: Path, manifest: Manifest | None, target: str, profiles: Path, variables: str = "{}"
) -> Path:
    """The report page, as `make report` makes it."""
    page = folder / "report.html"
    places = {"DBT_TARGET_PATH": f"{folder}/target", "DBT_LOG_PATH": f"{folder}/logs"}
    arguments = ["--target", target, "--profiles-dir", str(profiles), "--output", str(page)]
    arguments += ["--vars", variables]
    with patch.dict(os.environ, places):
        assert report.main(arguments, runner(manifest)) == 0
    return page


def example_logs() -> list[Path]:
    return sorted((EXAMPLES / "logs").glob("*_v0"))


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--soak", action="store_true", help="the long forms of some tests")


class ByFile(LoadScopeScheduling):  # type: ignore[misc]
    """Keeps the tests of a file together when they run side by side: they share costly fixtures."""

    def _split_scope(self, nodeid: str) -> str:
        path: str = nodeid.split("::", 1)[0]
        if path in ON_THE_REFERENCE_ENGINE:
            return "reference"
        return "loader/tests/cloud" if path.startswith("loader/tests/cloud/") else path


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what waits for a browser, while the others have work for all cores."""
    items.sort(key=lambda item: "chromium" not in getattr(item, "fixturenames", ()))


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """One per core: a third on two cores took 15 % more CPU time, and no less time."""
    return os.cpu_count() or 1


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> ByFile:
    return ByFile(config, log)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Show what tests have measured: `record_property(what, figure)`."""
    reports = terminalreporter.getreports("passed") + terminalreporter.getreports("failed")
    for each in reports:
        for what, figure in each.user_properties if each.when == "call" else ():
            terminalreporter.line(f"{what}: {figure}")


@pytest.fixture
def times(request: pytest.FixtureRequest) -> tuple[int, int]:
    """How often to kill a load and a build."""
    return (200, 50) if request.config.getoption("--soak") else (6, 1)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


@pytest.fixture(scope="session")
def examples(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The examples, loaded at once and built; not to be changed."""
    found = built_examples(tmp_path_factory.mktemp("examples"))
    found.marts = cache(found.marts)
    return found


@pytest.fixture
def built(examples: Project, tmp_path: Path) -> Project:
    """A copy of the examples."""
    return copied(examples, tmp_path)


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """What `make demo` builds, of both logs; not to be changed."""
    with tarfile.open(EXAMPLES / "artifact_registry.tar.gz") as archive:
        archive.extractall(SHARED / "demo-logs", filter="data")
    recorded = SHARED / "demo-logs/artifact_registry"
    logs = [*example_logs(), recorded / "bucket_logs", recorded / "logs"]
    return built_once("demo", logs, tmp_path_factory.mktemp("demo"))


@pytest.fixture
def half_built(tmp_path: Path) -> Project:
    """A project that was built when every other object of the examples had landed."""
    return built_examples(tmp_path, every=2)


@pytest.fixture
def landed(half_built: Project) -> Project:
    """A project that was built before the second half of the examples landed."""
    half_built.load(example_logs()[1::2])
    return half_built


def built_examples(folder: Path, every: int = 1) -> Project:
    """Copy a build of all objects of the examples, or of every other; with dbt's artifacts."""
    return built_once(f"examples-{every}", example_logs()[::every], folder)


def built_once(name: str, logs: Sequence[Path], folder: Path) -> Project:
    """Copy a build that is made once for all processes."""
    shared = SHARED / name
    with one_process_at_a_time(name):
        if not (shared / "built").exists():
            shared.mkdir()
            project = Project(shared)
            project.load(logs)
            project.run(is_logged=True)
            (shared / "built").touch()
        project = copied(Project(shared), folder)
    shutil.copytree(shared / "target", folder / "target")
    return project


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with browser.started() as found:
        yield found


def shuffled(items: Sequence[Path], seed: int) -> list[Path]:
    mixed = list(items)
    random.Random(seed).shuffle(mixed)
    return mixed

"""Builds on top of builds, by GoogleSQL's engine: what they restate, and what readers see."""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from tests.bigquery import inputs
from tests.bigquery.conftest import (
    EARLY,
    LATE,
    MODELS,
    RAW,
    SCHEMAS,
    BigQueryProject,
    Content,
    Row,
    recorded,
)
from tests.bigquery.googlesql import Table, table
from tests.bigquery.rest import Api, serve
from tests.conftest import example_logs
from tests.emulators import PROJECT

INTERMEDIATE = f"{PROJECT}.{SCHEMAS['intermediate']}"
WITHOUT_TESTS = ("--exclude-resource-type", "test", "unit_test")


def land(api: Api, usage: list[Row]) -> None:
    api.warehouse.datasets.add(RAW)
    raw = {"usage": (inputs.COLUMNS, usage), "storage": (inputs.STORAGE_COLUMNS, [])}
    for name, (columns, lines) in raw.items():
        api.warehouse.put(f"{PROJECT}.{RAW}.{name}", table(columns, lines, "_partitiontime"))


class Hours:
    """A project of which the requests and the hours of the log are built."""

    models = ("int_gcs_request_records", "int_log_arrivals_hourly")

    def __init__(self, api: Api, project: BigQueryProject) -> None:
        self.api, self.project = api, project
        self.entries = 0

    def restated(self) -> set[tuple[str, str]]:
        """Build, and give the days that the bucket log's models restated."""
        self.project.dbt("build", *WITHOUT_TESTS, "--select", f"+{self.models[1]}")
        entries = self.api.warehouse.table(f"{INTERMEDIATE}.build_log").values()
        added, self.entries = entries[self.entries :], len(entries)
        models = {entry[0] for entry in added}
        assert models == {*self.models, "int_artifact_registry_request_records"}
        return {
            (name, "all" if full else str(day))
            for name, day, full, *_ in added
            if name in self.models and (day or full)
        }

    def all_models(self, *days: str) -> set[tuple[str, str]]:
        return {(model, day) for model in self.models for day in days}


def test_an_arrival_is_read_again_only_while_it_may_grow(tmp_path: Path) -> None:
    with serve() as (address, api):
        hours = Hours(api, BigQueryProject(tmp_path, address))
        logs = example_logs()
        over = recorded(EARLY, logs[:12:2])
        land(api, over)
        assert hours.restated() == hours.all_models("all")
        for _ in range(2):
            start = len(api.sent)
            assert hours.restated() == set()
            sent = [each.sql for each in api.sent[start:] if "max(loaded_at)" in each.sql]
            assert sent
            assert all(f"loaded_at > timestamp '{EARLY:%Y-%m-%d %H}:00:00" in sql for sql in sent)
        hour = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
        going_on = recorded(hour, logs[12:60:4])
        land(api, over + going_on)
        days = {f"{datetime.fromtimestamp(line[0] / 1e6, UTC):%Y-%m-%d}" for line in going_on}
        assert len(days) > 1
        assert hours.restated() == hours.all_models(*days)
        assert hours.restated() == set()
        one_more = [*inputs.record(), hour]
        land(api, [*over, *going_on, one_more])
        assert hours.restated() == hours.all_models("2024-07-02")
        records = api.warehouse.table(f"{INTERMEDIATE}.{hours.models[0]}").rows
        assert len(records) == len(over) + len(going_on) + 1


@dataclass
class Watched:
    """A build, what it made of each model's table, and how to begin it again."""

    api: Api
    project: BigQueryProject
    before: dict[str, Table]
    statements: int
    changes: dict[str, list[Table | None]] = field(default_factory=dict)

    def content(self, model: str, made: Table | None = None) -> Content:
        made = made or self.api.warehouse.table(f"{PROJECT}.{MODELS[model]}.{model}")
        return Content(model, list(made.types), made.values())


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    logs = example_logs()
    with serve() as (address, api):
        project = BigQueryProject(tmp_path_factory.mktemp("watched"), address)
        first = recorded(EARLY, logs[:30:2])
        land(api, first)
        project.dbt("build", *WITHOUT_TESTS)
        land(api, first + recorded(LATE, logs[1:30:2]))
        start = len(api.sent)
        found = Watched(api, project, dict(api.warehouse.relations), 0)
        put = api.warehouse.put

        def watch(path: str, relation: Table | None) -> None:
            found.changes.setdefault(path, []).append(relation)
            put(path, relation)

        with patch.object(api.warehouse, "put", watch):
            project.dbt("build", *WITHOUT_TESTS)
        found.statements = len(api.sent) - start
        yield found


def test_readers_see_each_table_as_it_was_or_will_be(watched: Watched) -> None:
    changed = 0
    for model, schema in MODELS.items():
        path = f"{PROJECT}.{schema}.{model}"
        if isinstance(watched.before.get(path), Table):
            expected = watched.content(model)
            for state in watched.changes[path]:
                assert state, f"{model} is dropped"
                assert watched.content(model, state) == expected, model
                changed += 1
    assert changed > 12


def test_a_build_stopped_at_any_statement_is_made_up_for(
    watched: Watched, request: pytest.FixtureRequest
) -> None:
    stops = range(watched.statements)
    if not request.config.getoption("--soak"):
        stops = random.Random(2).sample(stops, 1)
    api = watched.api
    expected = {model: watched.content(model) for model in MODELS}
    insert_job = api._insert_job
    for stop in stops:
        api.warehouse.relations = dict(watched.before)
        last = len(api.sent) + stop

        def refuse(body: dict[str, Any], project: str, last: int = last) -> dict[str, Any]:
            if len(api.sent) >= last:
                raise ConnectionError("killed")
            return insert_job(body, project)

        with patch.object(api, "_insert_job", refuse), pytest.raises(AssertionError):
            watched.project.dbt("build", *WITHOUT_TESTS)
        # as if an hour later, when the lock has expired
        api.warehouse.run(f"delete from `{INTERMEDIATE}.build_locks` where true")
        watched.project.dbt("build", *WITHOUT_TESTS)
        for model in MODELS:
            assert watched.content(model) == expected[model], (stop, model)

"""Builds on top of builds, by GoogleSQL's engine: what they restate, and after a stopped one."""

import random
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from integration_tests.bigquery import inputs
from integration_tests.bigquery.conftest import EARLY, LATE, recorded
from integration_tests.bigquery.contents import MODELS, SCHEMAS, Content, Row, content
from integration_tests.bigquery.googlesql import table
from integration_tests.bigquery.projects import RAW, BigQueryProject
from integration_tests.bigquery.rest import Api, serve
from integration_tests.emulators import PROJECT
from integration_tests.project import example_logs

INTERMEDIATE = f"{PROJECT}.{SCHEMAS['intermediate']}"
WITHOUT_TESTS = ("--exclude-resource-type", "test", "unit_test")


def land(api: Api, usage: list[Row]) -> None:
    api.warehouse.datasets.add(RAW)
    raw = {"usage": (inputs.COLUMNS, usage), "storage": (inputs.STORAGE_COLUMNS, [])}
    for name, (columns, lines) in raw.items():
        api.warehouse.put(f"{PROJECT}.{RAW}.{name}", table(columns, lines, "_partitiontime"))


class Hours:
    """A project of which the bucket log's requests are built."""

    def __init__(self, api: Api, project: BigQueryProject) -> None:
        self.api, self.project = api, project
        self.builds = 0

    def restated(self, *options: str) -> set[str]:
        """Build, and give the days of the bucket log that were restated."""
        self.builds += 1
        variables = ("--vars", f"{{build_id: '{self.builds}'{''.join(options)}}}")
        model = "int_gcs_request_records"
        # views and seeds stay
        again = ("--exclude", "config.materialized:view", "resource_type:seed")
        self.project.dbt(
            *("build", *WITHOUT_TESTS, "--select", f"+{model}", *variables),
            *(again if self.builds > 1 else ()),
        )
        self.project.dbt("run-operation", "finish_build", *variables)
        rows = self.api.warehouse.table(f"{INTERMEDIATE}.int_build_days").values()
        return {
            str(day)
            for run, source, _, _, day, *_ in rows
            if (run, source) == (str(self.builds), "gcs_usage") and day
        }


def test_an_arrival_is_read_again_only_while_it_may_grow(tmp_path: Path) -> None:
    with serve() as (address, api):
        hours = Hours(api, BigQueryProject(tmp_path, address))
        logs = example_logs()
        over = recorded(EARLY, logs[:12:2])
        land(api, over)
        assert hours.restated() == days_of(over)
        for _ in range(2):
            start = len(api.sent)
            assert hours.restated() == set()
            sent = [
                each.sql
                for each in api.sent[start:]
                if each.node.endswith(".int_build_days") and "usage_logs" in each.sql
            ]
            assert sent
            assert all(f"loaded_at > timestamp '{EARLY:%Y-%m-%d %H}:00:00" in sql for sql in sent)
        hour = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
        going_on = recorded(hour, logs[12:60:4])
        land(api, over + going_on)
        assert len(days_of(going_on)) > 1
        assert hours.restated() == days_of(going_on)
        assert hours.restated() == set()
        one_more = [*inputs.record(), hour]
        land(api, [*over, *going_on, one_more])
        assert hours.restated() == {"2024-07-02"}
        # the hour grows once more, and a build of other days comes between
        two_more = [*inputs.record(s_request_id="another"), hour]
        assert hours.restated(", restate_from: 2024-05-29") == {"2024-05-29"}
        land(api, [*over, *going_on, one_more, two_more])
        assert hours.restated(", restate_from: 2024-05-29") == {"2024-05-29", "2024-07-02"}
        assert hours.restated() == set()
        records = api.warehouse.table(f"{INTERMEDIATE}.int_gcs_request_records").rows
        assert len(records) == len(over) + len(going_on) + 2


def days_of(lines: list[Row]) -> set[str]:
    return {f"{datetime.fromtimestamp(line[0] / 1e6, UTC):%Y-%m-%d}" for line in lines}


def test_a_build_stopped_at_any_statement_is_made_up_for(
    tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    is_soak = request.config.getoption("--soak")
    build = ("build", *WITHOUT_TESTS)
    if not is_soak:
        build += ("--select", "+fct_registry_requests_daily")
    logs = example_logs()[:10]
    with serve() as (address, api):
        project = BigQueryProject(tmp_path, address)
        first = recorded(EARLY, logs[::2])
        land(api, first)
        project.dbt(*build)
        land(api, first + recorded(LATE, logs[1::2]))
        before, start = dict(api.warehouse.relations), len(api.sent)
        project.dbt(*build)
        expected = contents(api)
        stops = range(len(api.sent) - start)
        insert_job = api._insert_job
        for stop in stops if is_soak else random.Random(2).sample(stops, 1):
            api.warehouse.relations = dict(before)
            last = len(api.sent) + stop

            def refuse(body: dict[str, Any], project: str, last: int = last) -> dict[str, Any]:
                if len(api.sent) >= last:
                    raise ConnectionError("killed")
                return insert_job(body, project)

            with patch.object(api, "_insert_job", refuse), pytest.raises(AssertionError):
                project.dbt(*build)
            # as if an hour later, when the next run is no longer refused
            project.dbt(*build, "--vars", "{build_lock_minutes: 0}")
            assert contents(api) == expected, stop


def contents(api: Api) -> dict[str, Content]:
    """All models that are built."""
    found = {model: f"{PROJECT}.{schema}.{model}" for model, schema in MODELS.items()}
    return {
        model: content(api, model)
        for model, path in found.items()
        if path in api.warehouse.relations
    }

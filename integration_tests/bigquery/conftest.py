"""The same builds by both engines, of the same rows of raw."""

import csv
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import chain
from pathlib import Path
from unittest.mock import patch

import pytest

from integration_tests import hostile
from integration_tests.bigquery import audit_inputs, inputs
from integration_tests.bigquery.contents import MODELS, Content, Row, content
from integration_tests.bigquery.googlesql import Table, table
from integration_tests.bigquery.projects import RAW, BigQueryProject, DuckDBTwin
from integration_tests.bigquery.rest import Api, Sent, serve
from integration_tests.bigquery.warehouse import View
from integration_tests.emulators import PROJECT
from integration_tests.project import EXAMPLES, SALT, example_logs
from pullstats import csv_log, networks
from pullstats.duckdb_warehouse import DuckDBWarehouse

SALT_TABLE = "pullstats_private.client_salt"
EARLY, LATE = datetime(2024, 7, 3, 5, tzinfo=UTC), datetime(2024, 7, 4, 6, tzinfo=UTC)
# Entries of the audit log come by two ways at once; those of the sink are older than its lag.
TWO_SINKS = f"audit_sink_dataset: {audit_inputs.SINK}, audit_sink_max_lag_days: 36500"


@dataclass
class Build:
    """What a build sent, and the models as it left them."""

    sent: list[Sent]
    contents: dict[str, Content] = field(default_factory=dict)


@dataclass
class Reference:
    """Builds by GoogleSQL's engine, and what DuckDB makes of the same rows in one build.

    `before` and `changes`: what there was before the second build, and what it made of it.
    """

    api: Api
    project: BigQueryProject
    twin: DuckDBTwin
    first: Build
    second: Build
    expected_first: dict[str, Content]
    expected_second: dict[str, Content]
    before: dict[str, Table | View]
    changes: dict[str, list[Table | None]]


def recorded(arrival: datetime, logs: Sequence[Path]) -> list[Row]:
    kinds = list(csv_log.USAGE_COLUMNS.values())
    found: list[Row] = []
    for path in logs:
        with path.open(newline="", encoding="utf-8") as file:
            for line in list(csv.reader(file))[1:]:
                values = [
                    (int(value) if value else None) if kind == "INT64" else value
                    for value, kind in zip(line, kinds, strict=True)
                ]
                found.append([*values, arrival])
    return found


@pytest.fixture(scope="session")
def reference(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reference]:
    """A quarter of the examples and half of the adversarial input in a first build, then the rest.

    The input has each kind of hostile row. `test_hostile_input.py` shows on DuckDB that all other
    rows then count as they do without them.
    """
    logs = example_logs()
    # an ingestion hour that goes on grows between the builds
    early = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    late = early + timedelta(hours=1)
    usage = [recorded(early, logs[::4]), recorded(late, [*logs[1::4], *logs[2::4], *logs[3::4]])]
    usage = [one + more for one, more in zip(usage, inputs.usage(early, late), strict=True)]
    storage, audit = inputs.storage(early, late), audit_inputs.landed(early, late)
    sink = audit_inputs.sunk(early, late)
    sinks = [
        {
            name: (types, [row for row in rows if parts == 2 or row["receiveTimestamp"] == early])
            for name, (types, rows) in sink.items()
        }
        for parts in (1, 2)
    ]
    listed = tmp_path_factory.mktemp("networks") / "networks.jsonl"
    networks.write(listed, (EXAMPLES / "networks").iterdir())
    with listed.open("a", encoding="utf-8") as file:
        file.write(hostile.lines(hostile.networks()))
    expected = []
    for parts in (1, 2):
        twin = DuckDBTwin(tmp_path_factory.mktemp("duckdb"))
        twin.fill(*(list(chain(*rows[:parts])) for rows in (usage, storage, audit)))
        twin.fill_sink(sinks[parts - 1])
        with closing(DuckDBWarehouse(twin.database, tables=networks.TABLES)) as warehouse:
            warehouse.load_rows({"networks": listed}, replace=True)
        optional = twin.fill_optional() if parts == 2 else {}
        twin.dbt(
            *("build", "--exclude-resource-type", "test", "unit_test"),
            *("--vars", f"{{{TWO_SINKS}}}"),
            is_logged=parts == 2,
        )
        expected.append(
            {model: twin.ask(f"from {schema}.{model}", model) for model, schema in MODELS.items()}
        )
    with serve() as (address, api):
        project = BigQueryProject(tmp_path_factory.mktemp("bigquery"), address)
        api.warehouse.datasets |= {RAW, audit_inputs.SINK}
        api.warehouse.put(f"{PROJECT}.{SALT_TABLE}", table({"salt": "STRING"}, [[SALT]]))
        api.warehouse.put(f"{PROJECT}.{RAW}.networks", table(*twin.raw("networks")))
        builds = []
        # the second with the data tests, over all days, since the examples are years old; without
        # dbt's own: the rows are compared with those of DuckDB
        for parts, options in (
            (
                1,
                *(("--exclude-resource-type", "test", "unit_test", "--vars", f"{{{TWO_SINKS}}}"),),
            ),
            (
                2,
                (
                    *("--exclude-resource-type", "unit_test", "--exclude"),
                    *("test_name:not_null", "test_name:accepted_values", "test_name:unique"),
                    *("--vars", f"{{test_lookback_days: 36500, {TWO_SINKS}}}"),
                ),
            ),
        ):
            for name, columns, lines in (
                ("usage", inputs.COLUMNS, usage),
                ("storage", inputs.STORAGE_COLUMNS, storage),
                ("audit_logs", audit_inputs.COLUMNS, audit),
            ):
                made = table(columns, list(chain(*lines[:parts])), "_partitiontime")
                api.warehouse.put(f"{PROJECT}.{RAW}.{name}", made)
            for name, (types, rows) in sinks[parts - 1].items():
                made = table(types, ([row.get(column) for column in types] for row in rows))
                api.warehouse.put(f"{PROJECT}.{audit_inputs.SINK}.{name}", made)
            for name, (types, lines) in optional.items() if parts == 2 else ():
                api.warehouse.put(f"{PROJECT}.{RAW}.{name}", table(types, lines))
            start, before = len(api.sent), dict(api.warehouse.relations)
            changes: dict[str, list[Table | None]] = {}
            with patch.object(api.warehouse, "put", watch(api.warehouse.put, changes)):
                project.dbt("build", *options, is_logged=parts == 2)
            builds.append(Build(api.sent[start:], {model: content(api, model) for model in MODELS}))
        yield Reference(api, project, twin, *builds, *expected, before, changes)


def watch(
    put: Callable[[str, Table | None], None], changes: dict[str, list[Table | None]]
) -> Callable[[str, Table | None], None]:
    """Give a `put` that keeps what is put."""

    def watched(path: str, relation: Table | None) -> None:
        changes.setdefault(path, []).append(relation)
        put(path, relation)

    return watched

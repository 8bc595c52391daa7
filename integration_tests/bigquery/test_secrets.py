"""What must stay in the warehouse: the salt, and what raw holds of people and signed URLs."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest

from integration_tests.bigquery import inputs
from integration_tests.bigquery.conftest import SALT_TABLE, Reference, recorded
from integration_tests.bigquery.googlesql import table
from integration_tests.bigquery.projects import RAW, BigQueryProject
from integration_tests.bigquery.rest import Api, serve
from integration_tests.emulators import PROJECT
from integration_tests.project import SALT, Project, example_logs

# what draws a salt: a model of requests, with its seeds
BUILD = (
    *("build", "--select", "+int_gcs_request_records"),
    *("--exclude-resource-type", "test", "unit_test"),
)

SECRETS = [
    *(SALT, "=5ec2e7", "agent@example.com", "reader@example.com", "signer%40example.com"),
    *inputs.SECRETS["c_ip"],
]


def shown(texts: dict[str, str]) -> list[tuple[str, str]]:
    return [(name, each) for name, text in texts.items() for each in SECRETS if each in text]


def written(folder: Path) -> dict[str, str]:
    """Compiled SQL, artifacts, logs and pages; all but the database."""
    return {
        str(path.relative_to(folder)): path.read_bytes().decode(errors="replace")
        for path in folder.rglob("*")
        if path.is_file() and ".duckdb" not in path.name
    }


def test_nothing_that_dbt_or_the_report_writes_shows_a_secret(reference: Reference) -> None:
    reference.twin.report()
    reference.twin.dbt("docs", "generate", "--static", is_logged=True)
    files = written(reference.twin.folder) | {
        f"bigquery/{name}": text for name, text in written(reference.project.folder).items()
    }
    found = {Path(name).name for name in files}
    assert found >= {"dbt.log", "manifest.json", "run_results.json", "report.html"}
    assert found >= {"static_index.html", "catalog.json", "int_gcs_request_records.sql"}
    assert not shown(files)


def test_no_request_to_bigquery_shows_a_secret(reference: Reference) -> None:
    requests = {f"request {place}": text for place, text in enumerate(reference.api.requests)}
    assert any("client_salt" in text for text in requests.values())
    assert not shown(requests)


def test_no_model_outside_staging_shows_a_secret(reference: Reference) -> None:
    contents = {
        model: repr(content.rows)
        for model, content in reference.second.contents.items()
        if not model.startswith("stg_")
    }
    assert not shown(contents)
    staged = reference.second.contents["stg_gcs__usage_logs"]
    assert shown({"staging": repr(staged.rows)})


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[BigQueryProject, Api]]:
    with serve() as (address, api):
        project = BigQueryProject(tmp_path_factory.mktemp("fresh"), address)
        api.warehouse.datasets |= {RAW}
        rows = recorded(datetime.now(UTC), example_logs()[:1])
        raw = table(inputs.COLUMNS, rows, "_partitiontime")
        api.warehouse.put(f"{PROJECT}.{RAW}.usage", raw)
        project.dbt(*BUILD, is_logged=True)
        yield project, api


def test_the_first_build_on_bigquery_draws_a_salt_that_stays(
    fresh: tuple[BigQueryProject, Api],
) -> None:
    project, api = fresh
    ((salt,),) = first = api.warehouse.table(f"{PROJECT}.{SALT_TABLE}").values()
    assert len(salt) == 36
    project.dbt(*BUILD, "--full-refresh", is_logged=True)
    assert api.warehouse.table(f"{PROJECT}.{SALT_TABLE}").values() == first
    assert not [text for text in api.requests if salt in text]
    assert not [name for name, text in written(project.folder).items() if salt in text]


def test_the_first_build_on_duckdb_draws_a_salt_that_stays(project: Project) -> None:
    project.load(example_logs()[:1])
    with duckdb.connect(str(project.database)) as connection:
        connection.execute(f"drop table {SALT_TABLE}")
    drawn = []
    for options in ((), ("--full-refresh", "--vars", "{rebuild_requests: true}")):
        project.dbt(*BUILD, *options, is_logged=True)
        drawn.append(project.query(f"from {SALT_TABLE}"))
    assert drawn[0] == drawn[1]
    assert len(drawn[0]) == 1
    assert not [name for name, text in written(project.folder).items() if drawn[0][0][0] in text]

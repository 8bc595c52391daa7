"""dbt-bigquery against local-bigquery, over HTTP, with the examples.

The emulator runs DuckDB inside: it proves the adapter's work (jobs, schemas, temporary tables,
descriptions, the catalog), not GoogleSQL, which test_reference.py does. `make soak` runs it.
"""

import csv
import io
import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from google.auth.credentials import AnonymousCredentials
from google.cloud import bigquery

from integration_tests.bigquery import inputs
from integration_tests.bigquery.conftest import EARLY, LATE, SALT_TABLE, recorded
from integration_tests.bigquery.contents import MODELS, Content, Row
from integration_tests.bigquery.projects import RAW, BigQueryProject, DuckDBTwin
from integration_tests.emulators import PROJECT, start_bigquery
from integration_tests.project import SALT, example_logs


class Emulated:
    """The project after two builds on the emulator, and DuckDB's twin of it."""

    def __init__(self, folder: Path, address: str) -> None:
        self.project = BigQueryProject(folder, address)
        self.client = bigquery.Client(
            project=PROJECT,
            credentials=AnonymousCredentials(),
            client_options={"api_endpoint": address},
        )
        self.client.create_dataset(RAW)
        self.client.query(
            f"create schema pullstats_private; create table {SALT_TABLE} as select '{SALT}' as salt"
        ).result()

    def fill(self, name: str, columns: dict[str, str], lines: Sequence[Row]) -> None:
        """Append rows. The emulator has no pseudo columns: `_partitiontime` is a plain one."""
        text = io.StringIO()
        csv.writer(text, quoting=csv.QUOTE_ALL).writerows(lines)
        self.client.load_table_from_file(
            io.BytesIO(text.getvalue().encode()),
            f"{PROJECT}.{RAW}.{name}",
            job_config=bigquery.LoadJobConfig(
                schema=[bigquery.SchemaField(*column) for column in columns.items()],
                source_format="CSV",
            ),
        ).result()

    def models(self) -> set[str]:
        """All models that are built."""
        tables = [t for schema in set(MODELS.values()) for t in self.client.list_tables(schema)]
        return {table.table_id for table in tables} & MODELS.keys()

    def content(self, model: str) -> Content:
        rows = self.client.query(f"select * from {MODELS[model]}.{model}").result()
        return Content(model, [field.name for field in rows.schema], [tuple(row) for row in rows])


@pytest.fixture(scope="module")
def emulated(
    tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[tuple[Emulated, DuckDBTwin]]:
    if not request.config.getoption("--soak"):
        pytest.skip("takes minutes: make soak")
    build = ("build", "--exclude-resource-type", "test", "unit_test")
    logs = example_logs()
    usage = [recorded(EARLY, logs[::2]), recorded(LATE, logs[1::2])]
    storage = inputs.storage(EARLY, LATE)
    twin = DuckDBTwin(tmp_path_factory.mktemp("duckdb"))
    twin.fill(usage[0] + usage[1], storage[0] + storage[1])
    twin.dbt(*build)
    folder = tmp_path_factory.mktemp("emulator")
    with start_bigquery(folder) as address:
        emulated = Emulated(folder, address)
        for part in (0, 1):
            emulated.fill("usage", inputs.COLUMNS, usage[part])
            emulated.fill("storage", inputs.STORAGE_COLUMNS, storage[part])
            emulated.project.dbt(*build)
        yield emulated, twin


def test_two_builds_on_the_emulator_give_the_rows_of_duckdb(
    emulated: tuple[Emulated, DuckDBTwin],
) -> None:
    project, twin = emulated
    models = project.models()
    assert models == MODELS.keys()
    for model in models:
        found = project.content(model)
        expected = twin.ask(f"from {MODELS[model]}.{model}", model)
        assert found == expected, f"{model}\n" + "\n".join(found - expected or expected - found)


def test_the_catalog_knows_every_model_and_its_columns(
    emulated: tuple[Emulated, DuckDBTwin],
) -> None:
    models, project = emulated[0].models(), emulated[0].project
    project.dbt("docs", "generate", "--no-compile", is_logged=True)
    catalog = json.loads((project.folder / "target/catalog.json").read_text())
    found = {node["metadata"]["name"]: node["columns"] for node in catalog["nodes"].values()}
    assert models <= set(found)
    described = found["dim_clients"]["client_id"]["comment"]
    assert described, "descriptions have not been written"
    assert len(catalog["sources"]) == 3


def test_stale_sources_are_found_stale(emulated: tuple[Emulated, DuckDBTwin]) -> None:
    project = emulated[0].project
    with pytest.raises(AssertionError):
        project.dbt("source", "freshness", "--select", "source:gcs", is_logged=True)
    found = json.loads((project.folder / "target/sources.json").read_text())["results"]
    assert [(each["status"], each["max_loaded_at"]) for each in found] == [
        ("error", f"{LATE:%Y-%m-%dT%H:%M:%S+00:00}")
    ] * 2

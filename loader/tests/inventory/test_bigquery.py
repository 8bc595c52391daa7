"""The inventory lands on BigQuery, here local-bigquery, as on DuckDB.

What the emulator does not show: it makes no difference between REQUIRED and NULLABLE.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from google.api_core.exceptions import GoogleAPICallError

from integration_tests.emulators import PROJECT, start_bigquery
from pullstats import schemas
from pullstats.bigquery_warehouse import BigQueryWarehouse
from pullstats.registry_inventory.command import EXIT_SET_ASIDE
from pullstats.registry_inventory.walk import TABLES
from tests.inventory.registries import FakeRegistry, image, index, inventory, query

ONE, TWO = image("one"), image("two")
OF_A_RUN = ("inventory_id", "listed_at", "completed_at")


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with start_bigquery(tmp_path_factory.mktemp("bigquery")) as address:
        yield address


@pytest.fixture
def warehouse(emulator: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> BigQueryWarehouse:
    monkeypatch.setenv("BIGQUERY_EMULATOR_HOST", emulator)
    # nothing is stored there, but the client must not ask for a login
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", emulator)
    monkeypatch.setenv("PULLSTATS_PROJECT", PROJECT)
    monkeypatch.setenv("PULLSTATS_DATASET", re.sub("[^a-z0-9]", "_", tmp_path.name.lower()))
    return BigQueryWarehouse()


def selection(table: str) -> str:
    columns = [name for name in schemas.columns(table) if name not in OF_A_RUN]
    return f"select {', '.join(columns)} from %s.{table} order by " + ", ".join(
        f"{name} nulls last" for name in columns
    )


def test_when_it_lands_on_bigquery_then_the_rows_are_those_of_duckdb(
    fake: FakeRegistry, warehouse: BigQueryWarehouse, database: Path
) -> None:
    fake.catalog("a", "gone")
    fake.repository("a", v1=ONE, latest=ONE, multi=index(ONE, TWO), broken=b"{")
    fake.manifest("a", TWO)
    assert inventory(database, fake.host) == EXIT_SET_ASIDE
    for count in (1, 2):
        assert inventory(database, fake.host, "--to", "bigquery") == EXIT_SET_ASIDE
        for table in TABLES:
            expected = query(database, selection(table) % "storageanalysis")
            assert expected
            found = warehouse.query(selection(table) % warehouse.raw)
            # a second run adds an inventory, and to what is known of blobs nothing
            copies = 1 if table == "manifest_blobs" else count
            twice = [row for row in expected for _ in range(copies)]
            assert found == twice, table
    ((runs, times),) = warehouse.query(
        "select count(distinct inventory_id), countif(completed_at >= listed_at)"
        f" from {warehouse.raw}.inventories"
    )
    assert (runs, times) == (2, 2)


def test_when_a_load_job_fails_then_the_ledger_does_not_know_the_inventory(
    warehouse: BigQueryWarehouse, tmp_path: Path
) -> None:
    warehouse.create(TABLES)
    files = {table: tmp_path / f"{table}.json" for table in TABLES}
    for table, path in files.items():
        row = {name: "2024-05-29" if "_at" in name else 1 for name in schemas.columns(table)}
        path.write_text(json.dumps(row) + "\n")
    files["manifest_blobs"].write_text('{"position": "no number"}\n')
    with pytest.raises(GoogleAPICallError):
        warehouse.load_rows(files)
    for table, count in {"manifests": 1, "inventories": 0}.items():
        assert warehouse.query(f"select count(*) from {warehouse.raw}.{table}") == [(count,)]

"""The inventory lands on BigQuery, here local-bigquery, as on DuckDB.

What the emulator does not show: it makes no difference between REQUIRED and NULLABLE.
"""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from google.api_core.exceptions import GoogleAPICallError
from google.auth.credentials import AnonymousCredentials
from google.cloud import bigquery

from integration_tests.emulators import PROJECT, start_bigquery
from pullstats import schemas
from pullstats.registry_inventory import command
from pullstats.registry_inventory.bigquery_landing import BigQueryLanding
from pullstats.registry_inventory.command import EXIT_SET_ASIDE
from pullstats.registry_inventory.landing import TABLES
from tests.inventory.registries import FakeRegistry, image, index, inventory, query

ONE, TWO = image("one"), image("two")
OF_A_RUN = ("inventory_id", "listed_at", "completed_at")


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[bigquery.Client]:
    with start_bigquery(tmp_path_factory.mktemp("bigquery")) as address:
        client = bigquery.Client(
            PROJECT,
            AnonymousCredentials(),  # type: ignore[no-untyped-call]
            client_options={"api_endpoint": address},
        )
        yield client
        client.close()


def selection(table: schemas.Table) -> str:
    columns = [name for name in schemas.columns(table) if name not in OF_A_RUN]
    return f"select {', '.join(columns)} from %s.{table} order by " + ", ".join(
        f"{name} nulls last" for name in columns
    )


def test_when_it_lands_on_bigquery_then_the_rows_are_those_of_duckdb(
    fake: FakeRegistry, client: bigquery.Client, database: Path
) -> None:
    fake.catalog("a", "gone")
    fake.repository("a", v1=ONE, latest=ONE, multi=index(ONE, TWO), broken=b"{")
    fake.manifest("a", TWO)
    assert inventory(database, fake.host) == EXIT_SET_ASIDE
    for count in (1, 2):
        code = command.run([fake.host], False, 1, lambda: BigQueryLanding(client, "inventory_rows"))
        assert code == EXIT_SET_ASIDE
        for table in TABLES:
            expected = query(database, selection(table) % "storageanalysis")
            assert expected
            found = client.query_and_wait(selection(table) % "inventory_rows")
            # a second run adds an inventory, and to what is known of blobs nothing
            copies = 1 if table == "manifest_blobs" else count
            twice = [row for row in expected for _ in range(copies)]
            assert [tuple(row.values()) for row in found] == twice, table
    ((runs, times),) = client.query_and_wait(
        "select count(distinct inventory_id), countif(completed_at >= listed_at)"
        " from inventory_rows.inventories"
    )
    assert (runs, times) == (2, 2)


def test_when_a_load_job_fails_then_the_ledger_does_not_know_the_inventory(
    client: bigquery.Client, tmp_path: Path
) -> None:
    landing = BigQueryLanding(client, "inventory_broken")
    files = {table: tmp_path / f"{table}.json" for table in TABLES}
    for table, path in files.items():
        row = {name: "2024-05-29" if "_at" in name else 1 for name in schemas.columns(table)}
        path.write_text(json.dumps(row) + "\n")
    files["manifest_blobs"].write_text('{"position": "no number"}\n')
    with pytest.raises(GoogleAPICallError):
        landing.land(files)
    for table, count in {"manifests": 1, "inventories": 0}.items():
        found = client.query_and_wait(f"select count(*) from inventory_broken.{table}")
        assert [row[0] for row in found] == [count]

"""The table `networks`: all lists of one command, in place of those before."""

import json
import tempfile
from collections.abc import Iterable
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from pullstats import schemas
from pullstats.network_lists.lists import cidr, read
from pullstats.output import say

if TYPE_CHECKING:
    from pullstats.bigquery_warehouse import BigQueryWarehouse


def land(
    lists: Iterable[Path], database: Path, warehouse: "BigQueryWarehouse | None" = None
) -> None:
    """Replace the table by the networks of the lists, all or none of them."""
    with tempfile.TemporaryDirectory(prefix="pullstats-") as folder:
        rows = Path(folder) / "networks.jsonl"
        counts = write(rows, lists)
        if warehouse:
            replace_on_bigquery(warehouse, rows)
        else:
            replace(database, rows)
    for name, count in counts.items():
        say(f"{name}: {count:,} networks")


def write(rows: Path, lists: Iterable[Path]) -> dict[str, int]:
    """Write the networks of the lists as JSON lines; return how many each list has."""
    counts = {}
    loaded_at = f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S.%f}"
    with rows.open("w", encoding="utf-8") as file:
        for path in lists:
            networks = read(path)
            counts[str(path)] = len(networks)
            for each in networks:
                row = {
                    "list_name": path.name,
                    "network": cidr(each),
                    "ip_version": each.ip_version,
                    "first_block": each.first_block,
                    "block_count": each.block_count,
                    **asdict(each.facts),
                    "loaded_at": loaded_at,
                }
                file.write(json.dumps(row) + "\n")
    return counts


def replace(database: Path, rows: Path) -> None:
    """Read the rows into the table; DuckDB replaces it in one transaction."""
    with duckdb.connect(str(database)) as connection:
        connection.execute(f"create schema if not exists {schemas.SCHEMA}")
        connection.execute(
            f"create or replace table {schemas.SCHEMA}.networks as from read_json(?,"
            f" format = 'newline_delimited', columns = {schemas.columns('networks')})",
            [str(rows)],
        )


def replace_on_bigquery(warehouse: "BigQueryWarehouse", rows: Path) -> None:
    """Load the rows into the table with one job, in place of those that it has."""
    from google.cloud import bigquery  # noqa: PLC0415 - an extra

    config = bigquery.LoadJobConfig(
        source_format=bigquery.SourceFormat.NEWLINE_DELIMITED_JSON,
        write_disposition=bigquery.WriteDisposition.WRITE_TRUNCATE,
        schema=warehouse.client.schema_from_json(schemas.path("networks")),
    )
    client, dataset = warehouse.client, warehouse.dataset
    table = client.create_dataset(dataset, exists_ok=True).table("networks")
    with rows.open("rb") as file:
        client.load_table_from_file(file, table, job_config=config).result()

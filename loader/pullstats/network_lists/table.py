"""The table `networks`: all lists of one command, in place of those before."""

import json
import tempfile
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from pullstats.network_lists.lists import cidr, read
from pullstats.output import say

if TYPE_CHECKING:
    from pullstats.bigquery_warehouse import BigQueryWarehouse

SCHEMA = "storageanalysis"
COLUMNS = {
    "list_name": "STRING",
    "network": "STRING",
    "ip_version": "INT64",
    "first_block": "INT64",
    "block_count": "INT64",
    "cloud": "STRING",
    "cloud_region": "STRING",
    "asn": "INT64",
    "as_organization": "STRING",
    "country": "STRING",
    "loaded_at": "TIMESTAMP",
}


def land(
    lists: Iterable[Path], database: Path, warehouse: "BigQueryWarehouse | None" = None
) -> None:
    """Replace the table by the networks of the lists, all or none of them."""
    with tempfile.TemporaryDirectory(prefix="pullstats-") as folder:
        rows = Path(folder) / "networks.jsonl"
        counts = write(rows, lists)
        if warehouse:
            from pullstats.network_lists import bigquery_table  # noqa: PLC0415 - an extra

            bigquery_table.replace(warehouse.client, warehouse.dataset.dataset_id, rows)
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
                    **each.facts._asdict(),
                    "loaded_at": loaded_at,
                }
                file.write(json.dumps(row) + "\n")
    return counts


def replace(database: Path, rows: Path) -> None:
    """Read the rows into the table; DuckDB replaces it in one transaction."""
    with duckdb.connect(str(database)) as connection:
        connection.execute(f"create schema if not exists {SCHEMA}")
        connection.execute(
            f"create or replace table {SCHEMA}.networks as from"
            f" read_json(?, format = 'newline_delimited', columns = {COLUMNS})",
            [str(rows)],
        )

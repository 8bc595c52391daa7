"""The table `networks`: all lists of one command, in place of those before."""

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from pullstats.networks import cidr, read

if TYPE_CHECKING:
    from google.cloud import bigquery

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


def write(path: Path, lists: Iterable[Path]) -> dict[str, int]:
    """Write the networks of the lists as JSON lines; return how many each list has."""
    counts = {}
    loaded_at = f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S.%f}"
    with path.open("w", encoding="utf-8") as file:
        for each_list in lists:
            networks = read(each_list)
            counts[str(each_list)] = len(networks)
            for each in networks:
                row = {
                    "list_name": each_list.name,
                    "network": cidr(each),
                    "ip_version": each.ip_version,
                    "first_block": each.first_block,
                    "block_count": each.block_count,
                    **each.facts._asdict(),
                    "loaded_at": loaded_at,
                }
                file.write(json.dumps(row) + "\n")
    return counts


def replace_on_duckdb(database: Path, path: Path) -> None:
    with duckdb.connect(str(database)) as connection:
        connection.execute(f"create schema if not exists {SCHEMA}")
        connection.execute(
            f"create or replace table {SCHEMA}.networks as from"
            f" read_json(?, format = 'newline_delimited', columns = {COLUMNS})",
            [str(path)],
        )


def replace_on_bigquery(client: "bigquery.Client", dataset: str, path: Path) -> None:
    from google.cloud import bigquery

    config = bigquery.LoadJobConfig(
        source_format=bigquery.SourceFormat.NEWLINE_DELIMITED_JSON,
        write_disposition=bigquery.WriteDisposition.WRITE_TRUNCATE,
        clustering_fields=["ip_version", "block_count", "first_block"],
        schema=[bigquery.SchemaField(*column) for column in COLUMNS.items()],
    )
    table = bigquery.DatasetReference(client.project, dataset).table("networks")
    with path.open("rb") as rows:
        client.load_table_from_file(rows, table, job_config=config).result()

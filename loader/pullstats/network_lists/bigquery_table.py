"""The table `networks` on BigQuery: one load job, which replaces it."""

from pathlib import Path

from google.cloud import bigquery

from pullstats.network_lists.table import COLUMNS


def replace(client: bigquery.Client, dataset: str, rows: Path) -> None:
    """Load the rows into the table, in place of those that it has."""
    config = bigquery.LoadJobConfig(
        source_format=bigquery.SourceFormat.NEWLINE_DELIMITED_JSON,
        write_disposition=bigquery.WriteDisposition.WRITE_TRUNCATE,
        schema=[bigquery.SchemaField(*column) for column in COLUMNS.items()],
    )
    table = client.create_dataset(dataset, exists_ok=True).table("networks")
    with rows.open("rb") as file:
        client.load_table_from_file(file, table, job_config=config).result()

"""The inventory on BigQuery: a load job per table, from the rows' own files."""

from collections.abc import Mapping
from pathlib import Path

from google.cloud import bigquery

from pullstats.registry_inventory.landing import TABLES, ddl, known


class BigQueryLanding:
    """A dataset, made with its tables if missing.

    Four jobs are no transaction: the ledger's is the last. Manifests that it doesn't name yet are
    known all the same, and stay right: a digest names one content.
    """

    def __init__(self, client: bigquery.Client, dataset: str) -> None:
        self._client = client
        self._dataset = bigquery.DatasetReference(client.project, dataset)
        self._schema = f"`{client.project}.{dataset}`"
        client.query_and_wait(ddl(self._schema))

    def known(self, host: str) -> set[tuple[str, str]]:
        return {row.values() for row in self._client.query_and_wait(known(self._schema, host))}

    def land(self, files: Mapping[str, Path]) -> None:
        for table in TABLES:
            config = bigquery.LoadJobConfig(
                source_format=bigquery.SourceFormat.NEWLINE_DELIMITED_JSON,
                create_disposition=bigquery.CreateDisposition.CREATE_NEVER,
                write_disposition=bigquery.WriteDisposition.WRITE_APPEND,
                schema=[
                    bigquery.SchemaField(
                        name, kind.split()[0], "REQUIRED" if "NOT NULL" in kind else "NULLABLE"
                    )
                    for name, kind in TABLES[table].items()
                ],
            )
            if files[table].stat().st_size:
                with files[table].open("rb") as rows:
                    job = self._client.load_table_from_file(
                        rows, self._dataset.table(table), job_config=config
                    )
                job.result()

    def close(self) -> None:
        """Clients need no closing."""

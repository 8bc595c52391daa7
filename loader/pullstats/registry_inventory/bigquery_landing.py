"""The inventory on BigQuery: a load job per table, from the rows' own files."""

from collections.abc import Mapping
from pathlib import Path

from google.cloud import bigquery

from pullstats import schemas
from pullstats.registry_inventory.landing import KNOWN, TABLES


class BigQueryLanding:
    """A dataset, made with its tables if missing.

    Four jobs are no transaction: the ledger's is the last, and what it doesn't name is not read.
    """

    def __init__(self, client: bigquery.Client, dataset: str) -> None:
        self._client, self._dataset = client, bigquery.DatasetReference(client.project, dataset)
        wanted = bigquery.Dataset(self._dataset)
        wanted.location = client.location
        client.create_dataset(wanted, exists_ok=True)
        self._schemas = {name: client.schema_from_json(schemas.path(name)) for name in TABLES}
        for name, schema in self._schemas.items():
            client.create_table(bigquery.Table(self._dataset.table(name), schema), exists_ok=True)

    def known(self, host: str) -> set[tuple[str, str]]:
        schema = f"`{self._dataset.project}.{self._dataset.dataset_id}`"
        found = self._client.query_and_wait(KNOWN.format(schema, host))
        return {row.values() for row in found}

    def land(self, files: Mapping[schemas.Table, Path]) -> None:
        for name, schema in self._schemas.items():
            config = bigquery.LoadJobConfig(
                source_format=bigquery.SourceFormat.NEWLINE_DELIMITED_JSON,
                create_disposition=bigquery.CreateDisposition.CREATE_NEVER,
                write_disposition=bigquery.WriteDisposition.WRITE_APPEND,
                schema=schema,
            )
            if files[name].stat().st_size:
                with files[name].open("rb") as rows:
                    place = self._dataset.table(name)
                    self._client.load_table_from_file(rows, place, job_config=config).result()

    def close(self) -> None:
        """Clients need no closing."""

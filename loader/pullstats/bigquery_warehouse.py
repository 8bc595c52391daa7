"""Raw on BigQuery: load jobs from gs://, and a ledger of what they loaded.

The id of a load job is a hash of what it loads. BigQuery accepts an id once, so a loader that asks
for an existing job waits for it. The ledger is written when the jobs are done. An object that was
loaded and is not yet in the ledger lands again if the next loader has it in another batch, because
two loaders run, or one was killed and more objects have arrived. The models remove equal rows.
Objects whose rows in the ledger were deleted land again, with other ids.
"""

import hashlib
import json
import os
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing
from datetime import UTC, datetime
from functools import cached_property, partial
from itertools import count
from pathlib import Path
from typing import Any

from google.api_core.exceptions import Conflict, GoogleAPICallError, NotFound
from google.cloud import bigquery
from google.cloud.storage import Client

from pullstats import bigquery_client, plan, rows, schemas
from pullstats.bigquery_client import LABELS
from pullstats.duckdb_warehouse import DuckDBWarehouse
from pullstats.plan import BatchResult, Found, LogObject

Job = Any  # a LoadJob, which google-cloud-bigquery leaves untyped
Record = dict[str, Any]

# The columns that queries look for first.
_CLUSTERED = {
    "usage": ["cs_bucket", "cs_operation"],
    "loaded_objects": ["log_hour", "object_uri"],
}
# What of a table is written as JSON: numbers as text, since they would be floats.
_IN_JSON = {
    "rejected_lines": "* replace (base64(line_bytes) as line_bytes)",
    "usage": "columns(* exclude _partitiontime)::varchar",
    "storage": "columns(* exclude _partitiontime)::varchar",
    "audit_logs": "* exclude _partitiontime",
}


class BadDataError(ValueError):
    """BigQuery refuses the data, however often it is loaded."""


class BigQueryWarehouse:
    """A dataset, made with its tables by the first load if missing."""

    # Half of BigQuery's 10,000 uris, so that a job of long names fits into a request of 10 MB.
    max_objects = 5_000
    max_bytes = 256 * 1024 * 1024
    # What BigQuery can't load by itself is read here. Its rows are a temporary file, which is in
    # memory on Cloud Run.
    max_read_bytes = 64 * 1024 * 1024
    _landing = 0

    def __init__(self) -> None:
        """Make the clients, with the settings of the environment."""
        given = os.environ.get
        self.client = bigquery_client.make()
        self.storage = Client(self.client.project)
        name = given("PULLSTATS_DATASET", "storageanalysis")
        self.dataset = bigquery.DatasetReference(self.client.project, name)
        self.raw = name
        self._ledger = f"`{self.dataset.project}.{name}.loaded_objects`"
        self.landed = f"(select * from {self._ledger} where error is null)"
        days = given("PULLSTATS_USAGE_DAYS") or "400"
        if not days.isdecimal():
            raise ValueError(f"PULLSTATS_USAGE_DAYS is a number of days, not {days}")
        self._usage_days = int(days)

    def close(self) -> None:
        """Clients need no closing."""

    def query(self, sql: str, since: datetime | None = None) -> list[tuple[Any, ...]]:
        parameter = bigquery.ScalarQueryParameter("since", "TIMESTAMP", since or datetime.min)
        config = bigquery.QueryJobConfig(labels=LABELS, query_parameters=[parameter])
        return [tuple(row.values()) for row in self.client.query(sql, config).result()]

    def has_table(self, name: str) -> bool:
        """Return whether the project has a table of this name, `dataset.table`."""
        try:
            return bool(self.client.get_table(f"{self.client.project}.{name}"))
        except NotFound:
            return False

    def changed_at(self) -> datetime | None:
        """Return when a table of the dataset was last changed. No query: nothing is billed."""
        tables = self.client.list_tables(self.dataset)
        return max((self.client.get_table(each).modified for each in tables), default=None)

    def ledger(self, since: datetime | None = None) -> dict[str, Found]:
        """Return what is known of objects by uri, of those of an hour and later."""
        try:
            found = self.query(
                "select object_uri, size_bytes, checksum, generation, error"
                f" from {self._ledger} where log_hour >= @since"
                " order by error is null, loaded_at",
                since,
            )
        except NotFound:
            return {}
        return {
            uri: Found(uri, size, checksum=checksum, generation=generation, fault=error)
            for uri, size, checksum, generation, error in found
        }

    def load(self, objects: list[LogObject]) -> BatchResult:
        """Land a batch, then write its results into the ledger.

        Raises GoogleAPICallError for an error that concerns more than one object. The next load
        then continues.
        """
        result, landings = BatchResult(), list[Record]()
        self._landing = next(n for n in count() if not self._is_recorded(objects, n))
        if self._landing:
            # another loader was faster, or rows and ledger were deleted so that they land again
            first = objects[0]
            if first.uri in self.ledger(first.name.hour):
                return result
        unread = dict.fromkeys(each for each in objects if each.name.kind == "usage")
        if unread:
            try:
                landings += self._load_unread([*unread], result)
            except BadDataError:
                unread.clear()
        others = [each for each in objects if each not in unread]
        for batch in plan.batches(others, self.max_objects, self.max_read_bytes):
            landings += self._load_read(batch, result)
        now = {"loaded_at": str(datetime.now(UTC))}
        landed = partial(
            self.client.load_table_from_json,
            [each | now for each in landings],
            self.dataset.table("loaded_objects"),
            job_config=self._config("loaded_objects"),
        )
        self._run("loaded_objects", objects, landed)
        return result

    def table(self, name: str) -> bigquery.Table:
        """Describe a table as it is made."""
        schema = self.client.schema_from_json(schemas.path(name))
        table = bigquery.Table(self.dataset.table(name), schema)
        table.labels = LABELS
        if name in schemas.ROWS:
            # A table has 10,000 partitions at most: 416 days of hours.
            days = self._usage_days * (name != "storage")
            table.time_partitioning = bigquery.TimePartitioning(
                type_="HOUR", expiration_ms=days * 86_400_000 or None
            )
        table.clustering_fields = _CLUSTERED.get(name)
        return table

    def create(self, tables: Iterable[str]) -> bigquery.Table:
        """Make the dataset and tables where they are missing; return the last one."""
        dataset = bigquery.Dataset(self.dataset)
        dataset.location, dataset.labels = self.client.location, LABELS
        self.client.create_dataset(dataset, exists_ok=True)
        return [self.client.create_table(self.table(each), exists_ok=True) for each in tables][-1]

    def load_rows(self, files: Mapping[str, Path], replace: bool = False) -> None:
        """Load rows, a file of JSON lines per table, with a job each."""
        write = "WRITE_TRUNCATE" if replace else "WRITE_APPEND"
        for table, file in files.items():
            if file.stat().st_size:
                self._upload(table, file, write_disposition=write).result()

    def _upload(self, table: str, file: Path, job_id: str | None = None, **more: Any) -> Job:
        config, upload = self._config(table, **more), self.client.load_table_from_file
        with file.open("rb") as opened:
            return upload(opened, self.dataset.table(table), job_id=job_id, job_config=config)

    @cached_property
    def _lineage(self) -> str:
        """Make what is missing. Ids include the ledger's creation time: a new one starts over."""
        try:
            ledger = self.client.get_table(self.dataset.table("loaded_objects"))
        except NotFound:
            ledger = self.create(schemas.TABLES)
        return f"pullstats_{self.dataset.dataset_id}_{ledger.created:%Y%m%d%H%M%S%f}"

    def _ids(self, name: str, objects: list[LogObject], landing: int) -> Iterator[str]:
        """Give the ids of the attempts at a job: as often as objects land again, others."""
        lines = [name, *sorted(f"{each.uri}#{each.generation}" for each in objects)]
        digest = hashlib.sha256("\n".join(lines + [""] * landing).encode()).hexdigest()[:32]
        return (f"{self._lineage}_{digest}_{attempt}" for attempt in count(1))

    def _is_recorded(self, objects: list[LogObject], landing: int) -> bool:
        """Return whether a load of just these objects has come to its end: to the ledger."""
        for job_id in self._ids("loaded_objects", objects, landing):
            try:
                job: Job = self.client.get_job(job_id)
                if not job.exception():
                    return True
            except NotFound:
                break
        return False

    def _run(self, name: str, objects: list[LogObject], submit: Callable[..., Job]) -> Job:
        """Submit the job, or wait for the one that has its id; return it done.

        BigQuery accepts the id of a failed job no more, so the next attempt, in a later load, has
        the next number. If the data is bad, each attempt raises BadDataError.
        """
        for job_id in self._ids(name, objects, self._landing):
            is_mine = True
            try:
                job = submit(job_id=job_id)
            except Conflict:
                job, is_mine = self.client.get_job(job_id), False
            try:
                job.result()
                return job
            except GoogleAPICallError as error:
                # without a reason it is not the job that failed, but asking for it
                reason = (job.error_result or {}).get("reason")
                if reason in ("invalid", "notFound"):
                    raise BadDataError(str(error)) from error
                if is_mine or reason is None:
                    raise

    def _load_unread(self, objects: list[LogObject], result: BatchResult) -> list[Record]:
        """Have BigQuery load usage logs from Cloud Storage, all or none."""
        config = self._config(
            "usage",
            source_format="CSV",
            skip_leading_rows=1,
            allow_quoted_newlines=True,
            preserve_ascii_control_characters=True,
        )
        uris, table = [each.uri for each in objects], self.dataset.table("usage")
        load = partial(self.client.load_table_from_uri, uris, table, job_config=config)
        job = self._run("usage", objects, load)
        result.include(BatchResult(len(objects), job.output_rows))
        # BigQuery counts by job
        counts = {"row_count": job.output_rows if len(objects) == 1 else None, "rejected_count": 0}
        return [each.known | counts | _about(job) for each in objects]

    def _load_read(self, objects: list[LogObject], result: BatchResult) -> list[Record]:
        """Read objects here, and load what lands of them on DuckDB."""
        about: dict[str, Record] = {}
        with (
            tempfile.TemporaryDirectory() as folder,
            closing(DuckDBWarehouse(Path(":memory:"))) as read,
        ):
            read_result = read.load(objects)
            result.include(read_result)
            for table in ("rejected_lines", *schemas.ROWS):
                file = Path(folder, f"{table}.json")
                selected = f"select {_IN_JSON[table]} from {schemas.SCHEMA}.{table}"
                read.query(f"copy ({selected}) to '{file}' (format json)")
                if file.stat().st_size:
                    # refused usage logs have spent the name of their own job
                    upload = partial(self._upload, table, file)
                    about[table] = _about(self._run(f"{table}, read", objects, upload))
            landed = read.query(f"select to_json(landed) from {read.landed} as landed")
        landings = [json.loads(text) for (text,) in landed]
        unread = {"row_count": 0, "rejected_count": 0}
        return [each | about.get(rows.TABLES[each["kind"]], {}) for each in landings] + [
            each.known | unread | {"error": read_result.unreadable[each.uri]}
            for each in objects
            if each.uri in read_result.unreadable
        ]

    def _config(self, table: str, **more: Any) -> bigquery.LoadJobConfig:
        common = {
            "schema": self.client.schema_from_json(schemas.path(table)),
            "source_format": "NEWLINE_DELIMITED_JSON",
            "max_bad_records": 0,
            "create_disposition": "CREATE_NEVER",
            "write_disposition": "WRITE_APPEND",
            "labels": LABELS,
        }
        return bigquery.LoadJobConfig(**(common | more))


def _about(job: Job) -> Record:
    counts = {"job_row_count": job.output_rows, "job_bytes": job.input_file_bytes}
    return {"job_id": job.job_id} | counts

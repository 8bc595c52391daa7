"""Raw on BigQuery: load jobs from gs://, and a ledger of what they loaded.

The id of a load job is a hash of what it loads, and BigQuery takes an id once: to ask for a job
that there is means to wait for it. The ledger is written when the jobs are done. An object that was
loaded and is not yet in the ledger lands again if the next loader puts it into another batch: two
loaders at work, or one that was killed and came back to more objects. The models remove equal rows.
"""

import base64
import hashlib
import os
import re
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import cached_property, partial
from itertools import count
from pathlib import Path
from typing import Any

from google.api_core.exceptions import Conflict, GoogleAPICallError, NotFound
from google.auth.credentials import AnonymousCredentials
from google.cloud import bigquery
from google.cloud.storage import Client

from pullstats import formats
from pullstats.csv_log import NotALogError, RejectedLine
from pullstats.log_names import Kind
from pullstats.plan import LedgerEntry, LogObject
from pullstats.warehouse import BatchResult

Job = Any  # a LoadJob, which google-cloud-bigquery leaves untyped
Record = dict[str, Any]


class BadDataError(ValueError):
    """BigQuery has refused what was to be loaded, and will again."""


class BigQueryWarehouse:
    """A dataset, made with its tables by the first load if missing."""

    # Half of BigQuery's 10,000 uris, so that a job of long names fits into a request of 10 MB. What
    # BigQuery refuses is read here, into a temporary file.
    max_objects = 5_000
    max_bytes = 2 * 10**9
    by_uri = True

    def __init__(
        self,
        project: str | None = None,
        location: str | None = None,
        dataset: str | None = None,
        labels: Sequence[str] = (),
        usage_days: int | None = None,
    ) -> None:
        """Make the clients; what isn't given is taken from PULLSTATS_PROJECT and so on."""
        given = os.environ.get
        # as the client of Cloud Storage does by itself
        anonymous: Any = AnonymousCredentials
        self.client = bigquery.Client(
            project or given("PULLSTATS_PROJECT"),
            anonymous() if given("BIGQUERY_EMULATOR_HOST") else None,
            location=location or given("PULLSTATS_LOCATION", "US"),
        )
        self.storage = Client(self.client.project)
        self.dataset = bigquery.DatasetReference(
            self.client.project, dataset or given("PULLSTATS_DATASET", "storageanalysis")
        )
        self._ledger = f"`{self.dataset.project}.{self.dataset.dataset_id}.loaded_objects`"
        self.landed = f"(select * from {self._ledger} where error is null)"
        pairs = [*labels] or (given("PULLSTATS_LABELS") or "app=pullstats").split(",")
        if wrong := [pair for pair in pairs if not re.fullmatch("[^=]+=[^=]*", pair)]:
            raise ValueError(f"labels are KEY=VALUE, not {', '.join(wrong)}")
        self._labels = dict(pair.split("=") for pair in pairs)
        days = (given("PULLSTATS_USAGE_DAYS") or "400") if usage_days is None else str(usage_days)
        if not days.isdecimal():
            raise ValueError(f"PULLSTATS_USAGE_DAYS is a number of days, not {days}")
        self._usage_days = int(days)

    def close(self) -> None:
        """Clients need no closing."""

    def remember(self, objects: list[LogObject]) -> None:
        """Files don't land here."""

    def faults(self) -> list[str]:
        """Compare the rows that tables hold with those that landed and have not expired."""
        days = self._usage_days - 1 if self._usage_days else 36_500
        try:
            landed = self.query(
                "select kind, sum(job_row_count) from (select distinct kind, job_id, job_row_count"
                f" from {self._ledger} where job_row_count is not null and loaded_at >"
                f" timestamp_sub(current_timestamp(), interval {days} day)) group by 1 order by 1"
            )
        except NotFound:
            return []
        faults = []
        for kind, row_count in landed:
            table = self.dataset.table(formats.TABLES[kind].name)
            held = self.client.get_table(table).num_rows
            if held < row_count:
                faults.append(f"{table} holds {held:,} rows, but {row_count:,} have landed")
        return faults

    def query(self, sql: str, uris: Sequence[str] = ()) -> list[tuple[Any, ...]]:
        parameter = bigquery.ArrayQueryParameter("uris", "STRING", uris)
        config = bigquery.QueryJobConfig(labels=self._labels, query_parameters=[parameter])
        return [tuple(row.values()) for row in self.client.query(sql, config).result()]

    def ledger(self, uris: Sequence[str] | None = None) -> dict[str, LedgerEntry]:
        sql = (
            f"select object_uri, size_bytes, checksum, generation, error from {self._ledger}"
            f" where {uris is None} or object_uri in unnest(@uris)"
            " order by error is null, loaded_at"
        )
        try:
            found = self.query(sql, uris or [])
        except NotFound:
            return {}
        return {
            uri: LedgerEntry(size, checksum, generation, error=error)
            for uri, size, checksum, generation, error in found
        }

    def load(self, objects: list[LogObject]) -> BatchResult:
        """Land a batch, then write into the ledger what became of it.

        Raises GoogleAPICallError for what is no single object's fault; the next load goes on.
        """
        result, landings = BatchResult(), list[Record]()
        for kind in formats.TABLES:
            mine = [each for each in objects if each.name.kind == kind]
            # the others must be read: compressed, or cut off when they landed
            whole = [each for each in mine if each.checksum and not each.landed_bytes]
            if kind == "usage" and whole:
                try:
                    landings += self._load_unread(whole, result)
                    mine = [each for each in mine if not each.checksum or each.landed_bytes]
                except BadDataError:
                    pass
            if mine:
                landings += self._load_read(kind, mine, result)
        self._load_records("loaded_objects", objects, landings)
        return result

    def ddl(self) -> str:
        """Write the statements that make dataset and tables; no `usage_days` keeps raw forever."""
        settings = {
            "dataset": f"{self.dataset.project}.{self.dataset.dataset_id}",
            "location": self.client.location,
            "labels": list(self._labels.items()),
            "usage_days": self._usage_days or "null",
        }
        columns = {
            f"{table.name}_columns": ", ".join(f"{x} {kind}" for x, kind in table.columns.items())
            for table in formats.TABLES.values()
        }
        return (Path(__file__).parent / "bigquery.sql").read_text().format(**columns, **settings)

    @cached_property
    def _lineage(self) -> str:
        """Make what is missing. Ids include the ledger's creation time: a new one starts over."""
        ledger = self.dataset.table("loaded_objects")
        try:
            created = self.client.get_table(ledger).created
        except NotFound:
            self.client.query(self.ddl()).result()
            created = self.client.get_table(ledger).created
        return f"pullstats_{self.dataset.dataset_id}_{created:%Y%m%d%H%M%S%f}"

    def _run(self, name: str, objects: list[LogObject], submit: Callable[[str], Job]) -> Job:
        """Submit the job, or wait for the one that has its id; return it done.

        A failed id is spent: the next attempt, in a later load, has the next number. Not so if the
        data is bad: that raises BadDataError, again and again.
        """
        lines = "\n".join([name, *sorted(f"{each.uri}#{each.generation}" for each in objects)])
        digest = hashlib.sha256(lines.encode()).hexdigest()[:32]
        for attempt in count(1):
            job_id = f"{self._lineage}_{digest}_{attempt}"
            is_mine = True
            try:
                job = submit(job_id)
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
        uris, config = [each.uri for each in objects], self._config("usage", skip_leading_rows=1)
        load = partial(self.client.load_table_from_uri, uris, self.dataset.table("usage"))
        job = self._run("usage", objects, lambda id_: load(job_id=id_, job_config=config))
        result.objects += len(objects)
        result.rows += job.output_rows
        # BigQuery counts by job
        row_count = job.output_rows if len(objects) == 1 else None
        return [_landing(each, job, each.content(), (row_count, 0)) for each in objects]

    def _load_read(self, kind: Kind, objects: list[LogObject], result: BatchResult) -> list[Record]:
        """Read objects of one kind here, load their good rows, and set the bad lines aside."""
        read: list[tuple[LogObject, formats.Content]] = []
        landings: list[Record] = []
        table, config, job = formats.TABLES[kind].name, self._config(kind), None
        with tempfile.TemporaryFile() as rows:
            for each in objects:
                try:
                    content = formats.read(each)
                except (OSError, NotALogError) as error:
                    result.unreadable[each.uri] = str(error)
                    about = each.size, each.checksum or ""
                    landings.append(_landing(each, None, about, (0, 0), str(error)))
                    continue
                rows.write(content.rows)
                read.append((each, replace(content, rows=b"")))
                result.add(each.uri, *content.counts)
            rejected = [_rejection(each, line) for each, known in read for line in known.rejected]
            self._load_records("rejected_lines", objects, rejected)
            if rows.tell():
                load = partial(self.client.load_table_from_file, rows, self.dataset.table(table))
                job = self._run(
                    f"{table}, read",
                    objects,
                    lambda id_: load(rewind=True, job_id=id_, job_config=config),
                )
        known = [_landing(each, job, about.fingerprint, about.counts) for each, about in read]
        return landings + known

    def _load_records(self, table: str, objects: list[LogObject], records: list[Record]) -> None:
        def submit(job_id: str) -> Job:
            target = self.client.get_table(self.dataset.table(table))
            config = bigquery.LoadJobConfig(schema=target.schema, **self._options)
            return self.client.load_table_from_json(
                records, target, job_id=job_id, job_config=config
            )

        if records:
            self._run(table, objects, submit)

    def _config(self, kind: Kind, skip_leading_rows: int = 0) -> bigquery.LoadJobConfig:
        table = formats.TABLES[kind]
        return bigquery.LoadJobConfig(
            schema=[bigquery.SchemaField(*column) for column in table.columns.items()],
            source_format="CSV",
            skip_leading_rows=skip_leading_rows,
            field_delimiter=table.delimiter,
            quote_character=table.quote,
            allow_quoted_newlines=True,
            preserve_ascii_control_characters=True,
            max_bad_records=0,
            **self._options,
        )

    @property
    def _options(self) -> Record:
        return {
            "create_disposition": "CREATE_NEVER",
            "write_disposition": "WRITE_APPEND",
            "labels": self._labels,
        }


def _rejection(each: LogObject, line: RejectedLine) -> Record:
    content = base64.b64encode(line.content).decode()
    place = {"object_uri": each.uri, "line_number": line.number, "reason": line.reason}
    return place | {"line_bytes": content, "loaded_at": str(datetime.now(UTC))}


def _landing(
    each: LogObject,
    job: Job | None,
    fingerprint: tuple[int, str],
    counts: tuple[int | None, int],
    error: str | None = None,
) -> Record:
    return {
        "object_uri": each.uri,
        "generation": each.generation,
        "kind": each.name.kind,
        "log_hour": str(each.name.hour),
        "size_bytes": fingerprint[0],
        "checksum": fingerprint[1],
        "row_count": counts[0],
        "rejected_count": counts[1],
        "job_id": job and job.job_id,
        "job_row_count": job and job.output_rows,
        "job_bytes": job and job.input_file_bytes,
        "error": error,
        "loaded_at": str(datetime.now(UTC)),
    }

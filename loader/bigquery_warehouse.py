"""Raw on BigQuery: load jobs from gs://, each object exactly once.

Each step is a job that is done once, by its id (see bigquery_jobs.py):

1. `planned_objects`: one INSERT makes plan N of the objects that no plan has yet. Its id is N, one
   more than the last plan. Of two loaders that read the same ledger one gets N; the other gets a
   409, waits, and plans N + 1 in sight of N. (An INSERT or an insert-only MERGE under an id of its
   own would not do: BigQuery runs them side by side, on snapshots that don't show each other.)
2. Load jobs, whose ids are a hash of what they load: table and (uri, generation) pairs.
3. `loaded_objects`: what became of each object of the plan, one INSERT.

So any process may carry out any plan, from any point, any number of times. Whoever meets an object
of an unfinished plan does: what was killed needs no time limit and no clean-up.
"""

import base64
import hashlib
import json
import os
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import cached_property, partial
from pathlib import Path
from typing import Any

from google.api_core.exceptions import NotFound
from google.auth.credentials import AnonymousCredentials
from google.cloud import bigquery
from google.cloud.storage import Client

from loader import gcs
from loader.bigquery_jobs import BadDataError, Job, Jobs
from loader.plan import LedgerEntry, LogObject
from loader.warehouse import BatchResult, Status, status
from logformat import rows

Record = dict[str, Any]

# BigQuery remembers the ids of jobs for about six months.
_MAX_PLAN_AGE = timedelta(days=150)


class BigQueryWarehouse:
    """A dataset, made with its tables by the first load if missing."""

    # Half of BigQuery's 10,000 uris, so that a plan of long names fits into a request of 10 MB.
    max_objects = 5_000
    max_bytes = 15 * 10**12

    def __init__(
        self,
        project: str | None = None,
        location: str | None = None,
        dataset: str | None = None,
        labels: Sequence[str] = (),
        usage_days: str | None = None,
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
        pairs = [*labels] or given("PULLSTATS_LABELS", "app=pullstats").split(",")
        self._labels = dict(pair.split("=", 1) for pair in pairs)
        self._usage_days = int(usage_days or given("PULLSTATS_USAGE_DAYS", "400"))

    def close(self) -> None:
        """Clients need no closing."""

    def ledger(self, uris: Sequence[str] | None = None) -> dict[str, LedgerEntry]:
        sql = (
            f"select object_uri, size_bytes, checksum, error from {self._name('loaded_objects')}"
            f" where {uris is None} or object_uri in unnest(@uris) order by error is null"
        )
        try:
            found = self._query(sql, uris or [])
        except NotFound:
            return {}
        return {uri: LedgerEntry(size, check, error) for uri, size, check, error in found}

    def status(self) -> Status:
        return status(self._query, f"{self._name('loaded_objects')} where error is null")

    def load(self, objects: list[LogObject]) -> BatchResult:
        """Plan what no plan has yet; carry out every unfinished plan that has one of the objects.

        Raises GoogleAPICallError for what is no single object's fault; the next load goes on.
        """
        result, jobs = BatchResult(), self._jobs
        uris = [each.uri for each in objects]
        in_plans = f"select * from {self._history} where object_uri in unnest(@uris)"
        found = self._query(in_plans, uris)
        taken = {uri for uri, _, _, error in found if error is None}
        if new := [each for each in objects if each.uri not in taken]:
            self._plan(jobs, new)
            found = self._query(in_plans, uris)
        for number in sorted({plan for _, plan, loaded_at, _ in found if loaded_at is None}):
            self._carry_out(number, result)
        return result

    def ddl(self) -> str:
        """Write the statements that make dataset and tables; no `usage_days` keeps raw for ever."""

        def columns(names: dict[str, str]) -> str:
            return ", ".join(f"{name} {kind.lower()}" for name, kind in names.items())

        template = Path(__file__).with_name("bigquery.sql").read_text()
        return template.format(
            dataset=f"{self.dataset.project}.{self.dataset.dataset_id}",
            location=self.client.location,
            labels=list(self._labels.items()),
            usage_days=self._usage_days or "null",
            usage_columns=columns(rows.USAGE_COLUMNS),
            storage_columns=columns(rows.STORAGE_COLUMNS),
        )

    @cached_property
    def _jobs(self) -> Jobs:
        """Make what is missing. The ids of jobs hold the ledger's birth: anew made, anew begun."""
        ledger = self.dataset.table("planned_objects")
        try:
            made = self.client.get_table(ledger)
        except NotFound:
            self.client.query(self.ddl()).result()
            made = self.client.get_table(ledger)
        lineage = f"pullstats_{self.dataset.dataset_id}_{made.created:%Y%m%d%H%M%S%f}"
        return Jobs(self.client, lineage)

    def _name(self, table: str) -> str:
        return f"`{self.dataset.project}.{self.dataset.dataset_id}.{table}`"

    def _query(self, sql: str, uris: Sequence[str] = (), plan: int = 0) -> list[tuple[Any, ...]]:
        config = bigquery.QueryJobConfig(
            labels=self._labels,
            query_parameters=[
                bigquery.ArrayQueryParameter("uris", "STRING", uris),
                bigquery.ScalarQueryParameter("plan", "INT64", plan),
            ],
        )
        return [tuple(row.values()) for row in self.client.query(sql, config).result()]

    def _insert(
        self, table: str, records: list[Record], job_id: str, condition: str = "true"
    ) -> Job:
        """Submit an INSERT: unlike a load job, DML is never refused for its number a day."""
        schema = self.client.get_table(self.dataset.table(table)).schema
        types = {field.name: field.to_standard_sql().type.type_kind.name for field in schema}
        values = (f"cast(json_value(x, '$.{name}') as {t}) as {name}" for name, t in types.items())
        sql = (
            f"insert into {self._name(table)} ({', '.join(types)})"
            f" select * from (select {', '.join(values)} from unnest(json_query_array(@records)) x)"
            f" where {condition}"
        )
        text = bigquery.ScalarQueryParameter("records", "STRING", json.dumps(records, default=str))
        config = bigquery.QueryJobConfig(labels=self._labels, query_parameters=[text])
        return self.client.query(sql, config, job_id=job_id, job_retry=None)

    @property
    def _history(self) -> str:
        return (
            "(select planned.object_uri, planned.plan, loaded.loaded_at, loaded.error"
            f" from {self._name('planned_objects')} as planned"
            f" left join {self._name('loaded_objects')} as loaded on planned.object_uri"
            " = loaded.object_uri and planned.generation = loaded.generation)"
        )

    def _plan(self, jobs: Jobs, objects: list[LogObject]) -> None:
        """Make the next plan of those of the objects that no plan has, or only a failed one."""
        ((last,),) = self._query(f"select max(plan) from {self._name('planned_objects')}")
        is_free = f"object_uri not in (select object_uri from {self._history} where error is null)"

        def submit(job_id: str, number: int) -> Job:
            now = datetime.now(UTC)
            records = [_record(each, plan=number, planned_at=now) for each in objects]
            return self._insert("planned_objects", records, job_id, is_free)

        jobs.run_next("plan", last or 0, submit)

    def _carry_out(self, plan: int, result: BatchResult) -> None:
        found = self._query(
            "select object_uri, generation, size_bytes, checksum, planned_at"
            f" from {self._name('planned_objects')} where plan = @plan order by 1",
            plan=plan,
        )
        if found[0][-1] < datetime.now(UTC) - _MAX_PLAN_AGE:
            raise ValueError(f"plan {plan} is old and not finished: see docs/deploy.md")
        places = [gcs.found(self.storage, *place) for *place, _ in found]
        objects = [each for place in places if (each := LogObject.of(place, by_uri=True))]
        usage = [each for each in objects if each.is_usage]
        storage_logs = [each for each in objects if not each.is_usage]
        records = self._load_natively(plan, usage, result) if usage else []
        # The day of a storage log stands only in its name, and a load job can't add a column:
        # these objects, a few lines each, are read here.
        records += self._load_parsed(plan, storage_logs, result) if storage_logs else []
        self._jobs.run(f"{plan}_loaded", partial(self._insert, "loaded_objects", records))

    def _load_natively(
        self, plan: int, objects: list[LogObject], result: BatchResult
    ) -> list[Record]:
        """Have BigQuery load usage logs; halve what it refuses until the bad object is alone."""
        config = self._config(
            schema=[bigquery.SchemaField(*column) for column in rows.USAGE_COLUMNS.items()],
            source_format="CSV",
            skip_leading_rows=1,
            allow_quoted_newlines=True,
            preserve_ascii_control_characters=True,
            max_bad_records=0,
        )
        uris, table = [each.uri for each in objects], self.dataset.table("usage")
        load = partial(self.client.load_table_from_uri, uris, table, job_config=config)
        try:
            job = self._jobs.run(_load_name(plan, "usage", objects), lambda id_: load(job_id=id_))
        except BadDataError:
            middle = len(objects) // 2
            if not middle:
                return self._load_parsed(plan, objects, result)
            halves = objects[:middle], objects[middle:]
            return [x for half in halves for x in self._load_natively(plan, half, result)]
        result.objects += len(objects)
        result.rows += job.output_rows
        rows_alone = job.output_rows if len(objects) == 1 else None
        return [_outcome(each, job, row_count=rows_alone, rejected_count=0) for each in objects]

    def _load_parsed(
        self, plan: int, objects: list[LogObject], result: BatchResult
    ) -> list[Record]:
        """Read objects of one kind here; load their good records, set their bad lines aside."""
        kind = objects[0].name.kind
        columns = rows.COLUMNS[kind]
        good: list[Record] = []
        bad: list[Record] = []
        outcomes: list[tuple[LogObject, Record]] = []
        for each in objects:
            parsed, error = rows.ParsedObject(), None
            try:
                parsed = rows.parse(each.read(), columns)
            except (OSError, rows.NotALogError) as fault:
                error = str(fault)
            name = {"object_uri": each.uri, "log_hour": str(each.name.hour)}
            for record in parsed.records:
                typed = zip(columns.items(), record, strict=True)
                good.append({c: v if v or k == "STRING" else None for (c, k), v in typed})
                good[-1] |= {} if each.is_usage else name
            for line in parsed.rejected:
                bad.append({"object_uri": each.uri, "line_number": line.number})
                bad[-1] |= {"reason": line.reason, "loaded_at": str(datetime.now(UTC))}
                bad[-1]["line_bytes"] = base64.b64encode(line.content).decode()
            counts = {"row_count": len(parsed.records), "rejected_count": len(parsed.rejected)}
            outcomes.append((each, counts | {"error": error}))
            result.add(each.uri, **counts, error=error)
        self._load_records(plan, "rejected_lines", objects, bad)
        job = self._load_records(plan, kind, objects, good)
        return [_outcome(each, job, **outcome) for each, outcome in outcomes]

    def _load_records(
        self, plan: int, table: str, objects: list[LogObject], records: list[Record]
    ) -> Job | None:
        if not records:
            return None
        target = self.client.get_table(self.dataset.table(table))
        load = partial(self.client.load_table_from_json, records, target)
        config = self._config(schema=target.schema)
        name = f"{_load_name(plan, table, objects)}_parsed"
        return self._jobs.run(name, lambda id_: load(job_id=id_, job_config=config))

    def _config(self, **options: Any) -> bigquery.LoadJobConfig:
        return bigquery.LoadJobConfig(
            create_disposition="CREATE_NEVER",
            write_disposition="WRITE_APPEND",
            labels=self._labels,
            **options,
        )


def _load_name(plan: int, table: str, objects: list[LogObject]) -> str:
    lines = "\n".join([table, *sorted(f"{each.uri}#{each.generation}" for each in objects)])
    return f"{plan}_{hashlib.sha256(lines.encode()).hexdigest()[:32]}"


def _record(each: LogObject, **more: object) -> Record:
    content = {"size_bytes": each.size, "checksum": each.checksum()}
    return {"object_uri": each.uri, "generation": each.generation} | content | more


def _outcome(each: LogObject, job: Job | None, **counts: object) -> Record:
    when = {"log_hour": each.name.hour, "loaded_at": datetime.now(UTC)}
    if job:
        counts |= {"job_id": job.job_id, "job_row_count": job.output_rows}
        counts["job_bytes"] = job.input_file_bytes
    return _record(each, kind=each.name.kind, **when, **counts)

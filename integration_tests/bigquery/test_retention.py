"""Old days, and one person's data, are deleted by statements of GoogleSQL."""

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from integration_tests.bigquery import audit_inputs, inputs
from integration_tests.bigquery.contents import MODELS
from integration_tests.bigquery.googlesql import decode, table
from integration_tests.bigquery.projects import RAW, BigQueryProject
from integration_tests.bigquery.rest import Api, serve
from integration_tests.emulators import PROJECT
from pullstats import schemas

TODAY = datetime.now(UTC).date()
OLD = TODAY - timedelta(days=100)


def test_months_older_than_keep_days_are_deleted(tmp_path: Path) -> None:
    with serve() as (address, api):
        project = BigQueryProject(tmp_path, address)
        project.dbt("parse")
        days: dict[str, str] = {}
        for node in BigQueryProject.manifest.nodes.values():
            key = node.config.get("unique_key") or ""
            if node.resource_type == "model" and node.config.materialized == "incremental":
                column, kind, values = key, "DATE", [OLD, TODAY]
                if key.endswith("_id"):
                    column, kind, values = "last_seen_at", "TIMESTAMP", [at(OLD), at(TODAY)]
                elif not key.endswith(("_date", "_month")):
                    continue
                path = f"{PROJECT}.{MODELS[node.name]}.{node.name}"
                api.warehouse.put(path, table({column: kind}, [(value,) for value in values]))
                days[path] = node.name
        project.dbt("run-operation", "delete_old_days", "--vars", "{keep_days: 40}")
        kept = {name: api.warehouse.table(path).values() for path, name in days.items()}
    whole = {name for name, rows in kept.items() if len(rows) == 2}
    assert whole == {name for name in kept if "_votes_" in name}
    assert len(kept) > 20
    assert all(rows[-1][0] in (TODAY, at(TODAY)) for rows in kept.values())


def at(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


PERSON, OTHER, READER = "192.0.2.7", "192.0.2.8", "reader@example.com"
SINK = f"{audit_inputs.SINK}.cloudaudit_googleapis_com_data_access"
AUDIT_RECORDS = "pullstats_intermediate.int_artifact_registry_request_records"


def values(api: Api, name: str, column: str) -> list[object]:
    found = api.warehouse.table(f"{PROJECT}.{name}")
    place = list(found.types).index(column)
    return [decode(row.cell[place], found.types[column]) for row in found.rows]


def test_one_persons_lines_and_requests_are_deleted_and_nobody_elses(tmp_path: Path) -> None:
    now = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    callers = [(PERSON, "a@example.com"), (OTHER, READER)]
    entries = [
        audit_inputs.entry(
            number,
            0,
            requestMetadata={"callerIp": address, "callerSuppliedUserAgent": "curl/8"},
            # an entry may have the subject alone
            authenticationInfo={"principalEmail": email, "principalSubject": f"user:{email}"}
            if number != 1
            else {"principalSubject": f"user:{email}"},
        )
        for number, (address, email) in enumerate(callers * 2)
    ]
    landed = audit_inputs.rows_of([json.dumps(each) for each in entries[:2]])
    sunk = [list(audit_inputs.sink_row(each, now).values()) for each in entries[2:]]
    ledger = schemas.columns("loaded_objects")
    jobs = [
        [
            {
                "object_uri": kind,
                "kind": kind,
                "job_id": kind,
                "job_row_count": 2,
                "loaded_at": now,
            }.get(each)
            for each in ledger
        ]
        for kind in ("usage", "audit")
    ]
    usage = [[*inputs.record(c_ip=address, s_request_id=address), now] for address, _ in callers]
    with serve() as (address, api):
        api.warehouse.datasets |= {RAW, audit_inputs.SINK}
        for name, made in {
            f"{RAW}.usage": table(inputs.COLUMNS, usage, "_partitiontime"),
            f"{RAW}.audit_logs": table(
                audit_inputs.COLUMNS, [[*row, now] for row in landed], "_partitiontime"
            ),
            f"{RAW}.loaded_objects": table(ledger, jobs),
            SINK: table(audit_inputs.SINK_COLUMNS, sunk),
        }.items():
            api.warehouse.put(f"{PROJECT}.{name}", made)
        project = BigQueryProject(tmp_path, address)
        variables = ("--vars", f"{{audit_sink_dataset: {audit_inputs.SINK}}}")
        records = ("+int_gcs_request_records", "+int_artifact_registry_request_records")
        project.dbt(
            "build",
            "--select",
            *records,
            "--exclude-resource-type",
            "test",
            "unit_test",
            *variables,
        )
        assert len(values(api, AUDIT_RECORDS, "client_id")) == 4

        project.dbt(
            "run-operation", "forget_person", "--args", f"{{address: {PERSON}}}", *variables
        )
        assert values(api, f"{RAW}.usage", "c_ip") == [OTHER]
        assert len(values(api, "pullstats_intermediate.int_gcs_request_records", "client_id")) == 1
        left = [values(api, name, "insertId") for name in (f"{RAW}.audit_logs", SINK)]
        assert left == [["id1"], ["id3"]]
        assert len(values(api, AUDIT_RECORDS, "client_id")) == 2
        assert values(api, f"{RAW}.loaded_objects", "job_row_count") == [1, 1]

        project.dbt(
            "run-operation", "forget_person", "--args", f"{{principal: {READER}}}", *variables
        )
        left = [values(api, name, "insertId") for name in (f"{RAW}.audit_logs", SINK)]
        assert left == [[], []]
        assert values(api, AUDIT_RECORDS, "client_id") == []
        assert values(api, f"{RAW}.usage", "c_ip") == [OTHER]
        assert values(api, f"{RAW}.loaded_objects", "job_row_count") == [1, 0]

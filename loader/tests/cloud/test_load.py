"""What BigQuery holds after a load is the content of the log objects, each object once."""

import gzip
import io
import itertools
import os
import threading
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

import pytest
from google.cloud import bigquery
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from pullstats import csv_log, gcs, log_names, plan, schemas
from pullstats.bigquery_warehouse import BigQueryWarehouse
from pullstats.plan import BatchResult
from tests.cloud.conftest import Cloud
from tests.test_audit import ENTRY, audit, entry
from tests.test_load import BROKEN, SOUND, STORAGE, typed, usage
from tests.test_rows import COLUMNS, GOOD, HEADER, changed, line, parsed, records

NAMES = itertools.count()


def jobs(cloud: Cloud) -> list[bigquery.LoadJob]:
    """The load jobs into raw, oldest first."""
    found = [job for job in cloud.client.list_jobs() if isinstance(job, bigquery.LoadJob)]
    places = [(job, job.destination) for job in reversed(found)]
    return [
        job
        for job, at in places
        if at.dataset_id == cloud.dataset and at.table_id != "loaded_objects"
    ]


def test_when_objects_are_sound_then_one_native_job_lands_them(cloud: Cloud) -> None:
    two = {usage(): SOUND, "deep/" + usage(hour=1): SOUND}
    assert cloud.load(two) == BatchResult(2, 2)
    assert cloud.rows() == typed([GOOD, GOOD])
    (job,) = jobs(cloud)
    # the emulator ignores some of these, so they are asserted on the request
    request = job.to_api_repr()["configuration"]["load"]
    schema = request.pop("schema")["fields"]
    assert {field["name"]: field["type"] for field in schema} == COLUMNS
    assert request == {
        "sourceUris": sorted(cloud.uri + name for name in two),
        "destinationTable": {
            **{"projectId": "example-project", "datasetId": cloud.dataset, "tableId": "usage"}
        },
        "sourceFormat": "CSV",
        "skipLeadingRows": 1,
        "allowQuotedNewlines": True,
        "preserveAsciiControlCharacters": True,
        "maxBadRecords": 0,
        "createDisposition": "CREATE_NEVER",
        "writeDisposition": "WRITE_APPEND",
    }
    assert job.labels == {"app": "pullstats"}
    columns = "row_count, job_row_count, job_bytes, size_bytes, job_id"
    assert (
        cloud.query(columns, "loaded_objects")
        == [(None, 2, 2 * len(SOUND), len(SOUND), job.job_id)] * 2
    )


def test_when_a_load_is_repeated_then_nothing_changes(cloud: Cloud) -> None:
    cloud.load({usage(): SOUND, usage(hour=1): BROKEN})
    before = cloud.landed(), cloud.rows(), len(jobs(cloud))
    assert cloud.load() == BatchResult()
    # a loader that has read the ledger too early waits for the same jobs
    cloud.warehouse.load(cloud.plan({}).load)
    assert (cloud.landed(), cloud.rows(), len(jobs(cloud))) == before


def test_when_lines_are_bad_then_they_alone_are_set_aside(cloud: Cloud) -> None:
    sound = {usage(hour=hour): SOUND for hour in range(7)}
    bad = SOUND + b"bro\xffken\r\n" + line(GOOD)
    assert cloud.load({**sound, usage(hour=7): bad}) == BatchResult(8, 9, {usage(hour=7): 1})
    assert cloud.rows() == typed([GOOD] * 9)
    columns = "object_uri, line_number, reason, line_bytes"
    assert cloud.query(columns, "rejected_lines") == [
        (cloud.uri + usage(hour=7), 3, "not UTF-8 at byte 4", b"bro\xffken\r")
    ]
    # 8 refused, so all are read, and their good lines land from here
    found = [(job.destination.table_id, job.error_result is not None) for job in jobs(cloud)]
    assert found == [("usage", True), ("rejected_lines", False), ("usage", False)]


def test_when_a_log_is_of_storage_then_it_lands_with_its_hour(cloud: Cloud) -> None:
    data = b'"bucket","storage_byte_hours"\n"example","240"\n"empty",""\n"example","x"\n'
    assert cloud.load({STORAGE: data}) == BatchResult(1, 2, {STORAGE: 1})
    columns = "bucket, storage_byte_hours, object_uri, log_hour"
    hour = datetime(2024, 5, 29, 7, tzinfo=UTC)
    assert cloud.query(columns, "storage") == [
        ("empty", None, cloud.uri + STORAGE, hour),
        ("example", 240, cloud.uri + STORAGE, hour),
    ]


def test_when_an_object_cannot_be_read_then_it_is_recorded_until_it_is_fixed(
    cloud: Cloud,
) -> None:
    result = cloud.load({usage(): SOUND, usage("wrong"): b"a,b\n1,2\n"})
    assert (result.objects, list(result.unreadable)) == (1, [usage("wrong")])
    todo = cloud.plan()
    assert (todo.load, list(todo.conflicts)) == ([], [cloud.uri + usage("wrong")])
    assert cloud.load({usage("wrong"): SOUND}) == BatchResult(1, 1)
    assert cloud.rows() == typed([GOOD, GOOD])
    assert cloud.plan().conflicts == {}


def test_when_an_object_is_gone_before_its_load_then_the_others_land(cloud: Cloud) -> None:
    cloud.put({usage(hour=hour): SOUND for hour in range(3)})
    todo = cloud.plan().load
    cloud.bucket.blob(usage(hour=1)).delete()
    result = cloud.warehouse.load(todo)
    generation = todo[1].generation
    assert result.unreadable == {todo[1].uri: f"generation {generation} is gone"}
    assert cloud.rows() == typed([GOOD, GOOD])


def test_when_logs_are_audit_logs_then_their_entries_land_unchanged(cloud: Cloud) -> None:
    text = 'a "quoted", \\ tab\t and \u4e2d\u6587'
    odd = entry(protoPayload={"methodName": text})
    sound = {audit(): entry() + odd, audit(hour=1, part="A0:1735351500"): entry(insertId="late")}
    bad = entry(insertId="x") + b"no JSON\n" + entry(insertId=None) + entry(insertId="y")
    result = cloud.load(
        {**sound, audit(hour=2): bad, "run.googleapis.com/stdout/" + audit()[-37:]: b"x"}
    )
    assert result == BatchResult(3, 5, {audit(hour=2): 2})
    found = cloud.query("insertId, protopayload_auditlog.methodName, timestamp", "audit_logs")
    ids = [ENTRY["insertId"], ENTRY["insertId"], "late", "x", "y"]
    assert sorted(insert_id for insert_id, *_ in found) == sorted(ids)
    assert {method for _, method, _ in found} == {text, "Docker-GetManifest"}
    assert {time for *_, time in found} == {datetime(2024, 12, 28, 0, 4, 11, 749482, UTC)}
    rejected = cloud.query("object_uri, line_number, reason", "rejected_lines")
    assert rejected == [
        (cloud.uri + audit(hour=2), 2, "not JSON: Expecting value: line 1 column 1 (char 0)"),
        (cloud.uri + audit(hour=2), 3, "no log entry of an audit log: insertId is missing"),
    ]
    assert sorted(cloud.query("kind, row_count, object_uri", "loaded_objects")) == [
        ("audit", 1, cloud.uri + audit(hour=1, part="A0:1735351500")),
        ("audit", 2, cloud.uri + audit()),
        ("audit", 2, cloud.uri + audit(hour=2)),
    ]
    (job,) = (job for job in jobs(cloud) if job.destination.table_id == "audit_logs")
    request = job.to_api_repr()["configuration"]["load"]
    fields = [(field["name"], field["type"]) for field in request["schema"]["fields"]]
    assert fields == list(schemas.columns("audit_logs").items())
    assert (request["sourceFormat"], request["maxBadRecords"]) == ("NEWLINE_DELIMITED_JSON", 0)
    assert cloud.load() == BatchResult()


@pytest.mark.parametrize("since", ["2024-05-29T22", "2024-12-28T03", "2024-05-29", "2030-01-01"])
def test_when_hours_are_old_then_they_are_not_listed(cloud: Cloud, since: str) -> None:
    """A listing must cost what is new: 100 objects an hour are a million a year."""
    names = [usage(prefix, hour) for prefix in ("a", "deep/b", "c_usage_d") for hour in range(24)]
    names += [audit(hour, log=log) for log in ("data_access", "activity") for hour in range(24)]
    cloud.put(dict.fromkeys(names, b"x"))
    found = [each.place for each in gcs.find(cloud.storage, cloud.uri, since)]
    uris = {cloud.uri + name: log_names.parse(cloud.uri + name) for name in names}
    recent = {uri for uri, name in uris.items() if name and f"{name.hour:%Y-%m-%dT%H}" >= since}
    assert recent <= set(found)
    # of each of the five logs, only one that is older
    assert len(found) <= len(recent) + 5


@pytest.mark.parametrize(("again", "conflicts"), [(SOUND, 0), (HEADER, 1)])
def test_when_a_landed_object_has_a_new_generation_then_it_does_not_land(
    cloud: Cloud, again: bytes, conflicts: int
) -> None:
    cloud.load({usage(): SOUND})
    cloud.put({usage(): again})
    todo = cloud.plan()
    assert (todo.load, len(todo.conflicts)) == ([], conflicts)
    assert cloud.rows() == typed([GOOD])


def test_when_a_cut_object_comes_whole_then_it_lands_again(cloud: Cloud) -> None:
    whole = SOUND + line(changed(sc_status="404")) + b"\n"
    assert cloud.load({usage(): whole[:-20]}) == BatchResult(1, 1, {usage(): 1})
    cloud.put({usage(): whole})
    assert cloud.plan().again == [cloud.uri + usage()]
    assert cloud.load() == BatchResult(1, 2)
    assert cloud.rows() == typed([GOOD, GOOD, changed(sc_status="404")])
    todo = cloud.plan()
    assert (todo.load, todo.conflicts) == ([], {})


def test_when_a_log_is_stored_compressed_then_it_is_named(cloud: Cloud) -> None:
    for name in (usage(), audit(), "README.txt"):
        blob = cloud.bucket.blob(name)
        blob.content_encoding = "gzip"
        blob.upload_from_string(gzip.compress(SOUND))
    todo = cloud.plan()
    assert (todo.load, [*todo.skipped]) == ([], [cloud.uri + "README.txt"])
    reason = "it is stored compressed: upload it decompressed"
    assert todo.conflicts == {cloud.uri + name: reason for name in (audit(), usage())}


def test_when_loaders_meet_then_each_object_lands(cloud: Cloud) -> None:
    """The documented race: what two batches share may land twice, and nothing is lost."""
    cloud.put({usage(hour=hour): SOUND for hour in range(12)} | {usage(shard=1): BROKEN})
    todo = cloud.plan().load
    BigQueryWarehouse().load(todo[:1])
    faults: list[Exception] = []
    start = threading.Barrier(6)

    def load(mine: list[plan.LogObject]) -> None:
        warehouse = BigQueryWarehouse()
        start.wait()
        try:
            warehouse.load(mine)
        except Exception as error:
            faults.append(error)

    # a back-fill, the same once more, another that overlaps, and events
    parts = [todo, todo, todo[3:9], *([each] for each in todo[4:7])]
    threads = [threading.Thread(target=load, args=(part,)) for part in parts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not faults
    batches = [todo[:1], todo, todo[3:9], *([each] for each in todo[4:7])]
    landings = Counter(each.uri for batch in batches for each in batch)
    assert Counter(uri for uri, *_ in cloud.landed()) == landings
    assert cloud.rows() == typed([GOOD] * landings.total())
    assert cloud.plan().load == []


def test_when_the_tables_are_dropped_then_all_lands_again(cloud: Cloud) -> None:
    cloud.load({usage(): SOUND})
    cloud.client.delete_dataset(cloud.dataset, delete_contents=True)
    cloud.warehouse = BigQueryWarehouse()
    assert cloud.load() == BatchResult(1, 1)
    assert cloud.rows() == typed([GOOD])


def test_when_its_rows_and_ledger_are_deleted_then_an_object_lands_again(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the same batch, whose jobs there are; and once, even if that load is killed."""
    landed = ("usage", "audit_logs", "rejected_lines", "loaded_objects")
    result = cloud.load({usage(): SOUND, usage(hour=1): BROKEN, audit(): entry()})
    for killed in (False, True, True):
        for table in landed:
            cloud.client.query(f"delete from `{cloud.dataset}`.{table} where true").result()
        todo = cloud.plan().load
        if killed:
            with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
                patch.setattr(cloud.client, "load_table_from_json", interrupt)
                cloud.warehouse.load(todo)
        assert cloud.load() == result
        # a loader that has read the ledger before lands nothing, and claims nothing
        assert cloud.warehouse.load(todo) == BatchResult()
        assert cloud.rows() == typed([GOOD, GOOD])
        assert [len(cloud.query("1, 2", table)) for table in landed] == [2, 1, 1, 3]


def interrupt(*_: object, **__: object) -> None:
    raise KeyboardInterrupt


def test_when_tables_are_made_then_they_are_partitioned_and_labelled(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PULLSTATS_USAGE_DAYS", "30")
    cloud.warehouse = BigQueryWarehouse()
    cloud.load({usage(): SOUND})
    made = {name: cloud.client.get_table(f"{cloud.dataset}.{name}") for name in TABLES}
    assert {name for name, table in made.items() if table.time_partitioning} == RAW
    partitioning = made["usage"].time_partitioning
    assert (partitioning.type_, partitioning.field) == ("HOUR", None)
    # the emulator forgets the option, so it is asserted on what is asked for
    monkeypatch.setenv("PULLSTATS_USAGE_DAYS", "0")
    for warehouse, days in ((cloud.warehouse, 30), (BigQueryWarehouse(), None)):
        found = {name: warehouse.table(name).time_partitioning for name in TABLES}
        expires = {name: each.expiration_ms for name, each in found.items() if each}
        milliseconds = days and days * 86_400_000
        assert expires == {"usage": milliseconds, "audit_logs": milliseconds, "storage": None}
    assert made["usage"].clustering_fields == ["cs_bucket", "cs_operation"]
    assert all(table.labels == {"app": "pullstats"} for table in made.values())
    kinds = {field.name: field.field_type for field in made["usage"].schema}
    assert kinds == {name: kind.replace("INT64", "INTEGER") for name, kind in COLUMNS.items()}


RAW = {"usage", "storage", "audit_logs"}
TABLES = [*RAW, "rejected_lines", "loaded_objects"]


def test_when_objects_are_read_here_then_what_is_spooled_is_bounded(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """On Cloud Run the temporary file is in memory: a batch must not need more than there is."""
    sizes: list[int] = []
    upload = cloud.client.load_table_from_file

    def watched(file: BinaryIO, *arguments: object, **options: object) -> object:
        if isinstance(file, io.BufferedReader):  # rows, rejected lines; not the ledger
            sizes.append(os.fstat(file.fileno()).st_size)
        return upload(file, *arguments, **options)

    monkeypatch.setattr(cloud.client, "load_table_from_file", watched)
    monkeypatch.setattr(BigQueryWarehouse, "max_read_bytes", 10 * len(BROKEN))
    logs = {usage(f"log{n}", hour=n % 24): BROKEN for n in range(40)}
    assert cloud.load(logs).rows == 40
    assert (len(sizes), max(sizes) < 20 * len(BROKEN)) == (8, True)


# One example is a whole batch, and shrinking one through an emulator would take minutes.
a_batch = settings(
    max_examples=1,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.generate],
)


@a_batch
@given(st.lists(st.lists(records, max_size=6), min_size=8, max_size=12))
def test_when_records_are_good_then_raw_holds_them_all(
    cloud: Cloud, written: list[list[list[str]]]
) -> None:
    objects = {usage(f"good{next(NAMES)}"): csv_log.write(each, list(COLUMNS)) for each in written}
    result = cloud.load(objects)
    every = [record for each in written for record in each]
    assert (result.objects, result.rows) == (len(written), len(every))
    assert cloud.rows() == typed(every)


odd_lines = st.one_of(
    st.binary(max_size=40).filter(lambda data: not set(data) & set(b'\n\r"')),
    st.sampled_from([line(GOOD), line(GOOD)[:-9], b'"', b"", b"," * 16 + b"x", b"\xff"]),
)


@a_batch
@given(st.lists(st.lists(odd_lines, max_size=9), min_size=3, max_size=3), st.binary(max_size=40))
def test_when_bytes_are_arbitrary_then_no_line_is_lost(
    cloud: Cloud, written: list[list[bytes]], other: bytes
) -> None:
    # the header's line is skipped by BigQuery unread: only a name that lies would cost a record
    objects = {usage(f"odd{next(NAMES)}"): HEADER + b"\n".join(each) for each in written}
    alien = usage(f"alien{next(NAMES)}")
    result = cloud.load({**objects, alien: b"\xff" + other + b"\nx"})
    assert list(result.unreadable) == [alien]
    read = {name: parsed(data) for name, data in objects.items()}
    assert result.rows == sum(len(each.records) for each in read.values())
    rejected = {name: each.rejected for name, each in read.items() if each.rejected}
    assert result.rejected == {name: len(each) for name, each in rejected.items()}
    found = cloud.query("object_uri, line_number, reason, line_bytes", "rejected_lines")
    expected = [
        (cloud.uri + name, each.line_number, each.reason, each.line_bytes)
        for name in rejected
        for each in rejected[name]
    ]
    assert sorted(expected) == sorted(found)

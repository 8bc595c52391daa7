"""Audit logs land in the form of a BigQuery sink; a line that is no log entry is set aside."""

import json
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pullstats import json_log, rows
from pullstats.duckdb_warehouse import DuckDBWarehouse
from pullstats.log_names import parse
from pullstats.plan import BatchResult, LogObject
from tests.test_load import Row, Store

ENTRY = {
    "insertId": "1rtjfyxd1d41",
    "logName": "projects/acme-shop/logs/cloudaudit.googleapis.com%2Fdata_access",
    "protoPayload": {
        "methodName": "Docker-GetManifest",
        "authorizationInfo": [{"granted": "true"}],
    },
    "timestamp": "2024-12-28T00:04:11.749482287Z",
}


def audit(hour: int = 0, part: str = "S0", log: str = "data_access") -> str:
    folder = f"cloudaudit.googleapis.com/{log}/2024/12/28"
    return f"{folder}/{hour:02}:00:00_{hour:02}:59:59_{part}.json"


def entry(**changes: object) -> bytes:
    """A line of an audit log; None leaves a field out."""
    changed = {key: value for key, value in {**ENTRY, **changes}.items() if value is not None}
    return json.dumps(changed, ensure_ascii=False).encode() + b"\n"


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path)


def entries(store: Store) -> Counter[object]:
    found = store.query("select insertId from storageanalysis.audit_logs")
    return Counter(insert_id for (insert_id,) in found)


def rejected(store: Store) -> list[Row]:
    columns = "object_uri, line_number, reason"
    return store.query(f"select {columns} from storageanalysis.rejected_lines order by all")


def test_when_a_sink_has_written_then_each_object_lands_once(store: Store) -> None:
    late = audit(part="A0:1735351500")
    objects = {audit(): entry() * 2, late: entry(insertId="b"), audit(hour=1): entry()[:-1]}
    assert store.load(objects) == BatchResult(3, 4)
    assert store.load() == BatchResult()
    assert entries(store) == Counter({ENTRY["insertId"]: 3, "b": 1})
    found = store.query(
        "select object_uri, kind, row_count, hour(log_hour) from storageanalysis.loaded_objects"
        " order by 1"
    )
    assert found == [
        (f"logs/{late}", "audit", 1, 0),
        (f"logs/{audit()}", "audit", 2, 0),
        (f"logs/{audit(hour=1)}", "audit", 1, 1),
    ]
    # raw shows when a line arrived, as for usage logs
    arrivals = "select distinct _partitiontime from storageanalysis.audit_logs"
    assert store.query(arrivals) == store.query(
        "select distinct loaded_at from storageanalysis.loaded_objects"
    )


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"text", "not JSON: Expecting value: line 1 column 1 (char 0)"),
        (b'{"a": 1', "not JSON: Expecting ',' delimiter: line 1 column 8 (char 7)"),
        (b"[" * 100_000, "not JSON: maximum recursion depth exceeded"),
        (entry(x="zz")[:-1].replace(b"zz", b"\xff"), "not UTF-8: invalid start byte"),
        (entry(x="zz")[:-1].replace(b"zz", rb"\ud800"), "not UTF-8: surrogates not allowed"),
        (entry(x="zz")[:-1].replace(b"zz", b"\x01"), "not JSON: Invalid control character at"),
        (b"\xef\xbb\xbf" + entry()[:-1], "not JSON: Unexpected UTF-8 BOM"),
        (b"[1]", "no JSON object"),
        (entry(insertId=None)[:-1], "no log entry of an audit log: insertId is missing"),
        (entry(timestamp=1)[:-1], "no log entry of an audit log: timestamp is missing"),
        (entry(protoPayload="x")[:-1], "no log entry of an audit log: protoPayload is missing"),
        (entry(textPayload="x", protoPayload=None)[:-1], "no log entry of an audit log: protoP"),
        (entry(x="x" * 600_000)[:-1], "longer than 524288 bytes"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_when_a_line_is_no_log_entry_then_it_alone_is_set_aside(
    store: Store, line: bytes, reason: str
) -> None:
    data = entry() + line + b"\n\n" + entry(insertId="b")
    assert store.load({audit(): data, audit(hour=1): entry()}).rejected == {f"logs/{audit()}": 1}
    ((uri, number, said),) = rejected(store)
    assert (uri, number) == (f"logs/{audit()}", 2)
    assert str(said).startswith(reason)
    assert store.rejected()[0][2] == line
    assert entries(store).total() == 3


def test_when_all_lines_are_entries_then_duckdb_alone_checks_them(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Python would take longer for it than DuckDB does for load and build."""
    monkeypatch.setattr(json_log, "fault", None)
    assert store.load({audit(): entry() * 2}) == BatchResult(1, 2)


def test_when_lines_are_many_then_they_are_judged_in_pieces(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rows, "PIECE_LINES", 2)
    lines = [entry(insertId=f"{n}") for n in range(7)]
    store.load({audit(): b"".join([*lines[:4], b"\xff\n", b"\n", b"[1]\n", *lines[4:]])})
    assert entries(store) == Counter(f"{n}" for n in range(7))
    assert [number for _, number, _ in rejected(store)] == [5, 7]


@pytest.fixture(scope="module")
def raw() -> Iterator[DuckDBWarehouse]:
    with closing(DuckDBWarehouse(Path(":memory:"))) as warehouse:
        yield warehouse


texts = st.text(max_size=5)
values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=5,
)
marks = st.sampled_from([b'"', b"{", b"}", b"\\", b",", b"1e999", b"\t", b"\x01", b"\xff", b"\r"])


@settings(max_examples=300, deadline=None)
@given(values, st.booleans(), st.integers(0, 300), marks | st.just(b""))
def test_when_a_line_is_accepted_then_duckdb_reads_it(
    raw: DuckDBWarehouse, value: object, is_ascii: bool, place: int, mark: bytes
) -> None:
    data = json.dumps({**ENTRY, "x": value}, ensure_ascii=is_ascii).encode(errors="replace")
    line = data[: place % len(data)] + mark + data[place % len(data) :]
    name = parse(f"/logs/{audit()}")
    assert name
    raw.query("delete from storageanalysis.audit_logs; delete from storageanalysis.rejected_lines")
    result = raw.load([LogObject("", len(line), lambda: line, uri=name.identity, name=name)])
    landed = raw.query("select insertId from storageanalysis.audit_logs")
    rejected = raw.query("select line_bytes from storageanalysis.rejected_lines")
    assert result.rows == len(landed)
    # DuckDB forgives a comma behind the last member
    strict = re.sub(rb",\s*([]}])", rb"\1", line)
    assert [json.loads(strict)["insertId"] if landed else line] == [x for (x,) in landed + rejected]


def test_when_a_log_begins_with_a_bom_then_its_first_line_is_no_entry(store: Store) -> None:
    assert store.load({audit(): b"\xef\xbb\xbf" + entry() * 2}) == BatchResult(
        1, 1, {f"logs/{audit()}": 1}
    )


def test_when_windows_wrote_the_copy_then_its_line_ends_are_no_content(store: Store) -> None:
    store.load({audit(): entry().replace(b"\n", b"\r\n") * 2})
    assert entries(store) == Counter({ENTRY["insertId"]: 2})


REQUEST = {"@type": "type.googleapis.com/google.logging.type.HttpRequest", "requestUrl": "/v2/a"}


def test_when_an_entry_lands_then_it_has_the_form_of_a_bigquery_sink(store: Store) -> None:
    payload = {
        "@type": "type.googleapis.com/google.cloud.audit.AuditLog",
        "serviceName": "artifactregistry.googleapis.com",
        "methodName": "Docker-GetManifest",
        "resourceName": "projects/p",
        "authenticationInfo": {"principalEmail": "ci@example.com", "principalSubject": "user:ci"},
        "requestMetadata": {"callerIp": "192.0.2.7", "callerSuppliedUserAgent": "docker/29"},
        "request": REQUEST,
        "status": {"code": 5, "message": "not found"},
        "authorizationInfo": [{"granted": True}],
    }
    labels = {"project_id": "p", "service": "s"}
    resource = {"type": "audited_resource", "labels": labels}
    whole = {"resource": resource, "severity": "ERROR", "receiveTimestamp": "2024-12-28T00:04:12Z"}
    store.load({audit(): entry(**whole, protoPayload=payload)})
    kept = {key: payload[key] for key in payload if key[0] not in "@r" and key[:9] != "authoriza"}
    kept["resourceName"], kept["requestMetadata"] = "projects/p", payload["requestMetadata"]
    ((resource_, time, received, found),) = store.query(
        "select resource, timestamp, receiveTimestamp, protopayload_auditlog"
        " from storageanalysis.audit_logs"
    )
    assert resource_ == {
        "type": "audited_resource",
        "labels": {**resource["labels"], "method": None},
    }
    assert time == datetime(2024, 12, 28, 0, 4, 11, 749482)
    assert received == datetime(2024, 12, 28, 0, 4, 12)
    assert json.loads(found.pop("requestJson")) == REQUEST
    assert found == kept


@pytest.mark.parametrize(
    ("fields", "column", "value"),
    [
        ({"methodName": "[bot] x/1"}, "methodName", "[bot] x/1"),
        ({"methodName": "{x"}, "methodName", "{x"),
        ({"methodName": ["x"]}, "methodName", None),
        ({"methodName": {"x": 1}}, "methodName", None),
        ({"methodName": 7}, "methodName", "7"),
        ({"methodName": None}, "methodName", None),
        ({"methodName": 'é😀\n"\\'}, "methodName", 'é😀\n"\\'),
        ({"requestMetadata": "x"}, "requestMetadata.callerIp", None),
        ({"request": "x"}, "requestJson", None),
        ({"status": {"code": "5"}}, "status.code", 5),
        ({"status": {"code": "x"}}, "status.code", -1),
        ({"status": {"code": 1.5}}, "status.code", -1),
        ({"status": {"code": {}}}, "status.code", None),
        ({"status": {}}, "status.code", None),
        ({"status": []}, "status.code", None),
    ],
)
def test_when_a_field_has_another_type_then_it_is_text_or_null(
    store: Store, fields: dict[str, object], column: str, value: object
) -> None:
    store.load({audit(): entry(protoPayload=fields)})
    found = store.query(f"select protopayload_auditlog.{column} from storageanalysis.audit_logs")
    assert found == [(value,)]


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("2024-12-28T00:04:11.9999999Z", datetime(2024, 12, 28, 0, 4, 11, 999999)),
        ("2024-12-28T01:02:03+05:30", datetime(2024, 12, 27, 19, 32, 3)),
        *((text, None) for text in ("x", "", "infinity", "0001-01-01T00:00:00Z", "10000-01-01")),
    ],
)
def test_when_a_time_is_none_that_bigquery_has_then_it_is_null(
    store: Store, text: str, time: datetime | None
) -> None:
    store.load({audit(): entry(timestamp=text)})
    assert store.query("select timestamp from storageanalysis.audit_logs") == [(time,)]


@pytest.mark.parametrize(
    ("path", "identity"),
    [
        ("gs://logs/{}", "logs/{}"),
        ("/data/logs/{}", "logs/{}"),
        (
            "gs://logs/cloudaudit.googleapis.com/activity/{2}",
            "logs/cloudaudit.googleapis.com/activity/{2}",
        ),
        ("/data/data_access/{2}", "data_access/{2}"),
        ("/2024/{2}", "2024/{2}"),
        ("gs://logs/{2}", None),
        ("gs://logs/run.googleapis.com/stdout/{2}", None),
        ("/data/run.googleapis.com/stdout/{2}", None),
        ("/data/logs/{}.gz", None),
        ("/data/logs/x{}", None),
    ],
)
def test_when_a_path_is_that_of_an_audit_log_then_it_is_known(
    path: str, identity: str | None
) -> None:
    name, tail = audit(), audit().split("/", 2)[2]
    read = parse(path.format(name, None, tail))
    assert (read and read.identity) == (identity and identity.format(name, None, tail))
    assert not read or (read.kind, f"{read.hour:%Y-%m-%d %H}") == ("audit", "2024-12-28 00")


@pytest.mark.parametrize(
    "name",
    [
        audit(hour=24),
        audit(part="S"),
        audit(part="A0"),
        audit(part="B0"),
        audit().replace("12/28", "02/30"),
        audit().replace("00:59:59", "01:59:59"),
        audit().replace("2024/12/28/", "2024-12-28/"),
        audit().replace("/", "_"),
    ],
)
def test_when_a_name_is_not_the_sinks_then_it_is_no_log(name: str) -> None:
    assert parse(f"/data/logs/{name}") is None

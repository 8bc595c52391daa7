"""Audit logs land line by line, unchanged; a line that is no log entry is set aside."""

import json
from collections import Counter
from pathlib import Path

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pullstats import json_log
from pullstats.log_names import parse
from pullstats.warehouse import BatchResult
from tests.test_load import Row, Store, usage

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
    found = store.query("select log_entry from storageanalysis.audit_logs")
    return Counter(line for (line,) in found)


def rejected(store: Store) -> list[Row]:
    columns = "object_uri, line_number, reason"
    return store.query(f"select {columns} from storageanalysis.rejected_lines order by all")


def test_when_a_sink_has_written_then_each_object_lands_once(store: Store) -> None:
    late = audit(part="A0:1735351500")
    objects = {audit(): entry() * 2, late: entry(insertId="b"), audit(hour=1): entry()[:-1]}
    assert store.load(objects) == BatchResult(3, 4)
    assert store.load() == BatchResult()
    text = entry().decode().strip()
    assert entries(store) == Counter({text: 3, entry(insertId="b").decode().strip(): 1})
    found = store.query(
        "select object_uri, kind, row_count, hour(log_hour) from storageanalysis.loaded_objects"
        " order by 1"
    )
    assert found == [
        (f"logs/{late}", "audit", 1, 0),
        (f"logs/{audit()}", "audit", 2, 0),
        (f"logs/{audit(hour=1)}", "audit", 1, 1),
    ]
    # raw tells when a line arrived, as for usage logs
    arrivals = "select distinct _partitiontime from storageanalysis.audit_logs"
    assert store.query(arrivals) == store.query(
        "select distinct loaded_at from storageanalysis.loaded_objects"
    )


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"text", "not JSON: Expecting value: line 1 column 1 (char 0)"),
        (b'{"a": 1', "not JSON: Expecting ',' delimiter: line 1 column 8 (char 7)"),
        (entry()[:-2] + b', "x": NaN}', "not JSON: NaN is no number"),
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
        (entry()[:-2] + b"\r}", "a carriage return"),
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
    monkeypatch.setattr(json_log, "parse", None)
    assert store.load({audit(): entry() * 2}) == BatchResult(1, 2)


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
    value: object, is_ascii: bool, place: int, mark: bytes
) -> None:
    data = json.dumps({**ENTRY, "x": value}, ensure_ascii=is_ascii).encode(errors="replace")
    line = data[: place % len(data)] + mark + data[place % len(data) :]
    parsed = json_log.parse(line)
    assert len(parsed.records) + len(parsed.rejected) == 1
    for (text,) in parsed.records:
        found = duckdb.execute("select json_extract_string(?, '$.insertId')", [text]).fetchall()
        assert found == [(json.loads(text)["insertId"],)]


def test_when_windows_wrote_the_copy_then_its_line_ends_are_no_content(store: Store) -> None:
    store.load({audit(): entry().replace(b"\n", b"\r\n") * 2})
    assert entries(store) == Counter({entry().decode().strip(): 2})


def test_when_only_blank_lines_are_odd_then_they_are_no_rows(store: Store) -> None:
    blank = {audit(): b"\n" + entry() + b"\n\n" + entry(), audit(hour=1): b"\n", audit(2): b""}
    assert store.load(blank) == BatchResult(3, 2)
    assert entries(store) == Counter({entry().decode().strip(): 2})


def test_when_kinds_are_mixed_then_one_batch_lands_them_all(store: Store) -> None:
    from tests.test_load import SOUND, STORAGE  # noqa: PLC0415

    storage = b'"bucket","storage_byte_hours"\n"example","240"\n'
    assert store.load({usage(): SOUND, STORAGE: storage, audit(): entry()}) == BatchResult(3, 3)
    tables = "select table_name, row_count from storageanalysis.raw_files order by 1"
    assert store.query(tables) == [("audit_logs", 1), ("storage", 1), ("usage", 1)]


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

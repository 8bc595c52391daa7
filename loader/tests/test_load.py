"""What DuckDB shows after a load is the content of the log objects, however they were read."""

import gzip
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Mapping
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pullstats import csv_log, plan, rows
from pullstats.duckdb_warehouse import DuckDBWarehouse
from pullstats.plan import BatchResult
from tests.test_rows import COLUMNS, GOOD, HEADER, changed, line, parsed, records

Folders = pytest.TempPathFactory
Row = tuple[object, ...]
SOUND = HEADER + line(GOOD) + b"\n"
BROKEN = SOUND + b"broken\n"


def usage(prefix: str = "log", hour: int = 0, shard: int = 0) -> str:
    return f"{prefix}_usage_2024_05_29_{hour:02}_00_00_{shard:02}ab_v0"


STORAGE = "log_storage_2024_05_29_07_00_00_00ab_v0"


class Store:
    """A database beside a folder of log objects."""

    def __init__(self, folder: Path, database: str = "test.duckdb") -> None:
        self.logs = folder / "logs"
        self.logs.mkdir(exist_ok=True)
        self.database = folder / database

    def put(self, objects: Mapping[str, bytes]) -> None:
        for name, data in objects.items():
            path = self.logs / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)

    def load(self, objects: Mapping[str, bytes] | None = None) -> BatchResult:
        """Land the objects of the folder in one batch; give what became of them."""
        self.put(objects or {})
        with closing(DuckDBWarehouse(self.database)) as warehouse:
            todo = plan.make(plan.find(self.logs), warehouse.ledger())
            for batch in plan.batches(todo.load, 500, 10**9):
                return warehouse.load(batch)
        return BatchResult()

    def query(self, sql: str) -> list[Row]:
        with closing(DuckDBWarehouse(self.database)) as warehouse:
            return warehouse.connection.execute(sql).fetchall()

    def rows(self) -> Counter[Row]:
        found = self.query(f"select {', '.join(COLUMNS)} from storageanalysis.usage")
        return Counter(tuple("" if value is None else value for value in row) for row in found)

    def rejected(self) -> list[Row]:
        table = "storageanalysis.rejected_lines"
        return self.query(f"select line_number, reason, line_bytes from {table} order by all")


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path)


def typed(written: Iterable[list[str]]) -> Counter[Row]:
    """The records as DuckDB shows them, null as ''."""
    kinds = COLUMNS.values()
    return Counter(
        tuple(
            int(value) if value and kind == "INT64" else value
            for value, kind in zip(record, kinds, strict=True)
        )
        for record in written
    )


def assert_landed_as_parsed(store: Store, data: bytes) -> None:
    found = parsed(data)
    result = store.load({usage(): data})
    assert (store.rows(), result.rows) == (typed(found.records), len(found.records))
    assert store.rejected() == [(x.line_number, x.reason, x.line_bytes) for x in found.rejected]


@settings(max_examples=25, deadline=None)
@given(st.lists(records, min_size=1, max_size=8))
def test_when_records_are_good_then_they_land_whichever_way_they_are_read(
    tmp_path_factory: Folders, written: list[list[str]]
) -> None:
    store = Store(tmp_path_factory.mktemp("good"))
    sound = csv_log.write(written, list(COLUMNS))
    result = store.load({usage(): sound, usage(shard=1): sound + b"broken\n"})
    assert result == BatchResult(2, 2 * len(written), {usage(shard=1): 1})
    assert store.rows() == typed([*written, *written])


MARKS = [b'"', b",", b"\n", b"\r", b"\r\n", b" ", b'""', b"\\", b"x", b"1", b"\xff", b"\0", b',""']
EMPTY = line([""] * 17)


@settings(max_examples=25, deadline=None)
@given(st.sampled_from([line(GOOD), EMPTY, EMPTY.replace(b'"', b"")]), st.data())
def test_when_a_line_is_damaged_then_duckdb_reads_no_more_than_the_parser(
    tmp_path_factory: Folders, victim: bytes, data: st.DataObject
) -> None:
    place = data.draw(st.integers(0, len(victim)))
    damaged = victim[:place] + data.draw(st.sampled_from(MARKS)) + victim[place:]
    assert_landed_as_parsed(Store(tmp_path_factory.mktemp("odd")), SOUND + damaged + b"\n")


@pytest.mark.parametrize(
    "value", ["1e3", "1.5", " 1", "1 ", "0x10", "1_000", "+1", "1,2", ",", "-", "9" * 19, "true"]
)
@pytest.mark.parametrize("other", [b"", b"broken\n"])
def test_when_a_number_is_not_plain_then_it_is_not_converted(
    store: Store, value: str, other: bytes
) -> None:
    bad = line(changed(sc_status=value))
    store.load({usage(): SOUND + bad + b"\n" + line(GOOD) + b"\n" + other})
    assert store.rows() == typed([GOOD, GOOD])
    assert store.rejected()[0] == (3, f"sc_status is no integer: {value!r}", bad)


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(SOUND + line([*GOOD, ""]), id="an 18th field that is empty"),
        pytest.param(SOUND + line([*GOOD[:11], "", *GOOD[11:16], ""]), id="a shifted record"),
        pytest.param(SOUND + line(GOOD).replace(b',"GET"', b', "GET"'), id="a space before quotes"),
        pytest.param(
            SOUND + line(GOOD).replace(b'"200",', b'"200" ,'), id="a space after a number"
        ),
        pytest.param(SOUND + line(GOOD).replace(b'"GET"', b'GET"'), id="a stray quote"),
        pytest.param(SOUND + line(changed(cs_object=",")).replace(b'et",', b'et" ,'), id="hidden"),
        pytest.param(SOUND + line(GOOD) + b"\r" + line(GOOD), id="a carriage return"),
        pytest.param(HEADER + b"\r" + line(GOOD), id="a carriage return in front"),
        pytest.param(SOUND + line(changed(cs_object="x" * 1_500_000)), id="a record too long"),
        pytest.param(HEADER + line(changed(cs_object="x" * 2_500_000)), id="much too long"),
        pytest.param(HEADER + b"," * 16 + b"x" + b'"' * 999_982 + b"\nbroken", id="many quotes"),
        pytest.param(b'"' + HEADER.replace(b'"', b"") + line(GOOD), id="a header's stray quote"),
        pytest.param(HEADER + b"\n\n" + line(GOOD), id="blank lines"),
        pytest.param(SOUND + line(changed(sc_bytes="0" * 30 + "7")), id="leading zeros"),
        pytest.param(SOUND + line(changed(sc_bytes="-" + "9" * 18)), id="18 digits"),
        pytest.param(SOUND + line(changed(sc_bytes="-" + "9" * 19)), id="19 digits"),
        pytest.param(SOUND + line(changed(sc_bytes="1-2")), id="a dash"),
        pytest.param(b"\xef\xbb\xbf" + SOUND.replace(b"\n", b"\r\n"), id="a BOM and CRLF"),
        pytest.param(SOUND + line(GOOD) + b"\r\n" + line(GOOD), id="mixed line ends"),
        pytest.param(SOUND + line(changed(cs_object="zz")).replace(b"z", b"\xff"), id="not UTF-8"),
        pytest.param(HEADER + b"broken\nbroken", id="nothing good"),
    ],
)
def test_when_an_object_is_odd_then_duckdb_reads_what_the_parser_reads(
    store: Store, data: bytes
) -> None:
    assert_landed_as_parsed(store, data)


def test_when_a_line_is_rejected_then_its_place_and_bytes_are_kept(store: Store) -> None:
    store.load({usage(): SOUND + b"bro\xffken\r\n" + line(GOOD), usage(shard=1): BROKEN})
    columns = "object_uri, line_number, reason, line_bytes"
    assert store.query(f"select {columns} from storageanalysis.rejected_lines order by all") == [
        (usage(), 3, "not UTF-8 at byte 4", b"bro\xffken\r"),
        (usage(shard=1), 3, "1 fields instead of 17", b"broken"),
    ]
    counts = "object_uri, kind, row_count, rejected_count, size_bytes"
    assert store.query(f"select {counts} from storageanalysis.loaded_objects order by all") == [
        (usage(), "usage", 2, 1, (store.logs / usage()).stat().st_size),
        (usage(shard=1), "usage", 1, 1, len(BROKEN)),
    ]


def test_when_a_log_is_of_storage_then_it_lands_with_its_hour(store: Store) -> None:
    data = b'"bucket","storage_byte_hours"\n"example","240"\n"empty",""\n"example","x"\n'
    assert store.load({STORAGE: data}) == BatchResult(1, 2, {STORAGE: 1})
    columns = "bucket, storage_byte_hours, object_uri, log_hour"
    hour = datetime(2024, 5, 29, 7)
    assert store.query(f"select {columns} from storageanalysis.storage order by all") == [
        ("empty", None, STORAGE, hour),
        ("example", 240, STORAGE, hour),
    ]
    assert store.rows() == Counter()


def test_when_an_object_is_sound_then_no_line_is_parsed_in_python(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Python would take longer for it than DuckDB does for load and build."""
    monkeypatch.setattr(csv_log, "parse", None)
    odd = line(changed(cs_user_agent="日本語 \0\x01 (x, y) 'z'", cs_referer="", time_micros=""))
    assert store.load({usage(): SOUND + odd, usage(shard=1): HEADER[:-1]}) == BatchResult(2, 2)


@pytest.mark.parametrize("is_there", [True, False])
def test_when_a_file_changes_while_it_lands_then_rows_and_ledger_agree(
    store: Store, monkeypatch: pytest.MonkeyPatch, is_there: bool
) -> None:
    store.put({usage(): SOUND, usage(shard=1): SOUND})
    other = HEADER + line(changed(sc_status="404")) + b"\n"
    look = rows.look

    def look_too_early(*arguments: Any) -> list[rows.Landing]:
        found = look(*arguments)
        (store.logs / usage()).unlink()
        store.put({usage(): other} if is_there else {})
        return found

    monkeypatch.setattr(rows, "look", look_too_early)
    result = store.load()
    assert [*result.unreadable] == ([] if is_there else [usage()])
    assert store.rows() == typed([GOOD, changed(sc_status="404")] if is_there else [GOOD])
    checksums = store.query("select checksum from storageanalysis.loaded_objects order by 1")
    landed = [SOUND, other] if is_there else [SOUND]
    assert checksums == sorted((plan.fingerprint(data)[1],) for data in landed)


def test_when_too_many_lines_are_bad_then_the_object_is_unreadable(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rows, "MAX_REJECTED_LINES", 3)
    many, few = HEADER + b"x\n" * 4, HEADER + b"x\n" * 3
    audit_log = NAMES["audit"].format(0)
    result = store.load({usage(): many, usage(shard=1): few, audit_log: LINE + b"x\n" * 4})
    assert result.unreadable == dict.fromkeys(
        [usage(), audit_log], "more than 3 of its lines can't be read"
    )
    assert (result.rejected, len(store.rejected())) == ({usage(shard=1): 3}, 3)
    assert store.query("from storageanalysis.audit_logs") == []


@pytest.mark.parametrize("kind", ["usage", "storage", "audit"])
def test_when_an_object_is_odd_then_memory_does_not_grow_with_its_rows(
    store: Store, kind: str
) -> None:
    """One bad line must not make lists of all rows: those took 17 times the object's bytes."""
    head, good = {
        "usage": (HEADER, line(changed(cs_object="x" * 100)) + b"\n"),
        "storage": (STORED, b'"' + b"x" * 200 + b'","240"\n'),
        "audit": (b"", LINE.replace(b"{}", b'{"methodName": "' + b"x" * 100 + b'"}')),
    }[kind]
    big = head + good * (10_000_000 // len(good)) + b"broken\n"
    store.put({NAMES[kind].format(n): data for n, data in enumerate([head + b"broken\n", big])})
    program = (
        "import resource, sys; from pullstats import cli;"
        "peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss;"
        "load = lambda path: cli.main(['load', '--database', sys.argv[1], path]);"
        "load(sys.argv[2]); before = peak(); load(sys.argv[3]); print(peak() - before)"
    )
    places = [str(store.logs / NAMES[kind].format(n)) for n in range(2)]
    command = [sys.executable, "-c", program, str(store.database), *places]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert store.query("select count(*) from storageanalysis.loaded_objects") == [(2,)]
    assert int(done.stdout.split()[-1]) * 1024 < 6 * len(big)


def test_when_an_object_is_too_large_then_it_is_unreadable(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plan, "MAX_OBJECT_BYTES", len(SOUND))
    result = store.load({usage(): SOUND + b"\n", usage(shard=1): SOUND})
    assert result.unreadable == {usage(): plan.TOO_LARGE}
    assert store.rows() == typed([GOOD])


def test_when_an_object_cannot_be_read_then_the_others_land(store: Store) -> None:
    other = {usage("other"): b"a,b\n1,2\n", usage("bad"): BROKEN}
    store.put({usage(): SOUND, usage("gone"): SOUND, **other})
    with closing(DuckDBWarehouse(store.database)) as warehouse:
        todo = plan.make(plan.find(store.logs), {}).load
        (store.logs / usage("gone")).unlink()
        result = warehouse.load(todo)
    assert set(result.unreadable) == {usage("gone"), usage("other")}
    assert (result.objects, result.rows, result.rejected) == (2, 2, {usage("bad"): 1})
    assert store.rows() == typed([GOOD, GOOD])
    with closing(DuckDBWarehouse(store.database)) as warehouse:
        assert set(warehouse.ledger()) == {usage(), usage("bad")}


@pytest.mark.parametrize(
    "prefix", ["o'brien", "a*", "a?", "log[1]", "c_ip=x", "a\\b", "{a,b}", "a b", "", "p" * 220]
)
@pytest.mark.parametrize("data", [SOUND, BROKEN])
def test_when_a_name_is_odd_then_it_lands_once(store: Store, prefix: str, data: bytes) -> None:
    result = store.load({usage("ab"): SOUND, usage(prefix): data})
    assert (result.objects, result.rows) == (2, 2)
    assert store.rows() == typed([GOOD, GOOD])


STORED = b'"bucket","storage_byte_hours"\n'
LINE = b"".join([b'{"insertId": "a", "logName": "b", "timestamp": "c", "protoPayload": {}}', b"\n"])
CONTENTS: dict[str, list[bytes]] = {
    "usage": [
        *(b"", b"\n", HEADER, HEADER + b"\n\n", HEADER + b"broken\n"),
        *(SOUND, SOUND[:-1], BROKEN, b"\xff", SOUND * 2),
    ],
    "storage": [b"", STORED, STORED + b'"b","1"\n', STORED + b'"b","1"\n"b","x"\n', b"a,b\n"],
    "audit": [
        *(b"", b"\n\n", b" \r\n", LINE, LINE[:-1], LINE + b"\n" + LINE, b"\n" + LINE),
        *(LINE + b"x\n", b"\xff"),
    ],
}
CONTENTS = {kind: [*found, gzip.compress(found[-2])] for kind, found in CONTENTS.items()}
NAMES = {
    "usage": "a_usage_2024_05_29_00_00_00_{}_v0",
    "storage": "a_storage_2024_05_29_00_00_00_{}_v0",
    "audit": "data_access/2024/05/29/00:00:00_00:59:59_S{}.json",
}
an_object = st.sampled_from(
    [(kind, content) for kind, contents in CONTENTS.items() for content in contents]
)


def rows_and_faults(kind: str, data: bytes) -> tuple[int, int] | None:
    """Rows and faults of an object by itself; None when it is no log."""
    if kind == "audit":
        lines = [each for each in data.split(b"\n") if each.strip()]
        good = lines.count(LINE[:-1])
        return good, len(lines) - good
    try:
        found = parsed(data, csv_log.COLUMNS[kind])
    except csv_log.NotALogError:
        return None
    return len(found.records), len(found.rejected)


@settings(max_examples=60, deadline=None)
@example([("audit", b"")])
@example([("audit", b"\n\n")])
@example([("audit", gzip.compress(LINE))])
@example([("audit", b"\xff"), ("usage", SOUND)])
@example([("audit", b"\n" + LINE), ("usage", SOUND), ("storage", STORED + b'"b","1"\n')])
@example([("usage", HEADER), ("usage", HEADER + b"broken\n")])
@given(st.lists(an_object, min_size=1, max_size=5))
def test_when_kinds_and_counts_are_mixed_then_each_object_lands_as_if_alone(
    tmp_path_factory: Folders, objects: list[tuple[str, bytes]]
) -> None:
    store = Store(tmp_path_factory.mktemp("mixed"))
    put = {NAMES[kind].format(n): (kind, data) for n, (kind, data) in enumerate(objects)}
    result = store.load({name: data for name, (_, data) in put.items()})
    expected = {name: rows_and_faults(*of) for name, of in put.items()}
    landed = {name: counts for name, counts in expected.items() if counts}
    assert set(result.unreadable) == set(expected) - set(landed)
    assert (result.objects, result.rows) == (len(landed), sum(rows for rows, _ in landed.values()))
    assert result.rejected == {name: faults for name, (_, faults) in landed.items() if faults}
    tables = ("usage", "storage", "audit_logs", "rejected_lines")
    counts = [store.query(f"select count(*) from storageanalysis.{table}") for table in tables]
    by_kind = [sum(n for name, (n, _) in landed.items() if put[name][0] == kind) for kind in NAMES]
    assert [n for ((n,),) in counts] == [*by_kind, sum(faults for _, faults in landed.values())]
    # nothing is left to land but what can't be read
    assert store.load() == BatchResult(unreadable=result.unreadable)


def test_when_the_clock_is_behind_then_arrivals_still_rise(store: Store) -> None:
    table = "storageanalysis.loaded_objects"
    store.load({usage(): SOUND})
    future = "select * replace ('other' as object_uri, timestamp '2999-01-01' as loaded_at)"
    store.query(f"insert into {table} {future} from {table}")
    store.load({usage(shard=1): SOUND})
    store.load({usage(shard=2): SOUND})
    found = store.query(f"select object_uri, loaded_at from {table} order by loaded_at")
    assert [uri for uri, _ in found] == [usage(), "other", usage(shard=1), usage(shard=2)]
    assert len({arrival for _, arrival in found}) == 4
    arrivals = "select distinct _partitiontime from storageanalysis.usage order by 1"
    assert store.query(arrivals) == [(at,) for uri, at in found if uri != "other"]

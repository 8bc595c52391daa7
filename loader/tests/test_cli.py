"""The command line: its messages, its exit codes, and the database that it uses."""

import json
import os
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import duckdb
import pytest

from pullstats import cli, csv_log, loading, plan
from pullstats.duckdb_warehouse import DuckDBWarehouse
from pullstats.json_log import MAX_ENTRY_BYTES
from pullstats.status import COLUMNS, EXIT_NOTHING_NEW, RUNS
from tests.test_audit import audit, entry
from tests.test_load import BROKEN, SOUND, STORAGE, Store, usage
from tests.test_rows import GOOD, HEADER, line

Capture = pytest.CaptureFixture[str]
Patch = pytest.MonkeyPatch

GOOD_LOG, EMPTY, CORRUPT, LATIN = (usage(hour=hour) for hour in range(4))
FIVE = {
    GOOD_LOG: SOUND,
    EMPTY: HEADER,
    CORRUPT: HEADER + line(GOOD[:16]) + b"\n" + line(GOOD) + b'\n"broken\n' + line(GOOD) + b"\n",
    LATIN: SOUND + line(GOOD).replace(b"bucket", b"\xfcber") + b"\n",
    "README.txt": b"not a log",
}
WRONG_HEADER = usage("wrong")


@pytest.fixture(autouse=True)
def in_its_folder(tmp_path: Path, monkeypatch: Patch) -> None:
    monkeypatch.delenv("PULLSTATS_DUCKDB", raising=False)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path, "warehouse.duckdb")


def load(store: Store, *options: str) -> int:
    return cli.main(["load", str(store.logs), *options])


def everything(store: Store) -> list[object]:
    """All that a load can change."""
    names = ("loaded_objects", "rejected_lines", "storage", "usage", "audit_logs")
    return [store.query(f"from storageanalysis.{name} order by all") for name in names]


def test_when_all_is_sound_then_the_code_is_0(store: Store, capsys: Capture) -> None:
    store.put({GOOD_LOG: SOUND, EMPTY: HEADER})
    assert load(store) == 0
    assert "2 objects, 1 row landed" in capsys.readouterr().out


def test_when_a_folder_has_faults_then_all_good_lines_land(store: Store, capsys: Capture) -> None:
    store.put(FIVE)
    assert load(store) == loading.EXIT_REJECTED_LINES
    said = capsys.readouterr()
    assert "4 objects, 4 rows landed" in said.out
    assert f"skipped {store.logs / 'README.txt'}: its name is not that of a log" in said.out
    assert f"{CORRUPT}: 2 lines rejected" in said.err
    assert f"{LATIN}: 1 line rejected" in said.err
    assert store.rows().total() == 4
    assert [number for number, *_ in store.rejected()] == [2, 3, 4]


def test_when_a_name_is_nearly_a_logs_then_the_code_is_4(store: Store, capsys: Capture) -> None:
    copies = {f"{GOOD_LOG}.gz": "decompress it first", f"{GOOD_LOG} (1)": "nearly that of a log"}
    store.put({GOOD_LOG: SOUND} | dict.fromkeys(copies, b"x"))
    assert load(store) == loading.EXIT_UNREADABLE
    said = capsys.readouterr()
    assert "1 object, 1 row landed" in said.out
    lines = said.err.splitlines()
    assert all(any(name in line and why in line for line in lines) for name, why in copies.items())


def test_when_a_load_is_repeated_then_nothing_changes(store: Store, capsys: Capture) -> None:
    store.put(FIVE)
    load(store)
    before = everything(store)
    capsys.readouterr()
    assert load(store) == 0
    said = capsys.readouterr()
    assert everything(store) == before
    assert "skipped 4 objects that landed before" in said.out
    assert "0 objects, 0 rows landed" in said.out


def test_when_content_has_changed_then_nothing_does(store: Store, capsys: Capture) -> None:
    store.put({GOOD_LOG: SOUND, EMPTY: SOUND})
    load(store)
    before = everything(store)
    store.put({GOOD_LOG: SOUND.replace(b"200", b"404")})
    assert load(store) == loading.EXIT_UNREADABLE
    assert f"{GOOD_LOG}: not loaded: has landed before with other" in capsys.readouterr().err
    assert everything(store) == before


def test_when_one_object_is_unreadable_then_the_rest_lands(store: Store, capsys: Capture) -> None:
    store.put({**FIVE, WRONG_HEADER: b"a,b\n1,2\n"})
    (store.logs / usage("gone")).symlink_to("nowhere")
    assert load(store) == loading.EXIT_UNREADABLE
    said = capsys.readouterr().err
    assert f"{WRONG_HEADER}: not loaded: its first line is not the v0 header" in said
    assert f"{usage('gone')}: not loaded" in said
    assert f"{LATIN}: 1 line rejected" in said
    assert store.rows().total() == 4


def test_when_an_unreadable_object_is_fixed_then_it_lands(store: Store) -> None:
    store.put({WRONG_HEADER: b"a,b\n1,2\n"})
    assert load(store) == loading.EXIT_UNREADABLE
    store.put({WRONG_HEADER: SOUND})
    assert load(store) == 0
    assert store.rows().total() == 1


def test_when_a_source_is_missing_then_the_code_is_2(store: Store, capsys: Capture) -> None:
    store.put({GOOD_LOG: SOUND})
    assert load(store, "nowhere") == 2
    assert "no such file or folder: nowhere" in capsys.readouterr().err
    assert not store.database.exists()


@pytest.mark.parametrize("arguments", [[], ["load"], ["query"], ["delete"], ["status", "--all"]])
def test_when_arguments_are_wrong_then_the_code_is_2(arguments: list[str]) -> None:
    assert cli.main(arguments) == 2


@pytest.mark.parametrize(("other", "code"), [(SOUND, 0), (BROKEN, loading.EXIT_UNREADABLE)])
def test_when_two_files_share_a_name_then_one_lands(
    store: Store, other: bytes, code: int, capsys: Capture
) -> None:
    first, second = (store.logs / folder / GOOD_LOG for folder in ("a", "b"))
    for path, data in ((first, SOUND), (second, other)):
        path.parent.mkdir()
        path.write_bytes(data)
    assert load(store) == code
    said = "".join(capsys.readouterr())
    assert [f"{second}: " in said, f" of {first}" in said] == [True, True]
    assert store.rows().total() == 1
    assert load(store) == code


def test_when_a_run_is_dry_then_it_says_what_it_would_do(store: Store, capsys: Capture) -> None:
    store.put({GOOD_LOG: SOUND, "README.txt": b""})
    load(store)
    store.put({CORRUPT: BROKEN})
    before = everything(store)
    capsys.readouterr()
    assert load(store, "--dry-run") == 0
    assert set(capsys.readouterr().out.splitlines()) == {
        f"would load {store.logs / CORRUPT}: {len(BROKEN):,} bytes",
        f"skipped {store.logs / GOOD_LOG}: has landed before",
        f"skipped {store.logs / 'README.txt'}: its name is not that of a log object",
    }
    assert everything(store) == before


def test_when_there_are_many_objects_then_they_land_in_batches(
    store: Store, capsys: Capture, monkeypatch: Patch
) -> None:
    monkeypatch.setattr(DuckDBWarehouse, "max_objects", 2)
    store.put({usage("edcba"[hour], hour): SOUND for hour in range(5)})
    load(store)
    assert capsys.readouterr().out.splitlines()[:3] == [
        f"loaded {done} of 5 objects" for done in (2, 4, 5)
    ]
    oldest_first = "select hour(log_hour) from storageanalysis.loaded_objects order by loaded_at, 1"
    assert store.query(oldest_first) == [(0,), (1,), (2,), (3,), (4,)]
    arrivals = "select count(distinct _partitiontime) from storageanalysis.usage"
    assert store.query(arrivals) == [(3,)]


def test_when_a_batch_would_be_too_big_then_it_is_cut(store: Store) -> None:
    store.put({usage(hour=hour): b"x" * size for hour, size in enumerate([6, 4, 1, 20, 3])})
    todo = plan.make(plan.find(store.logs), {})
    cut = [[each.size for each in batch] for batch in plan.batches(todo.load, 9, 10)]
    assert cut == [[6, 4], [1], [20], [3]]


def test_when_logs_have_landed_then_status_tells_of_them(store: Store, capsys: Capture) -> None:
    storage = csv_log.write([["example", "240"]], list(csv_log.STORAGE_COLUMNS))
    # an hour without a record is none of the log's hours
    usage_logs = {usage(hour=20): SOUND, usage(hour=22): HEADER, usage(hour=23): BROKEN}
    store.put(usage_logs | {STORAGE: storage})
    load(store)
    capsys.readouterr()
    assert cli.main(["status"]) == 0
    lines = [each.split() for each in capsys.readouterr().out.splitlines()]
    assert ["usage", "2024-05-29", "3", "2", "1", "2", "2024-05-29", "23:00:00"] in lines
    assert ["storage", "2024-05-29", "1", "1", "0", "1", "2024-05-29", "07:00:00"] in lines
    assert cli.main(["status", "--format", "json"]) == 0
    days = [json.loads(each) for each in capsys.readouterr().out.splitlines()]
    assert [tuple(day.values()) for day in days] == [
        ("storage", "2024-05-29", 1, 1, 0, 1, "2024-05-29T07:00:00"),
        ("usage", "2024-05-29", 3, 2, 1, 2, "2024-05-29T23:00:00"),
    ]
    assert tuple(days[0]) == COLUMNS


def test_when_raw_has_changed_since_the_last_build_then_status_says_new(store: Store) -> None:
    def status() -> int:
        return cli.main(["status", "--new"])

    def finish() -> None:
        with duckdb.connect(str(store.database)) as connection:
            connection.execute(
                f"insert into {RUNS} values ('hourly', now()::timestamp, now()::timestamp)"
            )

    store.put({usage(hour=20): SOUND})
    load(store)
    assert status() == 0
    with duckdb.connect(str(store.database)) as connection:
        connection.execute(
            "set timezone = 'UTC'; create schema pullstats_intermediate;"
            f"create table {RUNS} (run_id string, started_at timestamp, finished_at timestamp);"
            f"insert into {RUNS} values ('killed', now()::timestamp, null)"
        )
    assert status() == 0
    finish()
    assert status() == EXIT_NOTHING_NEW
    with duckdb.connect(str(store.database)) as connection:
        connection.execute(
            "create table storageanalysis.inventories as select now()::timestamp as completed_at"
        )
    assert status() == 0
    finish()
    assert status() == EXIT_NOTHING_NEW
    store.put({usage(hour=21): SOUND})
    load(store)
    assert status() == 0


def test_when_audit_logs_have_faults_then_all_entries_land(store: Store, capsys: Capture) -> None:
    agent = {"requestMetadata": {"callerSuppliedUserAgent": "a" * MAX_ENTRY_BYTES}}
    too_long = entry(protoPayload=agent)
    longest = too_long.replace(b"a" * (len(too_long) - 1 - MAX_ENTRY_BYTES), b"", 1)
    assert len(longest) == MAX_ENTRY_BYTES + 1
    other_log = "run.googleapis.com/stdout/" + audit().split("/", 2)[2]
    no_entries = b"text\n" + entry(protoPayload=None, textPayload="x") + too_long
    store.put(
        {
            audit(): entry() + no_entries + longest,
            audit(hour=3, part="A0:1735351500"): entry(protoPayload={"methodName": [1]}),
            other_log: b'{"textPayload": "x"}\n',
        }
    )
    assert load(store) == loading.EXIT_REJECTED_LINES
    said = capsys.readouterr()
    assert "2 objects, 3 rows landed" in said.out
    assert f"skipped {store.logs / other_log}: its name is not that of a log object" in said.out
    assert f"{audit()}: 3 lines rejected; see rejected_lines" in said.err
    assert [(number, reason) for number, reason, _ in store.rejected()] == [
        (2, "not JSON: Expecting value: line 1 column 1 (char 0)"),
        (3, "no log entry of an audit log: protoPayload is missing"),
        (4, f"longer than {MAX_ENTRY_BYTES} bytes"),
    ]
    assert b"".join(line + b"\n" for *_, line in store.rejected()) == no_entries
    assert load(store) == 0
    capsys.readouterr()
    assert cli.main(["status"]) == 0
    lines = [each.split() for each in capsys.readouterr().out.splitlines()]
    assert ["audit", "2024-12-28", "2", "3", "3", "2", "2024-12-28", "03:00:00"] in lines


def test_when_nothing_has_landed_then_status_says_so(store: Store, capsys: Capture) -> None:
    for is_there in (False, True):
        if is_there:
            duckdb.connect(str(store.database)).close()
        assert cli.main(["status"]) == 1
        assert "nothing has landed yet" in capsys.readouterr().err
        assert store.database.exists() == is_there


def test_when_a_database_is_named_then_it_wins(
    store: Store, tmp_path: Path, monkeypatch: Patch
) -> None:
    store.put({GOOD_LOG: SOUND})
    named, from_environment = tmp_path / "named.duckdb", tmp_path / "environment.duckdb"
    monkeypatch.setenv("PULLSTATS_DUCKDB", str(from_environment))
    load(store, "--database", str(named))
    assert (named.exists(), from_environment.exists(), store.database.exists()) == (1, 0, 0)
    load(store)
    assert (from_environment.exists(), store.database.exists()) == (1, 0)
    monkeypatch.delenv("PULLSTATS_DUCKDB")
    load(store)
    assert store.rows().total() == 1


def test_when_the_version_is_asked_then_it_is_said(capsys: Capture) -> None:
    assert cli.main(["--version"]) == 0
    assert capsys.readouterr().out == f"pullstats, version {version('pullstats')}\n"


@pytest.mark.parametrize("command", ["load", "inventory"])
def test_when_help_is_asked_then_it_has_examples_and_exit_codes(
    command: str, capsys: Capture
) -> None:
    assert cli.main([command, "--help"]) == 0
    said = capsys.readouterr().out
    assert "\n  Examples:\n" in said
    assert "\n  Exit codes:\n" in said
    assert "\b" not in said


def test_when_no_extra_is_installed_then_help_works_and_the_extra_is_named(tmp_path: Path) -> None:
    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        program = (
            "import sys; sys.modules.update(dict.fromkeys(['maxminddb', 'google']));"
            "from pullstats import cli; sys.exit(cli.main(sys.argv[1:]))"
        )
        command = [sys.executable, "-c", program, *arguments]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)

    for command in ((), ("ask",), ("inventory",), ("load",), ("networks",), ("status",)):
        assert run(*command, "--help").returncode == 0
    (tmp_path / "asn.mmdb").touch()
    needs = {
        "networks": ("networks", "asn.mmdb"),
        "bigquery": ("status", "--to", "bigquery"),
    }
    for extra, arguments in needs.items():
        done = run(*arguments)
        assert done.returncode == 1
        assert f"install pullstats[{extra}], or run make" in done.stderr


def test_when_a_shell_completes_then_it_gets_commands() -> None:
    command = [str(Path(sys.executable).with_name("pullstats"))]
    settings = {"_PULLSTATS_COMPLETE": "bash_complete", "COMP_WORDS": "pullstats l"}
    settings = os.environ | settings | {"COMP_CWORD": "1"}
    done = subprocess.run(command, env=settings, capture_output=True, text=True, check=False)
    assert done.stdout == "plain,load\n"


def test_when_a_load_is_interrupted_then_no_traceback_is_shown(
    store: Store, capsys: Capture, monkeypatch: Patch
) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    store.put({GOOD_LOG: SOUND})
    with monkeypatch.context() as interrupted:
        interrupted.setattr(DuckDBWarehouse, "load", interrupt)
        assert load(store) == cli.EXIT_INTERRUPTED
    said = capsys.readouterr().err.strip()
    assert said == "pullstats: interrupted; what has landed stays"
    assert load(store) == 0
    assert store.rows().total() == 1


def test_when_a_name_is_not_utf8_then_the_others_land(store: Store, capsys: Capture) -> None:
    store.put({GOOD_LOG: SOUND})
    for name in (b"caf\xe9_" + GOOD_LOG.encode(), b"caf\xe9.txt"):
        (store.logs / os.fsdecode(name)).write_bytes(SOUND)
    assert load(store) == 4
    shown = capsys.readouterr()
    assert "not loaded: its name is not UTF-8" in shown.err
    assert r"caf\udce9.txt: its name is not that of a log object" in shown.out
    assert store.rows().total() == 1


def test_when_the_disk_is_full_then_the_next_load_lands_all(store: Store) -> None:
    """A limit on the size of files stands for a small file system."""
    texts = [os.urandom(500).hex() for _ in range(2000)]
    rows = [b"\n" + line([*GOOD[:-1], text]) for text in texts]
    store.put(
        {usage(hour=hour): HEADER.rstrip(b"\n") + b"".join(rows[hour::3]) for hour in range(3)}
    )
    command = [sys.executable, "-m", "pullstats.cli", "load", str(store.logs)]
    full = ["bash", "-c", 'ulimit -f 1000; exec "$@"', "bash", *command]
    refused = subprocess.run(full, capture_output=True, text=True, check=False)
    assert refused.returncode == 1
    assert refused.stderr.startswith("pullstats: ")
    assert "Traceback" not in refused.stderr
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "3 objects, 2,000 rows landed" in done.stdout
    assert store.query("select count(*) from storageanalysis.usage") == [(2000,)]

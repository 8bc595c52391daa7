"""Raw is what landed, and a difference is an error; what can't be read is named."""

import os
import stat
import subprocess
import sys
from contextlib import closing
from datetime import datetime
from pathlib import Path

import duckdb
import pytest

from integration_tests.project import Project, example_logs
from pullstats import cli, loading
from pullstats.duckdb_warehouse import DuckDBWarehouse
from tests.test_audit import audit, entry
from tests.test_load import BROKEN, SOUND, Store, typed, usage
from tests.test_rows import GOOD, changed, line

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    monkeypatch.setenv("PULLSTATS_DUCKDB", str(tmp_path / "warehouse.duckdb"))
    return Store(tmp_path, "warehouse.duckdb")


def load(store: Store, *options: str) -> int:
    return cli.main(["load", str(store.logs), *options])


def test_when_the_database_moves_then_its_rows_move_with_it(
    store: Store, tmp_path: Path, capsys: Capture
) -> None:
    store.put({usage(): SOUND})
    load(store)
    moved = tmp_path / "other disk" / store.database.name
    moved.parent.mkdir()
    store.database.rename(moved)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["logs", "other disk"]
    capsys.readouterr()
    assert cli.main(["load", str(store.logs), "--database", str(moved)]) == 0
    assert "skipped 1 object that landed before" in capsys.readouterr().out
    store.database = moved
    assert store.rows() == typed([GOOD])


def test_when_a_batch_fails_then_nothing_of_it_has_landed(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.put({usage(): SOUND, usage(shard=1): BROKEN, audit(): entry()})
    insert = DuckDBWarehouse._insert

    def fail(self: DuckDBWarehouse, table: str, values: list[tuple[object, ...]]) -> None:
        insert(self, table, values)
        if table == "rejected_lines":
            raise OSError("no space left on device")

    with monkeypatch.context() as failing:
        failing.setattr(DuckDBWarehouse, "_insert", fail)
        assert load(store) == 1
    tables = ("usage", "audit_logs", "rejected_lines", "loaded_objects")
    assert not any(store.query(f"from storageanalysis.{table}") for table in tables)
    assert load(store) == loading.EXIT_REJECTED_LINES
    assert store.rows() == typed([GOOD, GOOD])


@pytest.mark.parametrize("is_there", [True, False])
def test_when_a_database_gets_rows_then_it_is_its_owners_only(store: Store, is_there: bool) -> None:
    """As well if dbt has made it."""
    store.put({usage(): SOUND})
    if is_there:
        duckdb.connect(str(store.database)).close()
        store.database.chmod(0o644)
    umask = os.umask(0o022)
    try:
        load(store)
    finally:
        assert os.umask(umask) == 0o022
    assert stat.S_IMODE(store.database.stat().st_mode) == 0o600


def test_when_dbt_made_the_database_then_nothing_has_landed(store: Store, capsys: Capture) -> None:
    store.put({usage(): SOUND})
    duckdb.connect(str(store.database)).close()
    assert load(store, "--dry-run") == 0
    assert "would load" in capsys.readouterr().out


def test_when_a_place_is_a_link_then_it_is_named(
    store: Store, tmp_path: Path, capsys: Capture
) -> None:
    """What it leads to has been listed; or somebody else may have put the link there."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "secret.txt").write_text("secret")
    (elsewhere / usage(hour=5)).write_bytes(SOUND)
    store.put({f"below/{usage()}": SOUND})
    outside = {
        usage(hour=1): elsewhere / "secret.txt",
        audit(): elsewhere / "secret.txt",
        "nas": elsewhere,
        usage(hour=2): store.logs / "nowhere",
        usage(hour=3): store.logs / usage(hour=3),
    }
    (store.logs / audit()).parent.mkdir(parents=True)
    for name, target in (outside | {"again": store.logs / "below"}).items():
        (store.logs / name).symlink_to(target)
    assert load(store) == loading.EXIT_UNREADABLE
    said = capsys.readouterr()
    named = [line for line in said.err.splitlines() if "it is a link to nothing, or out of" in line]
    assert sorted(line.split(": ")[0] for line in named) == sorted(
        str(store.logs / name) for name in outside
    )
    assert f"skipped {store.logs}/again: it is a link to what is listed" in said.out
    assert "secret" not in said.err
    assert store.rows() == typed([GOOD])
    # the user's own link is meant
    assert cli.main(["load", str(store.logs / "nas")]) == 0
    assert store.rows() == typed([GOOD, GOOD])


def test_when_a_file_is_refused_then_its_content_is_not_shown(
    store: Store, capsys: Capture
) -> None:
    store.put({usage(): b"secret"})
    assert load(store) == loading.EXIT_UNREADABLE
    said = capsys.readouterr()
    assert "its first line is not the v0 header of its kind" in said.err
    assert "secret" not in said.err + said.out


def test_when_a_name_has_control_characters_then_they_are_escaped(
    store: Store, capsys: Capture
) -> None:
    store.put({usage("\x1b[31m\a\u202e"): SOUND, "\x1b]0;x\x07.txt": b"", usage("b\n"): BROKEN})
    load(store)
    said = "".join(capsys.readouterr())
    assert r"\x1b]0;x\x07.txt" in said
    assert r"b\n_usage_" in said
    assert all(each.isprintable() or each == "\n" for each in said)


def test_when_a_source_is_empty_text_then_it_is_refused(store: Store) -> None:
    assert cli.main(["load", ""]) == 2


@pytest.mark.parametrize("table", ["usage", "audit_logs"])
def test_when_rows_of_raw_are_lost_then_dbt_says_so(project: Project, table: str) -> None:
    log, audit_log = project.folder / usage(), project.folder / audit()
    audit_log.parent.mkdir(parents=True)
    log.write_bytes(SOUND)
    audit_log.write_bytes(entry())
    project.load([log, audit_log])
    check = ["test", "--select", "assert_raw_holds_what_landed"]
    project.dbt(*check)
    with duckdb.connect(str(project.database)) as connection:
        connection.execute(f"delete from storageanalysis.{table}")
    with pytest.raises(AssertionError, match="assert_raw_holds_what_landed"):
        project.dbt(*check)


def test_when_an_object_lands_twice_then_the_marts_do_not_change(
    project: Project, examples: Project
) -> None:
    """Two loaders that work on one dataset at a time may do that: see docs/bigquery.md."""
    logs = example_logs()
    project.load(logs)
    before = examples.marts()
    ((rows,),) = project.query("select count(*) from storageanalysis.usage")
    with closing(DuckDBWarehouse(project.database)) as warehouse:
        ((uri, again),) = warehouse.query(
            "select object_uri, row_count from storageanalysis.loaded_objects"
            " order by row_count desc limit 1"
        )
        warehouse.query("delete from storageanalysis.loaded_objects where object_uri = ?", [uri])
    project.load(logs)
    assert project.query("select count(*) from storageanalysis.usage") == [(rows + again,)]
    project.run()
    after = project.marts()
    # this one counts what came twice
    assert before.pop("fct_log_hours") != after.pop("fct_log_hours")
    assert after == before


@pytest.mark.parametrize("cut", range(1, len(line(GOOD)) + 2, 40))
def test_when_a_cut_log_comes_whole_then_it_lands_again(
    store: Store, cut: int, capsys: Capture
) -> None:
    other = changed(sc_status="404")
    whole = SOUND + line(other) + b"\n" + line(GOOD) + b"\n"
    store.put({usage(): whole[: len(SOUND) + cut], audit(): (entry() * 2)[:-9]})
    assert load(store) in (0, loading.EXIT_REJECTED_LINES)
    before = store.rows()
    store.put({usage(): whole, audit(): entry() * 2})
    capsys.readouterr()
    assert [load(store), load(store)] == [0, 0]
    said = capsys.readouterr().out
    for name in (usage(), audit()):
        assert f"{store.logs / name}: was cut off when it landed, so it lands again, whole" in said
    assert store.rows() == before + typed([GOOD, other, GOOD])
    assert store.query("select count(*) from storageanalysis.audit_logs") == [(3,)]


def test_when_a_log_shrinks_then_it_is_refused(store: Store, capsys: Capture) -> None:
    store.put({usage(): BROKEN})
    load(store)
    store.put({usage(): SOUND})
    assert load(store) == loading.EXIT_UNREADABLE
    assert "has landed before with other content" in capsys.readouterr().err


def test_when_a_log_has_landed_then_it_is_not_read_again(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.put({usage(hour=hour): SOUND for hour in range(3)})
    load(store)
    copied = store.logs / usage()
    os.utime(copied, (1, 1))
    read = []
    really = Path.read_bytes
    monkeypatch.setattr(Path, "read_bytes", lambda path: read.append(path) or really(path))
    assert load(store) == 0
    assert read == [copied]


def test_when_a_place_is_no_file_then_it_is_skipped(store: Store, capsys: Capture) -> None:
    os.mkfifo(store.logs / usage())
    store.put({usage(hour=1): SOUND})
    assert load(store) == 0
    assert f"skipped {store.logs / usage()}: it is not a regular file" in capsys.readouterr().out
    assert cli.main(["load", str(store.logs / usage())]) == loading.EXIT_UNREADABLE


def test_when_a_folder_cannot_be_listed_then_it_is_named(
    store: Store, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = store.logs / "closed"
    closed.mkdir()
    store.put({usage(): SOUND})
    iterdir = Path.iterdir

    def refuse(path: Path) -> object:
        if path == closed:
            raise PermissionError(13, "Permission denied", str(path))
        return iterdir(path)

    # tests may run as root, whom no mode stops
    monkeypatch.setattr(Path, "iterdir", refuse)
    assert load(store) == loading.EXIT_UNREADABLE
    assert f"{closed}: not loaded: it can't be read" in capsys.readouterr().err
    assert store.rows() == typed([GOOD])


def test_when_a_source_has_no_log_then_that_is_an_error(store: Store, capsys: Capture) -> None:
    (store.logs / "README.txt").write_text("x")
    (store.logs / "empty").mkdir()
    assert load(store) == loading.EXIT_UNREADABLE
    assert f"{store.logs}: not loaded: no log object is there" in capsys.readouterr().err
    assert load(store, "--allow-empty") == 0
    store.put({usage(): SOUND})
    assert cli.main(["load", str(store.logs), str(store.logs / "empty")]) == loading.EXIT_UNREADABLE
    assert store.rows() == typed([GOOD])
    # an hour that is not asked for is a log all the same
    assert load(store, "--since", "2025-01-01") == 0


@pytest.mark.parametrize(
    "hours",
    [
        ["--since", "2024-02-30"],
        ["--since", "2024-13-01"],
        ["--since", "2024-5-1"],
        ["--until", "2024-05-29T24"],
        ["--since", "2024-05-30", "--until", "2024-05-29"],
    ],
)
def test_when_an_hour_cannot_be_then_it_is_refused(store: Store, hours: list[str]) -> None:
    store.put({usage(): SOUND})
    assert load(store, *hours) == 2
    assert not store.database.exists()


def test_when_a_database_is_only_read_then_nothing_is_written(
    store: Store, tmp_path: Path, capsys: Capture
) -> None:
    store.put({usage(): SOUND})
    load(store)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    for path in (store.database, tmp_path):
        path.chmod(stat.S_IRUSR | stat.S_IXUSR * path.is_dir())
    try:
        assert cli.main(["status"]) == 0
        assert load(store, "--dry-run") == 0
    finally:
        tmp_path.chmod(0o755)
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before


def test_when_another_process_reads_then_so_does_status(store: Store) -> None:
    store.put({usage(): SOUND})
    load(store)
    reader = (
        "import duckdb, sys; c = duckdb.connect(sys.argv[1], read_only=True);"
        "print('open', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", reader, str(store.database)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdout
        process.stdout.readline()
        assert cli.main(["status"]) == 0


@pytest.mark.parametrize("zone", ["Asia/Kolkata", "Pacific/Kiritimati", "America/New_York"])
def test_when_the_machine_is_elsewhere_then_the_rows_are_the_same(
    store: Store, tmp_path: Path, zone: str
) -> None:
    odd = tmp_path / "Zürich's 日本 logs"
    odd.mkdir()
    (odd / usage(hour=23)).write_bytes(SOUND)
    database = odd / "ware house.duckdb"
    command = [sys.executable, "-m", "pullstats.cli"]
    settings = os.environ | {"TZ": zone, "LC_ALL": "C", "PULLSTATS_DUCKDB": str(database)}
    subprocess.run([*command, "load", str(odd)], env=settings, check=True)
    said = subprocess.run([*command, "status"], env=settings, check=True, capture_output=True)
    assert b"2024-05-29 23:00:00" in said.stdout
    with duckdb.connect(str(database), read_only=True) as connection:
        found = connection.execute("select log_hour from storageanalysis.loaded_objects")
        assert found.fetchall() == [(datetime(2024, 5, 29, 23),)]

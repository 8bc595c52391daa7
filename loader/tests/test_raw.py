"""Raw is what landed, and says so when it no longer is; what can't be read is named."""

import os
import shutil
import stat
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import duckdb
import pytest

from integration_tests.project import Project, example_logs
from integration_tests.test_rows import GOOD, changed, line
from pullstats import cli, loading
from pullstats.duckdb_warehouse import DuckDBWarehouse
from tests.test_audit import audit, entry
from tests.test_load import BROKEN, SOUND, Store, typed, usage

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    monkeypatch.setenv("PULLSTATS_DUCKDB", str(tmp_path / "warehouse.duckdb"))
    return Store(tmp_path, "warehouse.duckdb")


def load(store: Store, *options: str) -> int:
    return cli.main(["load", str(store.logs), *options])


def raw_file(store: Store) -> Path:
    (path,) = store.raw.rglob("rows.csv.zst")
    return path


def spoil(store: Store, how: str) -> Path:
    """Lose or alter what the database relies on; return what must be named."""
    path = raw_file(store)
    data = path.read_bytes()
    if how == "raw is left behind":
        shutil.rmtree(store.raw)
        return store.raw
    if how == "lost":
        path.unlink()
        return path
    path.write_bytes(data[:-1] if how == "cut" else data[:-1] + bytes([data[-1] ^ 1]))
    os.utime(path, (1, 1))
    return path


@pytest.mark.parametrize("how", ["raw is left behind", "lost", "cut", "altered"])
def test_when_raw_is_not_what_landed_then_that_is_an_error(
    store: Store, how: str, capsys: Capture
) -> None:
    store.put({usage(): SOUND})
    assert load(store) == 0
    path = spoil(store, how)
    for command in (["load", str(store.logs)], ["load", "--dry-run", str(store.logs)], ["status"]):
        capsys.readouterr()
        assert cli.main(command) == 1
        assert str(path) in capsys.readouterr().err
    # what dbt tests
    with duckdb.connect(str(store.database), read_only=True) as connection:
        found = connection.execute("select fault from storageanalysis.raw_faults").fetchall()
    assert found == [("altered" if how in ("cut", "altered") else "lost",)]


def test_when_database_and_raw_move_together_then_nothing_is_lost(
    store: Store, tmp_path: Path, capsys: Capture
) -> None:
    store.put({usage(): SOUND})
    load(store)
    moved = tmp_path / "other disk"
    moved.mkdir()
    shutil.copy(store.database, moved)
    shutil.copytree(store.raw, moved / store.raw.name, copy_function=shutil.copyfile)
    shutil.rmtree(store.raw)
    store.database.unlink()
    option = ["--database", str(moved / store.database.name)]
    assert cli.main(["status", *option]) == 0
    assert cli.main(["load", str(store.logs), *option]) == 0
    capsys.readouterr()
    for table, count in (("usage", "1"), ("raw_faults", "0")):
        assert cli.main(["query", f"select count(*) from storageanalysis.{table}", *option]) == 0
        assert capsys.readouterr().out.strip() == count


@pytest.mark.parametrize("batches", [1, 2])
def test_when_a_new_database_finds_the_raw_of_another_then_it_deletes_nothing(
    store: Store, capsys: Capture, batches: int
) -> None:
    for hour in range(batches):
        store.load({usage(hour=hour): SOUND})
    store.database.unlink()
    before = sorted(store.raw.rglob("*"))
    assert load(store) == 1
    assert f"{store.raw} holds rows that this database doesn't list" in capsys.readouterr().err
    assert sorted(store.raw.rglob("*")) == before


def test_when_another_program_leaves_files_in_raw_then_rows_stay(store: Store) -> None:
    for hour in range(2):
        store.load({usage(hour=hour): SOUND})
    for path in store.raw.rglob("rows.csv.zst"):
        (path.parent / ".DS_Store").touch()
    before = store.query("from storageanalysis.usage order by all")
    assert load(store) == 0
    assert store.query("from storageanalysis.usage order by all") == before


def test_when_dbt_made_the_database_then_nothing_has_landed(store: Store, capsys: Capture) -> None:
    store.put({usage(): SOUND})
    duckdb.connect(str(store.database)).close()
    assert load(store, "--dry-run") == 0
    assert "would load" in capsys.readouterr().out
    assert cli.main(["status"]) == 0


def test_when_a_link_leads_nowhere_then_it_is_named(store: Store, capsys: Capture) -> None:
    store.put({usage(): SOUND})
    (store.logs / "archive").symlink_to(store.logs / "unmounted")
    assert load(store) == 4
    assert "archive: not loaded: [Errno 2]" in capsys.readouterr().err


def test_when_a_source_is_empty_text_then_it_is_refused(store: Store) -> None:
    assert cli.main(["load", ""]) == 2


def test_when_a_raw_file_is_lost_then_dbt_says_so(project: Project) -> None:
    log = project.folder / usage()
    log.write_bytes(SOUND)
    project.load([log])
    check = ["test", "--select", "assert_raw_holds_what_landed"]
    project.dbt(*check)
    next(Path(f"{project.database}.raw").rglob("rows.csv.zst")).unlink()
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
def test_when_a_cut_log_comes_whole_then_the_rest_of_it_lands(
    store: Store, cut: int, capsys: Capture
) -> None:
    other = changed(sc_status="404")
    whole = SOUND + line(other) + b"\n" + line(GOOD) + b"\n"
    store.put({usage(): whole[: len(SOUND) + cut], audit(): (entry() * 2)[:-9]})
    assert load(store) in (0, loading.EXIT_REJECTED_LINES)
    store.put({usage(): whole, audit(): entry() * 2})
    assert [load(store), load(store)] == [0, 0]
    assert store.rows() == typed([GOOD, other, GOOD])
    assert store.query("select count(*) from storageanalysis.audit_logs") == [(2,)]


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
    read_bytes = Path.read_bytes
    monkeypatch.setattr(Path, "read_bytes", lambda path: read.append(path) or read_bytes(path))
    assert load(store) == 0
    assert read == [copied]
    assert load(store) == 0
    assert read == [copied]


def test_when_a_folder_is_a_link_then_it_is_followed_once(store: Store, capsys: Capture) -> None:
    elsewhere = store.logs.parent / "nas"
    (elsewhere / "deep").mkdir(parents=True)
    (elsewhere / "deep" / usage()).write_bytes(SOUND)
    (elsewhere / "back").symlink_to(store.logs)
    (elsewhere / "self").symlink_to(elsewhere / "self")
    (store.logs / "linked").symlink_to(elsewhere)
    (store.logs / "twice").symlink_to(elsewhere)
    assert load(store) == 0
    said = capsys.readouterr().out
    assert "1 objects, 1 rows landed" in said
    assert f"{store.logs}/twice: the folder has been listed before" in said
    assert f"{store.logs}/linked/back: the folder has been listed before" in said
    assert cli.main(["load", str(store.logs / "linked")]) == 0


def test_when_a_place_is_no_file_then_it_is_skipped(store: Store, capsys: Capture) -> None:
    os.mkfifo(store.logs / usage())
    store.put({usage(hour=1): SOUND})
    assert load(store) == 0
    assert f"skipped {store.logs / usage()}: it is no regular file" in capsys.readouterr().out
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
    assert f"{closed}: not loaded: the folder can't be listed" in capsys.readouterr().err
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
    leftovers = store.raw / "incoming"
    leftovers.mkdir()
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    for path in (store.database, tmp_path):
        path.chmod(stat.S_IRUSR | stat.S_IXUSR * path.is_dir())
    try:
        assert cli.main(["status"]) == 0
        assert cli.main(["query", "select count(*) from storageanalysis.usage"]) == 0
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
    said = [
        subprocess.run([*command, *ask], env=settings, check=True, capture_output=True).stdout
        for ask in (["status"], ["query", "select log_hour from storageanalysis.loaded_objects"])
    ]
    assert b"newest hour: 2024-05-29 23:00 UTC" in said[0]
    assert said[1] == b"2024-05-29 23:00:00\n"

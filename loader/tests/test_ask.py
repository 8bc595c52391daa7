"""`pullstats ask`: how an answer looks, and what is refused."""

import csv
import io
import json
import random
import shutil
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import duckdb
import pytest

from integration_tests.project import ROOT
from pullstats import ask, cli

Capture = pytest.CaptureFixture[str]
MART = (
    "create schema pullstats; create table pullstats.dim_images as select * from (values"
    " ('a', 12345, true, date '2024-05-29', timestamp '2024-05-29 07:00:00', 1.50, null),"
    " ('b \"x\", ü', 2, false, null, null, null, 'a; [red]b'))"
    " as t(image, pulls, is_new, first_date, last_at, share, note)"
)


@pytest.fixture
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A database with a mart, in a folder where a question finds it."""
    monkeypatch.setenv("PULLSTATS_DUCKDB", str(tmp_path / "warehouse.duckdb"))
    monkeypatch.chdir(ROOT)
    with duckdb.connect(str(tmp_path / "warehouse.duckdb")) as connection:
        connection.execute(MART)
    return tmp_path / "warehouse.duckdb"


def asked(*arguments: str, capsys: Capture) -> tuple[int, str, str]:
    code = cli.main(["ask", *arguments])
    said = capsys.readouterr()
    return code, said.out, said.err


def test_a_table_shows_each_value_as_it_is(database: Path, capsys: Capture) -> None:
    code, out, _ = asked("from dim_images order by all", capsys=capsys)
    assert code == 0
    assert [word in out for word in ("12,345", "a; [red]b", '"x", ü', "None")] == [True] * 3 + [
        False
    ]


def test_a_table_moves_no_cursor(database: Path, capsys: Capture) -> None:
    code, out, _ = asked("select chr(27) || '[2J' as image", capsys=capsys)
    assert code == 0
    assert "\x1b" not in out
    assert "\\x1b[2J" in out


@pytest.mark.parametrize("layout", ["csv", "json"])
def test_csv_and_json_move_no_cursor_of_a_terminal(
    layout: str, database: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those are ESC, a line break, CSI in one character, and writing from right to left."""
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    sql = "select chr(27) || '[2J' || chr(10) || chr(155) || '31m' || chr(8238) as image"
    code, out, _ = asked(sql, "--format", layout, capsys=capsys)
    assert code == 0
    assert "31m" in out
    assert all(line.isprintable() for line in out.split("\n"))


def test_csv_and_json_hold_each_value_exactly(database: Path, capsys: Capture) -> None:
    _, out, _ = asked("from dim_images order by all", "--format", "csv", capsys=capsys)
    assert out.splitlines()[1:] == [
        "a,12345,True,2024-05-29,2024-05-29 07:00:00,1.50,",
        '"b ""x"", ü",2,False,,,,a; [red]b',
    ]
    _, out, _ = asked("from dim_images order by all", "--format", "json", capsys=capsys)
    first = json.loads(out.splitlines()[0])
    assert first["share"] == 1.5
    assert first["last_at"] == "2024-05-29T07:00:00"
    assert first["note"] is None


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("=1+1", "'=1+1"),
        ("@x", "'@x"),
        ("-x", "'-x"),
        ("a;=1+1", "a;'=1+1"),
        ('a;"+x', "a;'\"+x"),
        (" =x", "' =x"),
        ("a\n=x", "a\n'=x"),
        ("a=b", "a=b"),
        ("a-b", "a-b"),
    ],
)
def test_a_spreadsheet_takes_no_cell_for_a_formula(
    text: str, cell: str, database: Path, capsys: Capture
) -> None:
    quoted = text.replace("'", "''")
    sql = f"select '{quoted}' as image, -1 as pulls"
    _, out, _ = asked(sql, "--format", "csv", capsys=capsys)
    assert list(csv.reader(io.StringIO(out)))[1] == [cell, "-1"]


@pytest.mark.parametrize(
    ("sql", "exact", "text"),
    [
        ("'\\xfb\\xff'::blob", "+/8=", "'+/8="),
        ("'\\x00='::blob", "AD0=", "AD0="),
        ("interval '-1' day", "-1 day, 0:00:00", "'-1 day, 0:00:00"),
        ("time '01:02:03'", "01:02:03", "01:02:03"),
        (
            "'123e4567-e89b-42d3-a456-426614174000'::uuid",
            "123e4567-e89b-42d3-a456-426614174000",
            None,
        ),
        ("[date '2024-05-29', null]", ["2024-05-29", None], '["2024-05-29", null]'),
        ("array[1.5::decimal(9, 2)]::decimal(9, 2)[1]", [1.5], "[1.5]"),
        (
            "{'at': timestamp '2024-05-29 07:00:00', 'b': ['a'::blob]}",
            {"at": "2024-05-29T07:00:00", "b": ["YQ=="]},
            '{"at": "2024-05-29T07:00:00", "b": ["YQ=="]}',
        ),
        ("map {date '2024-05-29': 1}", {"2024-05-29": 1}, '{"2024-05-29": 1}'),
        ("'nan'::double", "nan", "nan"),
        ("['-inf'::double]", ["-inf"], '["-inf"]'),
        (
            "timestamptz '2024-05-29 07:00:00+02'",
            "2024-05-29T05:00:00+00:00",
            "2024-05-29 05:00:00",
        ),
        ("-(2::hugeint ** 100)::hugeint", -(2**100), str(-(2**100))),
        ("date '-0044-03-15'", "0045-03-15 (BC)", "0045-03-15 (BC)"),
    ],
)
def test_a_value_of_any_type_is_written(
    sql: str, exact: object, text: str | None, database: Path, capsys: Capture
) -> None:
    code, out, _ = asked(f"select {sql} as x", "--format", "json", capsys=capsys)
    assert (code, json.loads(out, parse_constant=pytest.fail)) == (0, {"x": exact})
    _, out, _ = asked(f"select {sql} as x", "--format", "csv", capsys=capsys)
    assert [*csv.reader(io.StringIO(out))][1] == [text or exact]
    assert asked(f"select {sql} as x", capsys=capsys)[0] == 0


def test_a_limit_says_that_there_is_more(database: Path, capsys: Capture) -> None:
    _, out, err = asked("from dim_images", "--limit", "1", "--format", "csv", capsys=capsys)
    assert len(out.splitlines()) == 2
    assert "there are more" in err
    _, _, err = asked("from dim_images", "--limit", "2", capsys=capsys)
    assert not err


@pytest.mark.parametrize(
    "sql", ["from nothing", "drop table dim_images", "create table other as select 1", "no sql"]
)
def test_sql_that_fails_or_writes_changes_nothing(
    sql: str, database: Path, capsys: Capture
) -> None:
    code, _, err = asked(sql, capsys=capsys)
    assert code == 1
    assert err.startswith("pullstats: ")
    assert asked("from dim_images", capsys=capsys)[0] == 0


@pytest.mark.parametrize(
    ("sql", "word"),
    [
        ("copy (select 1) to 'made.csv'", "not COPY"),
        ("copy (pivot dim_images on pulls using count(*)) to 'made.csv'", "Permission"),
        ("set threads = 1", "not SET"),
        ("attach 'made.csv'", "not ATTACH"),
        ("select 1; select 2", "one SELECT is allowed, not 2 statements"),
        ("select 1; drop table dim_images", "not 2 statements"),
        ("from read_text('here.txt')", "Permission"),
        ("from 'here.txt'", "does not exist"),
        ("from glob('*')", "Permission"),
    ],
)
def test_sql_reads_the_database_and_nothing_else(
    sql: str,
    word: str,
    database: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: Capture,
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "here.txt").write_text("secret")
    code, out, err = asked(sql, capsys=capsys)
    assert (code, out) == (1, "")
    assert word in err
    assert {path.name for path in tmp_path.iterdir()} == {database.name, "here.txt"}


@pytest.mark.parametrize(
    "sql",
    [
        "from dim_images;",
        "with x as (select 1) select * from x, dim_images",
        "describe dim_images",
        "summarize dim_images",
        "show all tables",
        "pivot dim_images on is_new using sum(pulls)",
        "values (1), (2)",
    ],
)
def test_all_that_duckdb_answers_is_allowed(sql: str, database: Path, capsys: Capture) -> None:
    code, out, _ = asked(sql, "--format", "csv", capsys=capsys)
    assert code == 0
    assert len(out.splitlines()) > 1


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["images_not_usd"], "No such command"),
        (["images_not_used", "--unused-days", "many"], "not a valid integer"),
        (["images_not_used", "--image", "x"], "No such option"),
    ],
)
def test_wrong_usage_is_named(
    arguments: list[str], word: str, database: Path, capsys: Capture
) -> None:
    code, _, err = asked(*arguments, capsys=capsys)
    assert code == 2
    assert word in err


def test_help_names_all_questions(database: Path, capsys: Capture) -> None:
    _, out, _ = asked("--help", capsys=capsys)
    names = {path.stem for path in (ROOT / "analyses").glob("*.sql")}
    assert not {name for name in names if name not in out}
    assert ask.questions().keys() == names


def test_no_database_is_made(tmp_path: Path, capsys: Capture) -> None:
    place = tmp_path / "none.duckdb"
    code, _, err = asked("select 1 as n", "--database", str(place), capsys=capsys)
    assert (code, place.exists()) == (1, False)
    assert "no database" in err


def test_a_database_without_marts_says_what_to_run(tmp_path: Path, capsys: Capture) -> None:
    duckdb.connect(str(tmp_path / "raw.duckdb")).close()
    code, _, err = asked(
        "from dim_images", "--database", str(tmp_path / "raw.duckdb"), capsys=capsys
    )
    assert code == 1
    assert "run dbt build" in err


def test_outside_a_checkout_there_are_no_questions(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.chdir(tmp_path)
    code, _, err = asked("images_not_used", capsys=capsys)
    assert code == 1
    assert "checkout" in err
    code, out, _ = asked("--help", capsys=capsys)
    assert code == 0
    assert "The questions need a checkout of pullstats" in out


def test_questions_at_once_do_not_disturb_each_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each of other settings: dbt compiles all into one folder, and one cache replaces another."""
    at_work = 0

    def compile_(project: Path, target: str) -> dict[str, str]:
        nonlocal at_work
        at_work += 1
        time.sleep(0.001)
        found = {"q": f"{at_work} at work"}
        at_work -= 1
        return found

    monkeypatch.setattr(ask, "_compiled", compile_)
    monkeypatch.setattr(ask, "_fingerprint", lambda _: random.choice("abc"))
    with ThreadPoolExecutor(8) as pool:
        asked = [pool.submit(ask.sql_of, "q", tmp_path, "local") for _ in range(200)]
    assert {each.result() for each in asked} == {"1 at work"}


def test_a_changed_file_compiles_the_questions_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    compiled: list[str] = []

    def compile_(project: Path, target: str) -> dict[str, str]:
        compiled.append(target)
        return {"q": f"select {len(compiled)}"}

    monkeypatch.setattr(ask, "_compiled", compile_)
    shutil.copytree(ROOT / "analyses", tmp_path / "analyses")
    assert [ask.sql_of("q", tmp_path, "local") for _ in range(2)] == ["select 1"] * 2
    (tmp_path / "analyses/most_pulled_images.sql").write_text("select 1")
    assert ask.sql_of("q", tmp_path, "local") == "select 2"
    monkeypatch.setenv("PULLSTATS_DUCKDB", "another.duckdb")
    assert ask.sql_of("q", tmp_path, "local") == "select 3"

"""`pullstats query`: the formats of an answer, and what it refuses."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from pullstats import cli
from tests.test_load import Store

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    """A database where a question finds it."""
    monkeypatch.delenv("PULLSTATS_DUCKDB", raising=False)
    monkeypatch.chdir(tmp_path)
    return Store(tmp_path, "warehouse.duckdb")


def test_when_the_marts_are_asked_then_a_table_answers(
    store: Store, tmp_path: Path, capsys: Capture
) -> None:
    store.query("create schema pullstats")
    store.query("create table pullstats.images as select 'alpine' as image, 12345 as n")
    assert cli.main(["query", "select *, null as nothing from images"]) == 0
    said = capsys.readouterr().out
    assert [word in said for word in ("image", "alpine", "12,345", "None")] == [True] * 3 + [False]
    asked = "-- What is pulled\nfrom images;\n\n-- What else\nselect 'a; b' as answer, 2 as n;\n"
    (tmp_path / "ask.sql").write_text(asked)
    assert cli.main(["query", "ask.sql"]) == 0
    said = capsys.readouterr().out
    found = [said.index(word) for word in ("What is pulled", "alpine", "What else", "a; b")]
    assert found == sorted(found)


@pytest.mark.parametrize("value", ["agent [en]", "[red]x[/red]", "x [/y]", "sha256:key:1"])
@pytest.mark.parametrize("columns", ["", ", 2 as n"])
def test_when_a_value_looks_like_markup_then_it_is_shown_as_it_is(
    store: Store, value: str, columns: str, capsys: Capture
) -> None:
    store.query("create schema pullstats")
    assert cli.main(["query", f"select '{value}' as value {columns}"]) == 0
    assert value in capsys.readouterr().out


@pytest.mark.parametrize("sql", ["from nothing", "drop table storageanalysis.storage", "no.sql"])
def test_when_a_question_fails_then_the_code_is_1(store: Store, sql: str, capsys: Capture) -> None:
    store.query("create schema pullstats")
    assert cli.main(["query", sql]) == 1
    assert capsys.readouterr().err.startswith("pullstats: ")


MART = (
    "create schema pullstats; create table pullstats.dim_images as select * from (values"
    " ('a', 2024, 12345, true, date '2024-05-29', timestamp '2024-05-29 07:00:00', 1.50, null),"
    " ('b \"x\", ü', 9999, 2, false, null, null, null, 'a; b'))"
    " t(image, year, pulls, is_used, day, seen, share, note)"
)


@pytest.fixture
def mart(store: Store) -> Store:
    for statement in MART.split("; ", 1):
        store.query(statement)
    return store


@pytest.mark.parametrize(
    ("layout", "answer"),
    [
        (
            "table",
            "image     year   pulls  is_used  day         seen                 share  note\n"
            "--------  ----  ------  -------  ----------  -------------------  -----  ----\n"
            "a         2024  12,345  true     2024-05-29  2024-05-29 07:00:00    1.5\n"
            'b "x", ü  9999       2  false                                            a; b\n',
        ),
        (
            "csv",
            "image,year,pulls,is_used,day,seen,share,note\n"
            "a,2024,12345,true,2024-05-29,2024-05-29 07:00:00,1.5,\n"
            '"b ""x"", ü",9999,2,false,,,,a; b\n',
        ),
        (
            "jsonl",
            '{"image": "a", "year": 2024, "pulls": 12345, "is_used": true, "day": "2024-05-29",'
            ' "seen": "2024-05-29 07:00:00", "share": 1.5, "note": null}\n'
            '{"image": "b \\"x\\", ü", "year": 9999, "pulls": 2, "is_used": false, "day": null,'
            ' "seen": null, "share": null, "note": "a; b"}\n',
        ),
    ],
)
def test_when_a_format_is_asked_for_then_values_are_written_as_they_are(
    mart: Store, layout: str, answer: str, capsys: Capture
) -> None:
    for name in ("dim_images", "pullstats.dim_images"):
        assert cli.main(["query", "--format", layout, f"from {name} order by 1"]) == 0
        assert capsys.readouterr().out == answer
    if layout == "jsonl":
        assert cli.main(["query", "--format", "json", "from dim_images order by 1"]) == 0
        found = json.loads(capsys.readouterr().out)
        assert found == [json.loads(each) for each in answer.splitlines()]


@pytest.mark.parametrize(("layout", "answer"), [("csv", "n\n"), ("json", "[]\n"), ("jsonl", "")])
def test_when_there_is_no_row_then_the_format_says_so(
    mart: Store, layout: str, answer: str, capsys: Capture
) -> None:
    assert cli.main(["query", "--format", layout, "select 1 as n where false"]) == 0
    assert capsys.readouterr().out == answer


@pytest.mark.parametrize("layout", ["table", "csv", "json", "jsonl"])
def test_when_an_answer_is_long_then_it_streams(mart: Store, layout: str, capsys: Capture) -> None:
    """Its beginning is there long before its end could be: 10**12 rows fit nowhere."""
    command = [sys.executable, "-m", "pullstats.cli", "query", "--format", layout]
    with subprocess.Popen(
        [*command, "select i, i * 2 as j from range(1000000000000) t(i)"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout
        assert process.stderr
        head = process.stdout.read(100_000)
        process.stdout.close()
        assert len(head) == 100_000
        # as every program that click runs
        assert (process.wait(60), process.stderr.read()) == (1, b"")


def test_when_several_statements_are_asked_then_all_are_answered(
    mart: Store, capsys: Capture
) -> None:
    assert cli.main(["query", "select 'a;b' as x, 1 as n; select 2 as y, 3 as z"]) == 0
    said = capsys.readouterr().out
    assert said.index("a;b") < said.index("z")
    assert cli.main(["query", "--format", "csv", "select 1; select 2"]) == 1
    assert "csv is for one statement, not 2" in capsys.readouterr().err


@pytest.mark.parametrize(
    "sql",
    [
        "copy (select 1) to 'written'",
        "explain analyze copy (select 1) to 'written'",
        "attach 'written'",
        "export database 'written'",
        "create table t as select 1",
        "select 1; drop table pullstats.dim_images",
    ],
)
def test_when_a_question_would_write_then_it_is_refused(
    mart: Store, tmp_path: Path, sql: str, capsys: Capture
) -> None:
    assert cli.main(["query", sql]) == 1
    said = capsys.readouterr()
    assert (said.out, "only SELECT and EXPLAIN are allowed" in said.err) == ("", True)
    assert not (tmp_path / "written").exists()


def test_when_columns_share_a_name_then_json_refuses(mart: Store, capsys: Capture) -> None:
    assert cli.main(["query", "--format", "json", "select 1 as a, 2 as a"]) == 1
    assert "columns with different names: a, a" in capsys.readouterr().err


def test_when_a_number_is_a_decimal_then_its_digits_stay(mart: Store, capsys: Capture) -> None:
    sql = "select 12345678901234567.89::decimal(20, 2) as a, 1.50::decimal(9, 2) as b"
    assert cli.main(["query", "--format", "csv", sql]) == 0
    assert capsys.readouterr().out == "a,b\n12345678901234567.89,1.5\n"


def test_when_the_marts_are_not_there_then_the_next_step_is_said(
    store: Store, capsys: Capture
) -> None:
    assert cli.main(["query", "from dim_images"]) == 1
    assert "run pullstats load first" in capsys.readouterr().err
    store.query("select 1")
    for name in ("dim_images", "pullstats.fct_image_pulls", "pullstats.some"):
        assert cli.main(["query", f"from {name}"]) == 1
        assert "run dbt build first" in capsys.readouterr().err
    assert cli.main(["query", "from elsewhere"]) == 1
    assert "dbt build" not in capsys.readouterr().err

"""The commands of the demo and of docs/questions.md, and the SQL of all pages, answer."""

import json
import re
import shlex

import pytest

from integration_tests.project import PROFILES, ROOT, Project
from pullstats import cli

COMMANDS = re.findall(
    r"^\.venv/bin/pullstats ask (.+)$", (ROOT / "docs/questions.md").read_text(), re.MULTILINE
)
ASKED = [
    arguments
    for line in COMMANDS
    if (arguments := shlex.split(line, comments=True))
    if not {"--help", "--sql", ">"} & {*arguments}
]
SQL = sorted(
    {
        (path.name, " ".join(sql.split()))
        for path in (ROOT / "README.md", *ROOT.glob("docs/*.md"))
        for sql in re.findall(r'pullstats ask "([^"]+)"', path.read_text())
    }
)
# the article's image is its own
EMPTY = {"reads_of_a_build"}
SHOW = ("show", "--select", "clients_older_than_a_version")


@pytest.fixture
def asking(demo: Project, monkeypatch: pytest.MonkeyPatch) -> Project:
    monkeypatch.setenv("PULLSTATS_DUCKDB", str(demo.database))
    monkeypatch.setenv("DBT_PROFILES_DIR", str(PROFILES))
    monkeypatch.chdir(ROOT)
    return demo


def test_every_analysis_has_a_command() -> None:
    names = {path.stem for path in (ROOT / "analyses").glob("*.sql")}
    assert not names - {arguments[0] for arguments in ASKED}


@pytest.mark.parametrize("arguments", ASKED, ids=lambda arguments: arguments[0].split()[0])
def test_each_command_answers(
    arguments: list[str], asking: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["ask", *arguments, "--format", "json"]) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert rows or arguments[0] in EMPTY


def test_the_demo_has_its_answers(asking: Project) -> None:
    commands = re.findall(r"/pullstats ask (.+)", (ROOT / "Makefile").read_text())
    assert len(commands) > 2
    for command in commands:
        assert cli.main(["ask", *command.split()]) == 0


def test_readme_shows_the_answer_of_the_demo(
    asking: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    _, _, table = (ROOT / "README.md").read_text().partition("\n|---|---:|")
    lines = table.partition("\n\n")[0].splitlines()[1:]
    shown = [[cell.strip(" `") for cell in line.split("|")[1:-1]] for line in lines]
    assert cli.main(["ask", "most_pulled_images", "--format", "json"]) == 0
    answer = [json.loads(line) for line in capsys.readouterr().out.splitlines()][:5]
    assert shown == [
        [
            row["image"],
            *(str(row[name]) for name in ("pulls", "end_user_pulls", "clients")),
            "" if row["served_bytes"] is None else f"{row['served_bytes']:,}",
            row["last_pulled_at"].replace("T", " ")[:16],
        ]
        for row in answer
    ]


@pytest.mark.parametrize(("page", "sql"), SQL)
def test_the_sql_of_each_page_runs(page: str, sql: str, asking: Project) -> None:
    assert cli.main(["ask", sql]) == 0


def test_dbt_show_gives_the_same_rows(asking: Project, capsys: pytest.CaptureFixture[str]) -> None:
    options = {"client_tool": "docker", "older_than": "26.10"}
    flags = [
        word for name, value in options.items() for word in (f"--{name.replace('_', '-')}", value)
    ]
    assert cli.main(["ask", "clients_older_than_a_version", *flags, "--format", "json"]) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    found = asking.dbt(*SHOW, "--vars", json.dumps(options), "--limit", "-1").results[0]
    assert len(rows) > 1
    assert [row["client_id"] for row in rows] == [row[1] for row in found.agate_table.rows]


def test_a_version_without_quotes_is_refused(asking: Project) -> None:
    with pytest.raises(AssertionError, match="the variable older_than is text"):
        asking.dbt(*SHOW, "--vars", "{older_than: 26.10}")

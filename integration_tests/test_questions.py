"""The commands of docs/questions.md, and the SQL of all pages, answer on the examples."""

import json
import re
import shlex

import pytest
from dbt.adapters.duckdb.connections import DuckDBConnectionManager

from integration_tests.project import PROFILES, ROOT, WITHOUT_FILES, Project, runner
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


@pytest.mark.parametrize(("page", "sql"), SQL)
def test_the_sql_of_each_page_runs(page: str, sql: str, asking: Project) -> None:
    assert cli.main(["ask", sql, "--limit", "1"]) == 0


def test_dbt_show_gives_the_same_rows(asking: Project, capsys: pytest.CaptureFixture[str]) -> None:
    options = {"client_tool": "docker", "older_than": "26.10"}
    flags = [
        word for name, value in options.items() for word in (f"--{name.replace('_', '-')}", value)
    ]
    assert cli.main(["ask", "clients_older_than_a_version", *flags, "--format", "json"]) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    command = ["show", "--select", "clients_older_than_a_version", "--vars", json.dumps(options)]
    answer = shown(asking, command)
    assert len(rows) > 1
    assert [row["client_id"] for row in rows] == [row[1] for row in answer.agate_table.rows]


def test_a_version_without_quotes_is_refused(asking: Project) -> None:
    command = ["show", "--select", "clients_older_than_a_version", "--vars", "{older_than: 26.10}"]
    with pytest.raises(AssertionError) as refused:
        shown(asking, command)
    assert "the variable older_than is text" in str(refused.value)


def shown(project: Project, command: list[str]) -> object:
    places = ["--project-dir", str(ROOT), "--limit", "-1", "--quiet"]
    places += ["--target-path", str(project.folder / "target"), *WITHOUT_FILES]
    try:
        outcome = runner(None).invoke([*command, *places])
    finally:
        DuckDBConnectionManager.close_all_connections()
    if not outcome.success:
        raise AssertionError(str(outcome.exception))
    return outcome.result.results[0]

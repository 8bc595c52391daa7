"""The commands of docs/questions.md answer on the examples, without noise."""

import json
import os
import re
import shlex
from typing import Any

import pytest
import yaml
from dbt.adapters.duckdb.connections import DuckDBConnectionManager

from integration_tests.project import PROFILES, ROOT, WITHOUT_FILES, Project, runner

COMMANDS = re.findall(
    r"^\.venv/bin/dbt (.+)$", (ROOT / "docs/questions.md").read_text(), re.MULTILINE
)
ASKED = [shlex.split(line) for line in COMMANDS]
# the examples have no inventory, no image unused for 30 days, and not the article's image
EMPTY = {
    "tags_not_used",
    "checks_per_image_and_tool",
    "images_not_used",
    "bytes_of_unused_images",
    "reads_of_a_build",
    "pulls_per_principal",
}


def test_every_analysis_has_a_command() -> None:
    assert {arguments[3] for arguments in ASKED} == {
        path.stem for path in (ROOT / "analyses").glob("*.sql")
    }


def show(arguments: list[str], examples: Project) -> Any:
    os.environ["PULLSTATS_DUCKDB"] = str(examples.database)
    places = ["--project-dir", str(ROOT), "--profiles-dir", str(PROFILES)]
    places += ["--target-path", str(examples.folder / "target"), *WITHOUT_FILES]
    try:
        outcome = runner(Project.manifest).invoke([*arguments, *places])
    finally:
        DuckDBConnectionManager.close_all_connections()
    assert outcome.success, outcome.exception
    return outcome.result


def test_dbt_prints_an_answer_and_nothing_else(
    examples: Project, capfd: pytest.CaptureFixture[str]
) -> None:
    show(ASKED[0], examples)
    lines = capfd.readouterr().out.strip().splitlines()
    assert len(lines) > 2
    assert all(line.startswith("| ") for line in lines)


def test_dbt_answers_every_command(examples: Project) -> None:
    """In one command, since dbt takes a second to begin."""
    questions: list[str] = []
    variables: dict[str, object] = {}
    for *how, question in (arguments[:4] for arguments in ASKED):
        assert how == ["show", "--quiet", "--select"]
        questions.append(question)
    for arguments in ASKED:
        for name, value in yaml.safe_load(arguments[5]).items() if arguments[4:] else ():
            assert variables.setdefault(name, value) == value
    answers = show(
        ["show", "--quiet", "--select", *questions, "--vars", json.dumps(variables)], examples
    )
    rows = {each.node.name: len(each.agate_table.rows) for each in answers.results}
    assert rows.keys() == set(questions)
    assert {question for question, count in rows.items() if not count} <= EMPTY


@pytest.mark.parametrize(
    ("analysis", "variable"),
    [
        ("clients_older_than_a_version", "older_than"),
        ("who_pulls_from_a_host", "client_version"),
    ],
)
def test_a_version_given_as_a_number_is_refused(
    analysis: str, variable: str, examples: Project, capfd: pytest.CaptureFixture[str]
) -> None:
    """YAML makes 26.1 of 26.10."""
    given = ["show", "--quiet", "--select", analysis, "--vars", f"{{{variable}: 26.10}}"]
    with pytest.raises(AssertionError):
        show(given, examples)
    assert f"{variable} is the number 26.1, but a version is text" in capfd.readouterr().out

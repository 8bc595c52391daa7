"""The models on BigQuery, by GoogleSQL's analyzer and reference engine.

dbt-bigquery talks to a server that runs each of its statements in that engine. A build that ends
well has had every statement analyzed and executed: models, hooks, seeds and data tests.
"""

import base64
import gzip
import json
import re
from pathlib import Path

import pytest

from integration_tests.bigquery.conftest import Reference
from integration_tests.bigquery.contents import MODELS, Content
from integration_tests.bigquery.googlesql import Table
from integration_tests.emulators import PROJECT
from integration_tests.project import ROOT

QUESTIONS = sorted(path.name for path in (ROOT / "analyses").glob("*.sql"))
# The report's queries, and whether they count by period, which takes this engine long.
REPORT = {
    path.name: bool(re.search("rpt_(periods|pulls|callers)", path.read_text()))
    for path in sorted((ROOT / "report/queries").glob("*.sql"))
}
OPTIONAL = {model for model in MODELS if "registry_inventory__" in model or "loader__" in model}
OPTIONAL |= {"dim_image_tags", "int_listed_manifests"}


@pytest.mark.parametrize("model", MODELS)
def test_a_first_build_gives_the_rows_of_duckdb(model: str, reference: Reference) -> None:
    found, expected = reference.first.contents[model], reference.expected_first[model]
    assert found == expected, "\n".join(found - expected or expected - found)
    assert found.rows or model in OPTIONAL


@pytest.mark.parametrize("model", MODELS)
def test_an_incremental_build_gives_the_rows_of_duckdb(model: str, reference: Reference) -> None:
    found, expected = reference.second.contents[model], reference.expected_second[model]
    assert found == expected, "\n".join(found - expected or expected - found)
    # what more of the log refutes, a table of votes or of builds loses
    if "_votes_" not in model and "_builds_" not in model:
        assert found.rows.total() >= reference.first.contents[model].rows.total()
    assert found.rows


def test_readers_see_each_table_as_it_was_or_will_be(reference: Reference) -> None:
    changed = 0
    for model, schema in MODELS.items():
        path = f"{PROJECT}.{schema}.{model}"
        if isinstance(reference.before.get(path), Table):
            for state in reference.changes[path]:
                assert state, f"{model} is dropped"
                made = Content(model, list(state.types), state.values())
                assert made == reference.second.contents[model], model
                changed += 1
    assert changed > 12


# A fixture has the columns that BigQuery lists for the source, which leaves out its pseudo column.
# The adversarial input tries the same values.
NEED_A_PSEUDO_COLUMN = (
    "test_empty_strings_of_log_are_null",
    "test_record_without_time_lands_on_first_day",
)


def test_the_unit_tests_pass_on_bigquery_too(
    reference: Reference, request: pytest.FixtureRequest
) -> None:
    if not request.config.getoption("--soak"):
        pytest.skip("takes minutes: make soak")
    reference.project.dbt("test", "--select", "test_type:unit", "--exclude", *NEED_A_PSEUDO_COLUMN)


@pytest.fixture(scope="module")
def answers(reference: Reference) -> tuple[Path, Path]:
    """The analyses compiled for either engine."""
    compiled = []
    for project in (reference.project, reference.twin):
        project.dbt("compile", "--select", "resource_type:analysis")
        compiled.append(project.folder / "target/compiled/pullstats")
    return compiled[0], compiled[1]


@pytest.mark.parametrize("question", QUESTIONS)
def test_every_question_has_the_answer_of_duckdb(
    question: str, answers: tuple[Path, Path], reference: Reference
) -> None:
    on_bigquery, on_duckdb = ((folder / "analyses" / question).read_text() for folder in answers)
    found = reference.api.warehouse.run(on_bigquery).table
    assert found
    answer = Content(question, list(found.types), found.values())
    expected = reference.twin.ask(on_duckdb, question)
    assert answer == expected, "\n".join(answer - expected or expected - answer)


@pytest.mark.parametrize("query", REPORT)
def test_every_query_of_the_report_has_the_rows_of_duckdb(
    query: str, answers: tuple[Path, Path], reference: Reference, request: pytest.FixtureRequest
) -> None:
    """Of queries by period only the columns, unless --soak."""
    asked = [(folder / "report/queries" / query).read_text() for folder in answers]
    if REPORT[query] and not request.config.getoption("--soak"):
        asked = [f"select * from (\n{sql}\n) as answer limit 0" for sql in asked]
    found = reference.api.warehouse.run(asked[0]).table
    assert found
    answer = Content(query, list(found.types), found.values())
    expected = reference.twin.ask(asked[1], query)
    assert answer == expected, "\n".join(answer - expected or expected - answer)


def shown(page: Path) -> dict[str, Content]:
    """The tables inside a report."""
    found = re.search(r'id="data">(.*?)</script>', page.read_text())
    assert found
    tables = {}
    content = json.loads(gzip.decompress(base64.b64decode(found[1])))
    for name, table in content["tables"].items():
        columns = [
            column
            if isinstance(column, list)
            else [None if at is None else column["texts"][at] for at in column["at"]]
            for column in table.values()
        ]
        tables[name] = Content(name, list(table), list(zip(*columns, strict=True)))
    return tables


def test_the_report_shows_what_it_shows_on_duckdb(
    reference: Reference, request: pytest.FixtureRequest
) -> None:
    if not request.config.getoption("--soak"):
        pytest.skip("takes minutes: make soak")
    on_bigquery, on_duckdb = shown(reference.project.report()), shown(reference.twin.report())
    assert on_bigquery.keys() == on_duckdb.keys()
    for name, table in on_bigquery.items():
        assert table.rows
        assert table == on_duckdb[name], "\n".join(table - on_duckdb[name])


def test_freshness_is_asked_of_each_log_that_lands(reference: Reference) -> None:
    start = len(reference.api.sent)
    reference.project.dbt("source", "freshness")
    asked = [each.sql for each in reference.api.sent[start:]]
    assert len([sql for sql in asked if "max(_partitiontime)" in sql]) == 3, asked

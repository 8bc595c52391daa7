"""What a command checks before it does anything."""

from pathlib import Path

import duckdb
import pytest
import yaml

from integration_tests.project import ROOT, Project, copied

DECLARED = yaml.safe_load((ROOT / "dbt_project.yml").read_text())["vars"]
WRONG = {
    "{restate_form: 2024-05-30}": "restate_form. Did you mean restate_from or restate_to?",
    "{unknown: 1}": "no variable unknown. dbt_project.yml lists its variables.",
    "{restate_from: '2024-02-30'}": "restate_from is 2024-02-30, but must be a date",
    "{restate_from: yesterday}": "restate_from is yesterday, but must be a date",
    "{restate_from: 2024-05-30T10:00}": "must be a date",
    "{restate_to: 2024-05-30}": "restate_to needs restate_from",
    "{restate_from: 2024-05-30, restate_to: 2024-05-29}": "restate_to is before restate_from",
}
OF_ANOTHER_KIND = {bool: "'false'", int: "'7'", list: "registry.example.com", str: 2024.5}


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project with raw tables, and nothing in them."""
    project = Project(tmp_path_factory.mktemp("checks"))
    project.load([])
    return project


def refusal(project: Project, *arguments: str) -> str:
    with pytest.raises(AssertionError) as raised:
        project.dbt(*arguments)
    assert not project.query("select 1 from duckdb_views() where schema_name like 'pullstats%'")
    return str(raised.value)


@pytest.mark.parametrize("variables", WRONG)
def test_a_wrong_variable_ends_the_command(loaded: Project, variables: str) -> None:
    assert WRONG[variables] in refusal(loaded, "run", "-s", "staging", "--vars", variables)


@pytest.mark.parametrize("kind", OF_ANOTHER_KIND)
def test_a_value_of_another_kind_ends_the_command(loaded: Project, kind: type) -> None:
    # dbt itself refuses numbers as names of schemas and tables
    names = [name for name, value in DECLARED.items() if type(value) is kind]
    name = "audit_sink_dataset" if kind is str else names[-1]
    variables = f"{{{name}: {OF_ANOTHER_KIND[kind]}}}"
    assert f"the variable {name} is" in refusal(loaded, "run", "-s", "staging", "--vars", variables)


def test_all_variables_are_checked() -> None:
    checked = (ROOT / "macros/checks/variables.sql").read_text().split("{% endmacro %}")[0]
    names = {line.strip(" ',") for line in checked.splitlines() if line.endswith("',")}
    names |= {"restate_from", "restate_to", "self_hosted_registries", "mart_readers"}
    assert names == {*DECLARED, "mart_readers"}


def test_a_build_before_a_load_says_what_to_do(tmp_path: Path) -> None:
    project = Project(tmp_path)
    said = refusal(project, "build")
    assert "no log has been loaded: storageanalysis has none of the tables" in said
    assert "Load first: pullstats load DIR" in said
    project.dbt("seed")


def test_correct_variables_pass(loaded: Project) -> None:
    given = {name: value for name, value in DECLARED.items() if value is not None}
    given |= {"restate_from": "2024-02-29", "restate_to": "2024-03-01", "mart_readers": []}
    loaded.dbt("run", "--select", "stg_gcs__usage_logs", "--vars", yaml.safe_dump(given))


@pytest.mark.parametrize("built", [1, 3])
def test_tables_of_another_layout_end_the_command(loaded: Project, built: int) -> None:
    asked = ("run-operation", "check_layout", "--args")
    loaded.dbt(*asked, "{built: 2, releases: [0.1.0, 0.2.0]}")
    with pytest.raises(AssertionError):
        loaded.dbt(*asked, f"{{built: {built}, releases: [0.1.0, 0.2.0]}}")


def test_a_run_over_tables_of_a_later_release_builds_nothing(
    examples: Project, tmp_path: Path
) -> None:
    project = copied(examples, tmp_path / "later")
    with duckdb.connect(str(project.database)) as connection:
        connection.execute("update pullstats_intermediate.int_build_days set layout = layout + 1")
    with pytest.raises(AssertionError, match="has built these tables"):
        project.dbt("run")

"""The project follows dbt-project-evaluator's rules; exceptions have reasons."""

import json
import tomllib
from pathlib import Path

import pytest
from dbt.cli.main import dbtRunner

from integration_tests.project import ROOT
from integration_tests.project_rules import RULES, Graph, Rule

EXCEPTIONS = tomllib.loads((ROOT / "integration_tests/project_rules_exceptions.toml").read_text())


@pytest.fixture(scope="module")
def graph(tmp_path_factory: pytest.TempPathFactory) -> Graph:
    target = tmp_path_factory.mktemp("target")
    folders = ["--project-dir", ROOT, "--profiles-dir", ROOT, "--target-path", target]
    assert dbtRunner().invoke(["--quiet", "parse", *map(str, folders)]).success
    return Graph(json.loads(Path(target / "manifest.json").read_text()))


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_rule_holds(graph: Graph, rule: Rule) -> None:
    # equal: an exception that nothing needs any more has to go
    assert set(rule(graph)) == set(EXCEPTIONS.get(rule.__name__, {}))


def test_exceptions_name_rules_and_reasons() -> None:
    assert set(EXCEPTIONS) <= {rule.__name__ for rule in RULES}
    assert all(reason for broken in EXCEPTIONS.values() for reason in broken.values())

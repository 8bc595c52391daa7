"""deploy/terraform, checked by terraform itself against the Google provider's schemas.

Proves: form, references, types, names and required arguments, values of variables, and what is
created for given variables. Not: values that the provider or Google checks when it applies.
"""

import json
import re
from pathlib import Path
from typing import Any

import yaml

from integration_tests.deploy.conftest import Run
from integration_tests.deploy.provider_schema import SCHEMA, used_types


def test_is_formatted(terraform: Run) -> None:
    terraform("fmt", "-check", "-diff", "-recursive")


def test_fits_the_schemas(terraform: Run) -> None:
    assert json.loads(terraform("validate", "-json"))["valid"]


def test_its_own_tests_pass(deployed: dict[str, Any]) -> None:
    assert {"defaults", "audit_logs_to_bigquery", "audit_logs_to_storage"} <= set(deployed)


def test_schemas_are_those_of_the_types_in_use() -> None:
    schemas = json.loads(SCHEMA.read_text(encoding="utf-8"))
    for kind in ("resource", "data"):
        assert sorted(schemas[kind]) == used_types(kind), (
            "python -m integration_tests.deploy.provider_schema"
        )


def test_each_variable_is_described(repository: Path) -> None:
    text = (repository / "deploy/terraform/variables.tf").read_text(encoding="utf-8")
    described = re.findall(r'^variable "\w+" \{\n  description = "', text, re.MULTILINE)
    assert len(described) == text.count("\nvariable ")


def test_each_source_that_can_be_checked_has_a_freshness(repository: Path) -> None:
    variables = (repository / "deploy/terraform/variables.tf").read_text(encoding="utf-8")
    (accepted,) = re.findall(r'regex\("\^source:\((.*)\)\$"', variables)
    declared = {
        each["name"]: each
        for path in repository.glob("models/staging/*/*__sources.yml")
        for each in yaml.safe_load(path.read_text(encoding="utf-8"))["sources"]
    }
    for name in accepted.replace("\\\\", "").split("|"):
        source, _, table = name.partition(".")
        tables = [each for each in declared[source]["tables"] if table in ("", each["name"])]
        assert tables, name
        checked = [
            each for each in (declared[source], *tables) if "freshness" in each.get("config", {})
        ]
        assert checked, f"dbt source freshness checks nothing of {name}"


# Of the provider's code, since its schemas don't show it: `exclude_delete`, a deletion that calls
# nothing; and what arguments turn deletion on, or off.
NEVER_DELETED = {"google_cloud_quotas_quota_preference"}
DELETED_IF = {
    "delete_contents_on_destroy": True,
    "deletion_protection": False,
    "disable_on_destroy": True,
    "force_destroy": True,
}


def test_what_destroy_leaves_is_in_the_docs(
    repository: Path, deployed: dict[str, dict[str, Any]]
) -> None:
    docs = (repository / "docs/upgrade.md").read_text(encoding="utf-8")
    _, _, section = docs.partition("### What destroy leaves\n")
    named = re.findall(r"^\| `(google_\w+)` \|", section.partition("\n#")[0], re.MULTILINE)
    created = {
        (address.split(".")[0], name, values[name])
        for address, values in deployed["audit_logs_to_bigquery"].items()
        for name in DELETED_IF.keys() & values.keys()
    }
    left = {kind for kind, name, value in created if value != DELETED_IF[name]}
    assert set(named) == left | NEVER_DELETED


def test_each_alert_has_instructions(repository: Path, deployed: dict[str, Any]) -> None:
    alerts = (repository / "docs/alerts.md").read_text(encoding="utf-8")
    contents = [
        values["documentation"][0]["content"]
        for address, values in deployed["defaults"].items()
        if address.startswith("google_monitoring_alert_policy")
    ]
    named = re.findall(r'See "(\w+)" in docs/alerts.md', "\n".join(contents))
    assert set(named) == set(re.findall(r"^## `(\w+)`", alerts, re.MULTILINE))
    assert set(named) == set(re.findall(r"^\| \[`(\w+)`\]\(#\1\)", alerts, re.MULTILINE))


def test_each_problem_of_the_job_has_an_alert(repository: Path, deployed: dict[str, Any]) -> None:
    job = (repository / "deploy/job.py").read_text(encoding="utf-8")
    alerts = {
        re.sub(r'.*\["(\w+)"\]', r"\1", each) for each in deployed["defaults"] if ".log[" in each
    }
    assert alerts == set(re.findall(r'_tell\(\s*"(\w+)"', job))

"""SECURITY.md against what terraform grants and what dbt builds."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from integration_tests.project import EXAMPLES, Project

MEMBERS = {
    "job": "serviceAccount:pullstats@my-project.iam.gserviceaccount.com",
    "maintainers": "group:maintainers@example.com",
    "readers": "group:readers@example.com",
}
GRANTS = {
    "roles/bigquery.dataEditor": "write",
    "roles/storage.objectUser": "write",
    "roles/bigquery.dataViewer": "read",
    "roles/storage.objectViewer": "read",
}


@pytest.fixture(scope="module")
def security(repository: Path) -> str:
    return (repository / "SECURITY.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def granted(deployed: dict[str, dict[str, Any]]) -> dict[str, dict[str, str]]:
    """Who may do what in which place, of a deployment with all options."""
    places = {}
    for values in deployed["audit_logs_to_bigquery"].values():
        if "policy_data" not in values:
            continue
        place = values.get("dataset_id") or values["bucket"].replace("my-project", "PROJECT")
        may = dict.fromkeys(MEMBERS, "no")
        for binding in json.loads(values["policy_data"])["bindings"]:
            for who, member in MEMBERS.items():
                if member in binding["members"] and binding["role"] in GRANTS:
                    may[who] = GRANTS[binding["role"]]
        places[place] = may
    return places


def test_the_table_says_what_terraform_grants(
    security: str, granted: dict[str, dict[str, str]]
) -> None:
    rows = re.findall(
        r"^\| (?:bucket|dataset) `(.+?)` \| [^|]+ \| (\w+) \| (\w+) \| (\w+) \|", security, re.M
    )
    assert {place: dict(zip(MEMBERS, may, strict=True)) for place, *may in rows} == granted


def test_nobody_else_may_read(deployed: dict[str, dict[str, Any]]) -> None:
    owners = {"projectOwners", "projectOwner:my-project"}
    writers = {
        "group:cloud-storage-analytics@google.com": {"roles/storage.objectCreator"},
        "serviceAccount:service-1@gcp-sa-logging.iam.gserviceaccount.com": {
            "roles/bigquery.dataEditor"
        },
    }
    for values in deployed["audit_logs_to_bigquery"].values():
        for binding in json.loads(values.get("policy_data", '{"bindings": []}'))["bindings"]:
            for member in set(binding["members"]) - owners - set(MEMBERS.values()):
                assert binding["role"] in writers[member]


def test_days_kept_are_the_defaults_of_the_variables(repository: Path, security: str) -> None:
    variables = (repository / "deploy/terraform/variables.tf").read_text(encoding="utf-8")
    documented = re.findall(r"`(\w+_days)`: (\d+) days", security)
    assert documented
    for name, days in documented:
        assert re.search(rf'variable "{name}" \{{[^}}]*default     = {days}\n', variables)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    found = Project(tmp_path_factory.mktemp("security"))
    found.load(sorted(EXAMPLES.glob("logs/*"))[:12])
    found.run()
    return found


def test_public_models_are_where_readers_may_read(
    security: str, project: Project, granted: dict[str, dict[str, str]]
) -> None:
    assert project.manifest
    nodes = [
        each
        for each in project.manifest.nodes.values()
        if each.resource_type in ("model", "seed") and each.config.materialized != "ephemeral"
    ]
    places = {place for place in granted if place.startswith("pullstats")}
    private = {
        each.schema for each in project.manifest.sources.values() if each.source_name == "private"
    }
    assert {each.schema for each in nodes} | private == places
    assert granted[private.pop()] == {"job": "write", "maintainers": "no", "readers": "no"}
    assert not any(each.config.get("grants") for each in nodes)
    blind_views = set()
    for node in nodes:
        is_public = str(getattr(node, "access", "private")) == "public"
        assert is_public == (granted[node.schema]["readers"] == "read"), node.name
        if is_public and node.config.materialized == "view":
            parents = [project.manifest.nodes.get(name) for name in node.depends_on.nodes]
            if any(parent is None or parent.schema != node.schema for parent in parents):
                blind_views.add(node.name)
    assert not blind_views

"""SECURITY.md against what terraform grants and what dbt builds, and what docs/forget.md does."""

import json
import re
from pathlib import Path
from typing import Any

import duckdb
import pytest

from integration_tests.bigquery.audit_inputs import entry
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


# BigQuery's md5 gives bytes
AS_ON_BIGQUERY = "create temporary macro to_hex(digest) as digest"
USAGE_LOG = "accessLog_usage_2024_05_29_00_00_00_0011637df24a71ff21_v0"
SOURCES = ("int_gcs", "int_artifact_registry")


@pytest.fixture(scope="module")
def security(repository: Path) -> str:
    pages = ("SECURITY.md", "docs/forget.md")
    return "\n".join((repository / page).read_text(encoding="utf-8") for page in pages)


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
    for name, days in re.findall(r"`(\w+_days)`: (\d+) days", security):
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
    assert blind_views == set(re.findall(r"`(\w+)` is a view on", security))


def test_requests_of_each_source_are_deleted(security: str, project: Project) -> None:
    assert project.manifest
    tables = [
        each.name for each in project.manifest.nodes.values() if each.resource_type == "model"
    ]
    records = {name for name in tables if name.endswith("_request_records")}
    assert records == set(re.findall(r"delete from pullstats_intermediate\.(\w+)", security))


def test_other_people_in_the_same_microsecond_are_not_deleted(
    security: str, tmp_path: Path
) -> None:
    """Two clients each, in one bucket and in one audit log."""
    find = re.findall(r"```sql\n(.*?)```", security, re.S)[0]
    header, first = (EXAMPLES / "logs" / USAGE_LOG).read_text(encoding="utf-8").splitlines()[:2]
    address = re.findall(r'"([^"]*)"', first)[1]
    usage = tmp_path / "bucket_usage_2024_05_29_00_00_00_0a_v0"
    usage.write_text("\n".join([header, first, first.replace(address, "192.0.2.7"), ""]))
    audit = tmp_path / "logs/cloudaudit.googleapis.com/data_access/2026/06/01"
    audit.mkdir(parents=True)
    entries = [
        entry(at, 0, requestMetadata={"callerIp": caller, "callerSuppliedUserAgent": "curl/8"})
        for at, caller in enumerate(("192.0.2.7", "192.0.2.8"))
    ]
    (audit / "12:00:00_12:59:59_S0.json").write_text("\n".join(map(json.dumps, entries)) + "\n")
    project = Project(tmp_path)
    project.load([usage, *audit.iterdir()])
    models = [f"+{source}_request_records" for source in SOURCES]
    project.dbt("build", "--select", *models, "--exclude-resource-type", "test", "unit_test")
    with duckdb.connect(project.database) as connection:
        connection.execute(AS_ON_BIGQUERY)
        connection.execute(find)
        found = [
            connection.execute(
                f"select count(*), count(distinct client_id), count(distinct started_micros),"
                f" count(*) filter (client_id in (from pullstats_intermediate.forgotten_clients))"
                f" from pullstats_intermediate.{source}_request_records"
            ).fetchall()
            for source in SOURCES
        ]
    assert found == [[(2, 2, 1, 1)]] * 2


def test_a_deleted_person_is_gone_after_the_rebuild(security: str, project: Project) -> None:
    find, _, delete, drop = re.findall(r"```sql\n(.*?)```", security, re.S)
    with duckdb.connect(project.database) as connection:
        connection.execute(AS_ON_BIGQUERY)
        ((address, requests),) = connection.execute(
            "select c_ip, count(*) from storageanalysis.usage group by c_ip order by 2 desc limit 1"
        ).fetchall()
        network = f"{address.rpartition('.')[0]}.0/24"
        connection.execute(find.replace("192.0.2.7", address).replace("192.0.2.0/24", network))
        forgotten = "select client_id from pullstats_intermediate.forgotten_clients"
        clients = [client for (client,) in connection.execute(forgotten).fetchall()]
        assert clients
        ((deleted,),) = connection.execute(delete).fetchall()
        assert deleted == requests
    project.dbt("build", "--full-refresh", "--exclude-resource-type", "test", "unit_test")
    with duckdb.connect(project.database) as connection:
        connection.execute(drop)
        columns = connection.execute(
            "select table_schema, table_name from information_schema.columns"
            " where column_name = 'client_id' and table_schema like 'pullstats%'"
        ).fetchall()
        for schema, table in columns:
            found = connection.execute(
                f"select count(*) from {schema}.{table} where list_contains(?, client_id)",
                [clients],
            ).fetchall()
            assert found == [(0,)], table
        assert len(columns) > 5

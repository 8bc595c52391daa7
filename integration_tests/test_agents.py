"""Each user agent, with where it was seen, has its tool, version and class."""

import csv
from pathlib import Path

import pytest

from integration_tests.project import ROOT, Project
from integration_tests.traffic import Registry, write

with (ROOT / "integration_tests/user_agents.csv").open(encoding="utf-8", newline="") as file:
    AGENTS = list(csv.DictReader(file))
Client = tuple[str, str | None, str]


@pytest.fixture(scope="module")
def clients(tmp_path_factory: pytest.TempPathFactory) -> dict[int, Client]:
    """Tool, version and class by line of the file: each agent has an address of its own second."""
    folder = tmp_path_factory.mktemp("agents")
    registry = Registry("agents-prod")
    for number, each in enumerate(AGENTS):
        registry.read(number, "192.0.2.1", each["user_agent"], ("layer", 1000))
    project = Project(folder)
    project.load([write(folder, [registry])])
    project.dbt(
        "build", "--select", "+int_gcs_requests", "--exclude-resource-type", "test", "unit_test"
    )
    return {
        int(str(second)): (str(tool), version and str(version), str(client_class))
        for second, tool, version, client_class in project.query(
            "select (started_micros - min(started_micros) over ()) // 1000000, client_tool,"
            " client_version, client_class from pullstats_intermediate.int_gcs_requests"
        )
    }


@pytest.mark.parametrize(
    "number", range(len(AGENTS)), ids=lambda number: AGENTS[number]["user_agent"][:40]
)
def test_an_agent_has_its_tool_version_and_class(number: int, clients: dict[int, Client]) -> None:
    each = AGENTS[number]
    version = each["client_version"] or None
    assert clients[number] == (each["client_tool"], version, each["client_class"])


def test_every_tool_of_the_seeds_has_an_agent_with_its_source() -> None:
    seen = {each["client_tool"] for each in AGENTS if each["source"]}
    for seed in ("user_agents", "client_tools"):
        with Path(ROOT / f"seeds/{seed}.csv").open(encoding="utf-8", newline="") as file:
            assert {each["tool"] for each in csv.DictReader(file)} <= seen

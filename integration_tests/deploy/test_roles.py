"""The roles in docs/deploy.md against the commands of the docs and what Terraform does.

Proves that each command, and each resource, is granted by a role of the person who uses it, as far
as permissions.toml knows what Google asks for; and that each role is needed.
"""

import json
from typing import Any

import pytest

from integration_tests.deploy.google_roles import ROLES, asked_for, table
from integration_tests.deploy.provider_schema import used_types
from integration_tests.deploy.test_commands import DOCS, commands_of

HELD: dict[str, list[str]] = json.loads(ROLES.read_text(encoding="utf-8"))
ASKED = asked_for()
OF_MAINTAINERS = ("alerts.md", "runbook.md")
BY_COMMAND = [
    (path, command) for path in DOCS for command in commands_of(path, r"gcloud (?!auth|config)|bq ")
]


def roles_of(person: str) -> set[str]:
    return {role for role, _, who in table() if who == person}


def held_by(person: str) -> set[str]:
    return {permission for role in roles_of(person) for permission in HELD[role]}


def entry_of(command: str) -> dict[str, Any]:
    found = [each for each in ASKED["command"] if command.startswith(each["begins"])]
    assert found, f"permissions.toml doesn't know: {command}"
    return found[0]


def needs() -> dict[str, set[str]]:
    """Return what each person needs."""
    found: dict[str, set[str]] = {
        "deployer": {each for kind in ASKED["resource"].values() for each in kind}
    }
    for path, command in BY_COMMAND:
        entry = entry_of(command)
        person = entry.get("who", "maintainer" if path.name in OF_MAINTAINERS else "deployer")
        found.setdefault(person, set()).update(entry["permissions"])
    return found


def test_the_extract_has_the_roles_of_the_table() -> None:
    assert set(HELD) == {role for role, _, _ in table()}, "see google_roles.py"


def test_each_entry_is_used() -> None:
    used = [entry_of(command) for _, command in BY_COMMAND]
    assert [each["begins"] for each in ASKED["command"] if each not in used] == []
    assert sorted(ASKED["resource"]) == used_types("resource")


@pytest.mark.parametrize("person", sorted(needs()))
def test_each_command_is_granted(person: str) -> None:
    assert needs()[person] - held_by(person) == set()


def test_each_role_is_needed() -> None:
    for person, permissions in needs().items():
        for role in roles_of(person):
            assert permissions.intersection(HELD[role]), (person, role)


def test_maintainers_and_readers_are_granted_what_the_table_says(
    deployed: dict[str, dict[str, Any]],
) -> None:
    granted: dict[str, set[str]] = {"maintainer": set(), "reader": set()}
    for values in deployed["audit_logs_to_bigquery"].values():
        bindings = json.loads(values.get("policy_data") or '{"bindings": []}')["bindings"]
        if "member" in values and "role" in values:
            bindings = [{"role": values["role"], "members": [values["member"]]}]
        for binding in bindings:
            for person, roles in granted.items():
                if f"group:{person}s@example.com" in binding["members"]:
                    roles.add(binding["role"])
    assert granted["maintainer"] == roles_of("maintainer")
    # The project that pays for readers' queries is theirs to choose.
    assert granted["reader"] | {"roles/bigquery.jobUser"} == roles_of("reader")

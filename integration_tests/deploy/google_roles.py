"""Extracts the permissions of the roles that docs/deploy.md names.

Google lists them on its pages of IAM roles; the repository iann0036/iam-dataset (MIT) keeps them as
files. This module reads a checkout and writes integration_tests/deploy/google_roles.json:

    python -m integration_tests.deploy.google_roles iam-dataset
"""

import json
import re
import sys
import tomllib
from pathlib import Path

from integration_tests.deploy.provider_schema import HERE, TERRAFORM

ROLES = HERE / "google_roles.json"
PERMISSIONS = HERE / "permissions.toml"
ROW = re.compile(r"^\| (`roles/.+?`) \| (.+?) \| (\w+) \| (.+?) \|$", re.MULTILINE)


def table() -> list[tuple[str, str, str]]:
    """Return role, place and person of each row of the table of roles."""
    docs = (TERRAFORM.parents[1] / "docs/deploy.md").read_text(encoding="utf-8")
    return [
        (role, place, who)
        for roles, place, who, _ in ROW.findall(docs)
        for role in re.findall(r"`(roles/[\w.]+)`", roles)
    ]


def asked_for() -> dict[str, list[dict[str, object]] | dict[str, list[str]]]:
    """Return what commands and resources ask for."""
    return tomllib.loads(PERMISSIONS.read_text(encoding="utf-8"))


def main(dataset: Path) -> None:
    """Write the extract: of each role what a command or a resource asks for."""
    known = asked_for()
    wanted = {each for command in known["command"] for each in command["permissions"]}
    wanted |= {each for permissions in known["resource"].values() for each in permissions}
    content = {}
    for role in sorted({role for role, _, _ in table()}):
        file = dataset / "gcp" / f"{role}.json"
        held = json.loads(file.read_text(encoding="utf-8"))["includedPermissions"]
        content[role] = sorted(wanted.intersection(held))
    ROLES.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from integration_tests.deploy import schema_provider
from integration_tests.deploy.provider_schema import SCHEMA, TERRAFORM

Run = Callable[..., str]


@pytest.fixture(scope="session")
def terraform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    """Run terraform in a copy of deploy/terraform, with the provider's schemas and no account."""
    if not shutil.which("terraform"):
        pytest.skip("terraform is not installed")
    folder = tmp_path_factory.mktemp("deploy")
    ignored = shutil.ignore_patterns(".terraform*")
    copy = shutil.copytree(TERRAFORM, folder / "terraform", ignore=ignored)
    (folder / "rc").touch()
    with schema_provider.serve(SCHEMA, folder / "socket") as provider:
        environment = os.environ | provider | {
            "CHECKPOINT_DISABLE": "1",
            "TF_CLI_CONFIG_FILE": str(folder / "rc"),
            "TF_DATA_DIR": str(folder / "data"),
            "TF_IN_AUTOMATION": "1",
        }  # fmt: skip

        def run(*arguments: str) -> str:
            command = ["terraform", *arguments]
            done = subprocess.run(
                command, cwd=copy, env=environment, capture_output=True, text=True, check=False
            )
            lines = (line[:2000] for line in (done.stdout + done.stderr).splitlines())
            assert done.returncode == 0, "\n".join(lines)
            return done.stdout

        run("init", "-backend=false", "-no-color")
        yield run


@pytest.fixture(scope="session")
def deployed(terraform: Run) -> dict[str, dict[str, Any]]:
    """Run deploy/terraform's own tests; what each run creates, by name of the run and address."""
    states = {}
    for line in terraform("test", "-json", "-verbose").splitlines():
        message = json.loads(line)
        if message["type"] == "test_state":
            resources = message["test_state"]["root_module"]["resources"]
            states[message["@testrun"]] = {each["address"]: each["values"] for each in resources}
    return states


@pytest.fixture(scope="session")
def repository() -> Path:
    return TERRAFORM.parents[1]

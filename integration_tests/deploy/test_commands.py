"""The documentation's gcloud commands, as far as gcloud reads them before it wants an account."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from integration_tests.deploy.provider_schema import TERRAFORM

DOCS = [
    TERRAFORM.parents[1] / name for name in ("docs/deploy.md", "docs/runbook.md", "SECURITY.md")
]


def commands() -> list[str]:
    """Return each gcloud command on one line, but those that log in or change its settings."""
    texts = [path.read_text(encoding="utf-8") for path in DOCS]
    blocks = re.findall(r"```sh\n(.*?)```", "\n".join(texts), re.DOTALL)
    lines = "\n".join(blocks).replace("\\\n", " ").splitlines()
    found = [re.sub(r"\s+#.*| \| .*|\s+", _tidy, line.strip()) for line in lines]
    return sorted({line for line in found if re.match("gcloud (?!auth|config)", line)})


def _tidy(match: re.Match[str]) -> str:
    return "" if "#" in match[0] or "|" in match[0] else " "


@pytest.mark.skipif(not shutil.which("gcloud"), reason="gcloud is not installed")
@pytest.mark.parametrize("command", commands())
def test_gcloud_knows_command_and_options(command: str, tmp_path: Path) -> None:
    (tmp_path / "terraform").write_text("#!/bin/sh\necho my-logs\n")
    (tmp_path / "terraform").chmod(0o755)
    environment = {
        "PATH": f"{tmp_path}:{os.environ['PATH']}",
        "CLOUDSDK_CONFIG": str(tmp_path),
        "CLOUDSDK_CORE_DISABLE_PROMPTS": "1",
        # No account must be found, not even a machine's own, and nothing be reached.
        "CLOUDSDK_CORE_CHECK_GCE_METADATA": "false",
        "HTTPS_PROXY": "http://127.0.0.1:9",
        "CLOUDSDK_CORE_PROJECT": "my-project",
        "PROJECT": "my-project",
        "REGION": "europe-west1",
        "IMAGE": "europe-west1-docker.pkg.dev/my-project/pullstats/pullstats:0.1.0",
    }
    (tmp_path / "build/function").mkdir(parents=True)
    (tmp_path / "Dockerfile").touch()
    done = subprocess.run(
        ["bash", "-c", command],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert "You do not currently have an active account selected" in done.stderr, done.stderr

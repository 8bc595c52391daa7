"""The documentation's gcloud commands, as far as gcloud reads them before it wants an account.

Of `bq query` the SQL is parsed.
"""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from integration_tests.bigquery.googlesql import GoogleSQL
from integration_tests.deploy.provider_schema import TERRAFORM

DOCS = sorted((TERRAFORM.parents[1] / "docs").glob("*.md"))


def blocks_of(path: Path) -> list[str]:
    """Return the shell scripts of a page, their long lines joined."""
    text = path.read_text(encoding="utf-8")
    found = re.findall(r"^( *)```sh\n(.*?)^ *```", text, re.DOTALL | re.MULTILINE)
    return [
        re.sub(rf"^{indent}", "", block, flags=re.M).replace("\\\n", " ") for indent, block in found
    ]


def commands_of(path: Path, begin: str) -> list[str]:
    """Return each command that begins so, on one line; of one that has several lines, the first."""
    lines = [line for block in blocks_of(path) for line in block.splitlines()]
    found = [re.sub(r"\s+#.*| \| .*|\s+", _tidy, line.strip()) for line in lines]
    return sorted({line for line in found if re.match(begin, line)})


def commands() -> list[str]:
    """Return the gcloud commands, but those that log in or change its settings."""
    begin = "gcloud (?!auth|config)"
    return sorted({line for path in DOCS for line in commands_of(path, begin)})


def queries() -> list[str]:
    """Return the SQL that the shell hands to `bq query`."""
    blocks = [block for path in DOCS for block in blocks_of(path)]
    quoted = [
        found
        for block in blocks
        for found in re.findall(r"bq query --nouse_legacy_sql ((?:'[^']*'|\$\w+)+)", block)
    ]
    return [re.sub(r"\$\w+", "a_dataset", found.replace("'", "")) for found in quoted]


@pytest.mark.parametrize("sql", queries())
def test_bigquery_can_parse_the_query(sql: str) -> None:
    assert GoogleSQL().parse(sql)


def test_no_query_replaces_a_snapshot() -> None:
    """GoogleSQL's parser accepts it; BigQuery can only drop one and create another."""
    assert [sql for sql in queries() if re.search("or replace snapshot", sql, re.IGNORECASE)] == []


def test_zsh_reads_the_commands_as_bash_does() -> None:
    """After a name without braces it takes a colon and a letter for a modifier."""
    scripts = "\n".join(block for path in DOCS for block in blocks_of(path))
    assert re.findall(r"\$\w+:[a-zA-Z]", scripts) == []


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

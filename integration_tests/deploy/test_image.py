"""What is sent to build the image, and what the image holds. No Docker engine runs here."""

import re
import subprocess
from pathlib import Path

import pytest

from integration_tests.deploy import image

PRIVATE = [
    "warehouse.duckdb",
    "demo/warehouse.duckdb",
    "profiles.yml",
    ".env",
    "key.json",
    "deploy/terraform/terraform.tfstate",
    "deploy/terraform/terraform.tfvars",
    "examples/logs/accessLog_usage_2024_05_29_00_00_00_00b2c45d0003604ba0_v0",
    "integration_tests/deploy/test_image.py",
    ".git/config",
    "target/manifest.json",
    "report/__pycache__/data.cpython-312.pyc",
]
NEEDED = [
    "dbt_project.yml",
    "models/marts/pulls/fct_image_pulls.sql",
    "tests/generic/unique_combination.sql",
    "report/page/page.html",
    "docs/counting.md",
    "deploy/job.py",
    "pyproject.toml",
]


@pytest.fixture(scope="module")
def patterns(repository: Path) -> list[str]:
    lines = (repository / ".dockerignore").read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("#")]


@pytest.mark.parametrize("path", PRIVATE)
def test_no_data_and_no_secret_is_sent(path: str, patterns: list[str]) -> None:
    assert not image.is_sent(path, patterns)


@pytest.mark.parametrize("path", NEEDED)
def test_what_the_job_needs_is_sent(path: str, patterns: list[str]) -> None:
    assert image.is_sent(path, patterns)


def test_cloud_build_gets_the_same_files(
    repository: Path, patterns: list[str], tmp_path: Path
) -> None:
    # .gcloudignore has the syntax of .gitignore, so git reads it.
    subprocess.run(["git", "init", "--quiet", tmp_path], check=True)
    (tmp_path / ".gitignore").write_text((repository / ".gcloudignore").read_text(encoding="utf-8"))
    paths = sorted({*PRIVATE, *NEEDED, *image.tracked(repository)} - {".git/config", ".gitignore"})
    for path in paths:
        place = tmp_path / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.touch()
    uploaded = set(image.tracked(tmp_path)) - {"Dockerfile", ".dockerignore", ".gitignore"}
    assert uploaded == {path for path in paths if image.is_sent(path, patterns)}


def test_runs_as_nobody_in_particular(repository: Path) -> None:
    stage = (repository / "Dockerfile").read_text(encoding="utf-8").rpartition("\nFROM ")[2]
    assert "\nUSER 10001\n" in stage
    assert stage.count("\nRUN ") == 1, "the last stage installs nothing but a user"


def test_starts_from_an_image_that_nobody_can_replace(repository: Path) -> None:
    stages = re.findall(r"^FROM (.+)$", (repository / "Dockerfile").read_text("utf-8"), re.M)
    own = {stage.rpartition(" AS ")[2] for stage in stages if " AS " in stage}
    others = [name for stage in stages if (name := stage.split()[0]) not in own]
    assert others
    for name in others:
        assert re.search("@sha256:[0-9a-f]{64}$", name), name

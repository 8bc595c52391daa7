"""The commands of docs/questions.md answer on the examples, without noise."""

import os
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
from dbt.adapters.duckdb.connections import DuckDBConnectionManager

from tests.conftest import PROFILES, ROOT, WITHOUT_FILES, Project, runner

COMMANDS = re.findall(
    r"^\.venv/bin/(dbt|mf) (.+)$", (ROOT / "docs/questions.md").read_text(), re.MULTILINE
)
# the examples have no inventory, no image unused for 30 days, and not the article's image
EMPTY = {
    "tags_not_used",
    "checks_per_image_and_tool",
    "images_not_used",
    "bytes_of_unused_images",
    "reads_of_a_build",
    "pulls_per_principal",
}


def test_every_analysis_has_a_command() -> None:
    asked = {shlex.split(arguments)[3] for program, arguments in COMMANDS if program == "dbt"}
    assert asked == {path.stem for path in (ROOT / "analyses").glob("*.sql")}


@pytest.mark.parametrize("arguments", [line for program, line in COMMANDS if program == "dbt"])
def test_dbt_answers_and_prints_nothing_else(
    arguments: str, examples: Project, capfd: pytest.CaptureFixture[str]
) -> None:
    os.environ["PULLSTATS_DUCKDB"] = str(examples.database)
    places = ["--project-dir", str(ROOT), "--profiles-dir", str(PROFILES)]
    places += ["--target-path", str(examples.folder / "target"), *WITHOUT_FILES]
    try:
        assert runner(Project.manifest).invoke([*shlex.split(arguments), *places]).success
    finally:
        DuckDBConnectionManager.close_all_connections()
    lines = capfd.readouterr().out.strip().splitlines()
    assert all(line.startswith("| ") for line in lines)
    assert len(lines) > 2 or shlex.split(arguments)[3] in EMPTY


@pytest.mark.parametrize("arguments", [line for program, line in COMMANDS if program == "mf"])
def test_mf_answers_and_prints_little_else(
    arguments: str, examples: Project, tmp_path: Path
) -> None:
    target = tmp_path / "target"
    target.mkdir()
    shutil.copy(examples.folder / "target/semantic_manifest.json", target)
    shutil.copy(ROOT / "dbt_project.yml", tmp_path)
    environment = os.environ | {
        "PULLSTATS_DUCKDB": str(examples.database),
        "DBT_PROFILES_DIR": str(PROFILES),
        "DBT_PROJECT_DIR": str(tmp_path),
    }
    answer = subprocess.run(
        [str(ROOT / ".venv/bin/mf"), *shlex.split(arguments)],
        cwd=tmp_path,
        env=environment,
        check=True,
        capture_output=True,
        text=True,
    )
    print(answer.stdout, answer.stderr)
    metric = shlex.split(arguments)[3].split(",")[0]
    assert metric in answer.stdout

"""deploy/job.py, each step failing in turn, and once for real on DuckDB with the image's files."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from google.auth.credentials import AnonymousCredentials
from google.cloud.storage import Client

from integration_tests.deploy import image
from integration_tests.emulators import PROJECT, start_cloud_storage
from integration_tests.project import EXAMPLES

Line = dict[str, str]


def run(folder: Path, *options: str, **settings: str) -> tuple[int, list[Line], str]:
    """Run the job in a folder; its exit code, the lines for alerts, all of its output."""
    environment = {
        "PATH": f"{folder / 'bin'}:{Path(sys.executable).parent}:{os.environ['PATH']}",
        "PYTHONPATH": str(folder),
        "HOME": str(folder),
        **settings,
    }
    command = [sys.executable, str(folder / "deploy/job.py"), *options]
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    return done.returncode, lines, done.stdout + done.stderr


@pytest.fixture
def steps(repository: Path, tmp_path: Path) -> Path:
    """The job with commands that print their arguments and exit as a file says."""
    (tmp_path / "deploy").mkdir()
    shutil.copy(repository / "deploy/job.py", tmp_path / "deploy/job.py")
    (tmp_path / "bin").mkdir()
    script = '#!/bin/sh\necho "$(basename "$0") $*"\nread code 2>/dev/null < "$0.$1" || code=0\n'
    script += '[ "$code" = 0 ] || echo "Database Error in model x"\nexit $code\n'
    for name in ("pullstats", "dbt"):
        (tmp_path / "bin" / name).write_text(script)
        (tmp_path / "bin" / name).chmod(0o755)
    (tmp_path / "report").mkdir()
    (tmp_path / "report/__main__.py").write_text("import sys; print('report', *sys.argv[1:])\n")
    return tmp_path


SETTINGS = {
    "PULLSTATS_TARGET": "bigquery",
    "PULLSTATS_LOGS": "gs://logs gs://old/2019",
    "PULLSTATS_REPORT": "report.html",
    "PULLSTATS_FRESH_SOURCES": "source:gcs.usage",
}


def test_runs_all_steps_in_order(steps: Path) -> None:
    code, lines, output = run(steps, "--full-refresh", **SETTINGS)
    assert (code, lines) == (0, [])
    assert [line for line in output.splitlines() if not line.startswith("$")] == [
        "pullstats load --allow-empty --to bigquery gs://logs gs://old/2019",
        "dbt build --target bigquery --no-write-json --log-level-file none"
        " --exclude-resource-type unit_test --full-refresh",
        "report --target bigquery --output report.html",
        "dbt source freshness --target bigquery --select source:gcs.usage",
    ]


def test_only_builds_when_nothing_else_is_asked_for(steps: Path) -> None:
    _, _, output = run(steps)
    assert output.count("\n$") + output.startswith("$") == 1


def test_vars_of_an_execution_add_to_those_of_the_deployment(steps: Path) -> None:
    options = ["--vars", "{restate_from: 2024-05-29, audit_log_has_blobs: true}", "--full-refresh"]
    configured = '{"audit_sink_dataset": "logs", "audit_log_has_blobs": false}'
    _, _, output = run(steps, *options, PULLSTATS_VARS=configured)
    assert output.splitlines()[-1] == (
        'dbt build --target local --vars {"audit_sink_dataset": "logs",'
        ' "audit_log_has_blobs": true, "restate_from": "2024-05-29"}'
        " --no-write-json --log-level-file none --exclude-resource-type unit_test --full-refresh"
    )


def test_the_report_has_the_vars_of_the_build(steps: Path) -> None:
    _, _, output = run(steps, "--vars", "", **SETTINGS, PULLSTATS_VARS="{report_rows: 9}")
    assert 'report --target bigquery --vars {"report_rows": 9} --output report.html' in output


def test_a_warning_is_reported_and_fails_nothing(steps: Path) -> None:
    warning = "Warning in test assert_no_silent_hour (tests/assert_no_silent_hour.sql)"
    (steps / "bin/dbt").write_text(f"#!/bin/sh\necho '{warning}'\n")
    code, lines, _ = run(steps)
    assert code == 0
    (line,) = lines
    assert line["problem"] == "tests_warned"
    assert warning in line["message"]


def test_an_error_that_no_step_handles_is_reported(steps: Path) -> None:
    code, lines, _ = run(steps, PULLSTATS_VARS="{broken")
    assert code == 1
    (line,) = lines
    assert line["problem"] == "build_failed"
    assert "ParserError" in line["message"]


@pytest.mark.parametrize(
    ("step", "status", "code", "problem", "last"),
    [
        ("pullstats.load", 3, 0, "objects_rejected", "dbt source freshness"),
        ("pullstats.load", 4, 0, "objects_rejected", "dbt source freshness"),
        ("pullstats.load", 1, 1, "build_failed", "pullstats load"),
        ("dbt.build", 1, 1, "build_failed", "dbt build"),
        ("dbt.source", 1, 1, "logs_missing", "dbt source freshness"),
        ("dbt.source", 2, 1, "build_failed", "dbt source freshness"),
    ],
)
def test_a_failure_is_one_line_that_says_where(
    steps: Path, step: str, status: int, code: int, problem: str, last: str
) -> None:
    (steps / "bin" / step).write_text(f"{status}\n")
    exit_code, lines, output = run(steps, **SETTINGS)
    assert exit_code == code
    (line,) = lines
    assert (line["severity"], line["problem"]) == ("ERROR", problem)
    assert "Database Error in model x" in line["message"]
    assert [each for each in output.splitlines() if each.startswith("$")][-1].startswith(
        f"$ {last}"
    )


def test_builds_from_the_files_of_the_image(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Loads from a bucket, with an object that is no log; writes the page; misses storage logs."""
    image.lay_out(repository, tmp_path)
    (tmp_path / "cloud").mkdir()
    with start_cloud_storage(tmp_path / "cloud") as address:
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", address)
        client = Client(PROJECT, credentials=AnonymousCredentials())
        for name in ("logs", "report"):
            client.create_bucket(name)
        bucket = client.bucket("logs")
        for path in sorted(EXAMPLES.glob("logs/*"))[:12]:
            bucket.blob(path.name).upload_from_filename(str(path))
        bucket.blob("bad_usage_2024_06_03_22_00_00_0082ab_v0").upload_from_string("no header\n")
        code, lines, output = run(
            tmp_path,
            *("--exclude-resource-type", "test"),
            PULLSTATS_DUCKDB=str(tmp_path / "warehouse.duckdb"),
            PULLSTATS_LOGS="gs://logs",
            PULLSTATS_REPORT="gs://report/report.html",
            PULLSTATS_FRESH_SOURCES="source:gcs.storage",
            STORAGE_EMULATOR_HOST=address,
            GOOGLE_CLOUD_PROJECT=PROJECT,
        )
        page = client.bucket("report").blob("report.html")
        content = page.download_as_text() if page.exists() else ""
    assert [line["problem"] for line in lines] == ["objects_rejected", "logs_missing"], output
    assert "bad_usage_2024_06_03_22_00_00_0082ab_v0" in lines[0]["message"]
    assert code == 1
    assert "<html" in content

"""deploy/job.py: its steps fail and are stopped, and once it builds with the image's files."""

import json
import os
import runpy
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest
from google.auth.credentials import AnonymousCredentials
from google.cloud.storage import Client

from integration_tests.deploy import image
from integration_tests.emulators import PROJECT, start_cloud_storage
from integration_tests.project import EXAMPLES

Line = dict[str, str]


def start(folder: Path, *options: str, **settings: str) -> subprocess.Popen[str]:
    environment = {
        "PATH": f"{folder / 'bin'}:{Path(sys.executable).parent}:{os.environ['PATH']}",
        "PYTHONPATH": str(folder),
        "HOME": str(folder),
        **settings,
    }
    before = settings.get("START_WITH", "").split()
    command = [*before, sys.executable, str(folder / "deploy/job.py"), *options]
    return subprocess.Popen(
        command,
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def run(folder: Path, *options: str, **settings: str) -> tuple[int, list[Line], str]:
    """Run the job in a folder; its exit code, the lines for alerts, all of its output."""
    job = start(folder, *options, **settings)
    output, _ = job.communicate()
    return job.returncode, problems(output), output


def problems(output: str) -> list[Line]:
    return [json.loads(line) for line in output.splitlines() if line.startswith("{")]


@pytest.fixture
def steps(repository: Path, tmp_path: Path) -> Path:
    """The job with commands that print their arguments and exit as a file states."""
    (tmp_path / "deploy").mkdir()
    shutil.copy(repository / "deploy/job.py", tmp_path / "deploy/job.py")
    (tmp_path / "bin").mkdir()
    script = '#!/bin/sh\necho "$(basename "$0") $*"\nread code 2>/dev/null < "$0.$1" || code=0\n'
    script += '[ "$code" = 0 ] || echo "Database Error in model x"\nexit $code\n'
    for name in ("pullstats", "dbt"):
        (tmp_path / "bin" / name).write_text(script)
        (tmp_path / "bin" / name).chmod(0o755)
    (tmp_path / "dbt_project.yml").write_text("vars: {audit_sink_dataset: null}\n")
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


def test_lists_recent_logs_only_where_that_is_set(steps: Path) -> None:
    _, _, output = run(steps, **SETTINGS, PULLSTATS_LOGS_SINCE="30d")
    command = "pullstats load --allow-empty --to bigquery --since 30d gs://logs gs://old/2019"
    assert command in output.splitlines()


def test_neither_builds_nor_reports_when_nothing_is_new(steps: Path) -> None:
    (steps / "bin/pullstats.status").write_text("5\n")
    code, lines, output = run(steps, **SETTINGS)
    assert (code, lines) == (0, [])
    assert [line for line in output.splitlines() if not line.startswith("$")] == [
        "pullstats load --allow-empty --to bigquery gs://logs gs://old/2019",
        "pullstats status --new --to bigquery",
        "Database Error in model x",
        "dbt source freshness --target bigquery --select source:gcs.usage",
    ]


@pytest.mark.parametrize(
    ("options", "variables"), [(("--full-refresh",), "{}"), ((), '{"audit_sink_dataset": "logs"}')]
)
def test_builds_what_may_be_new_or_is_asked_for(
    steps: Path, options: tuple[str, ...], variables: str
) -> None:
    (steps / "bin/pullstats.status").write_text("5\n")
    _, _, output = run(steps, *options, **SETTINGS, PULLSTATS_VARS=variables)
    assert "\ndbt build" in output


def test_builds_what_a_sink_of_the_project_may_have_written(steps: Path) -> None:
    (steps / "bin/pullstats.status").write_text("5\n")
    (steps / "dbt_project.yml").write_text("vars: {audit_sink_dataset: logs}\n")
    _, _, output = run(steps, **SETTINGS)
    assert "\ndbt build" in output


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


SLOW = """\
#!/bin/sh
echo "$(basename "$0") $*"
echo $$ >> {pids}
sleep 60 &
echo $! >> {pids}
{trap}
echo waiting
wait
wait
"""
AS_PID_1 = ("unshare --fork --pid --kill-child", "unshare -r --fork --pid --kill-child")


def make_slow(steps: Path, name: str, trap: str = "") -> Path:
    """Let a command, and what it starts, run until they are stopped; the file with both ids."""
    pids = steps / "pids"
    (steps / "bin" / name).write_text(SLOW.format(pids=pids, trap=trap))
    return pids


def is_running(process_id: str) -> bool:
    try:
        state = Path("/proc", process_id, "stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def still_running(process_ids: Sequence[object]) -> list[object]:
    """Return what has not ended soon: a killed process may need a moment under load."""
    deadline = time.monotonic() + 10
    while left := [each for each in process_ids if is_running(str(each))]:
        if time.monotonic() > deadline:
            break
        time.sleep(0.1)
    return left


def works(command: str) -> bool:
    done = subprocess.run([*command.split(), "true"], capture_output=True, check=False)
    return done.returncode == 0


@pytest.fixture(params=["as PID 1", "as another process"])
def prefix(request: pytest.FixtureRequest) -> str:
    if request.param == "as another process":
        return ""
    possible = [command for command in AS_PID_1 if shutil.which("unshare") and works(command)]
    if not possible:
        pytest.skip("no right to make a process the first of a namespace")
    return possible[0]


def job_of(process: subprocess.Popen[str], prefix: str) -> int:
    """Return the job's id as this side sees it."""
    if not prefix:
        return process.pid
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    return int(children[0])


def read_until(process: subprocess.Popen[str], text: str) -> str:
    read = ""
    while text not in read:
        line = process.stdout.readline()
        assert line, read
        read += line
    return read


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("name", ["pullstats", "dbt"])
def test_a_signal_ends_the_step_and_all_that_it_started(
    steps: Path, prefix: str, name: str, number: signal.Signals
) -> None:
    pids = make_slow(steps, name)
    job = start(steps, **SETTINGS, START_WITH=prefix)
    output = read_until(job, "waiting")
    host_id = job_of(job, prefix)
    running = [str(each) for each in descendants(host_id)]
    os.kill(host_id, number)
    rest, _ = job.communicate(timeout=30)
    (line,) = problems(output + rest)
    assert line["problem"] == "build_stopped"
    assert line["message"].startswith(f"pullstats: {number.name} during {name} ")
    assert job.returncode == 128 + number
    assert len(running) == len(pids.read_text().split()) == 2
    assert still_running(running) == []
    assert [each for each in rest.splitlines() if each.startswith("$")] == []


def descendants(process_id: int) -> list[int]:
    children = Path(f"/proc/{process_id}/task/{process_id}/children").read_text().split()
    return [each for child in map(int, children) for each in (child, *descendants(child))]


def test_a_signal_between_steps_ends_the_job(
    repository: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    steps = runpy.run_path(str(repository / "deploy/job.py"))["Steps"](1)
    with pytest.raises(SystemExit, match="143"):
        steps.stop(signal.SIGTERM, None)
    (line,) = problems(capfd.readouterr().out)
    assert line["message"] == "pullstats: SIGTERM between steps"


def test_a_step_that_starts_as_a_signal_comes_is_ended(repository: Path) -> None:
    steps = runpy.run_path(str(repository / "deploy/job.py"))["Steps"](1)
    steps.is_idle = False
    steps.stop(signal.SIGTERM, None)
    begun = time.monotonic()
    with pytest.raises(SystemExit, match="143"):
        steps.run("sleep", "60")
    assert time.monotonic() - begun < 10


def test_what_ignores_the_interrupt_is_killed(steps: Path) -> None:
    pids = make_slow(steps, "dbt", trap="trap '' INT TERM")
    job = start(steps)
    read_until(job, "waiting")
    begun = time.monotonic()
    job.terminate()
    job.communicate(timeout=30)
    assert time.monotonic() - begun < 10, "Cloud Run kills after ten seconds"
    assert job.returncode == 143
    assert still_running(pids.read_text().split()) == []


def test_a_step_that_takes_too_long_is_stopped(steps: Path) -> None:
    pids = make_slow(steps, "dbt")
    code, lines, output = run(steps, **SETTINGS, PULLSTATS_STEP_MINUTES="0.05")
    assert code == 1
    (line,) = lines
    assert line["problem"] == "build_stopped"
    assert "dbt build took more than 0.05 minutes: waiting" in line["message"]
    assert still_running(pids.read_text().split()) == []
    assert "$ dbt source" not in output


@pytest.mark.parametrize("status", [0, 1])
def test_keeps_what_dbt_says_of_the_build(steps: Path, status: int) -> None:
    (steps / "bin/dbt").write_text(
        f"#!/bin/sh\nmkdir -p target\necho $* > target/run_results.json\nexit {status}\n"
    )
    code, _, _ = run(steps, PULLSTATS_ARTIFACTS="kept/")
    assert code == status
    assert (steps / "kept/run_results.json").read_text().startswith("build --target local --log")


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
            *("--exclude-resource-type", "test", "unit_test"),
            PULLSTATS_DUCKDB=str(tmp_path / "warehouse.duckdb"),
            PULLSTATS_LOGS="gs://logs",
            PULLSTATS_REPORT="gs://report/report.html",
            PULLSTATS_ARTIFACTS="gs://report/dbt",
            PULLSTATS_FRESH_SOURCES="source:gcs.storage",
            STORAGE_EMULATOR_HOST=address,
            GOOGLE_CLOUD_PROJECT=PROJECT,
        )
        page = client.bucket("report").blob("report.html")
        content = page.download_as_text() if page.exists() else ""
        kept = {
            blob.name: blob.download_as_text()
            for blob in client.list_blobs("report", prefix="dbt/")
        }
    assert [line["problem"] for line in lines] == ["objects_rejected", "logs_missing"], output
    assert "bad_usage_2024_06_03_22_00_00_0082ab_v0" in lines[0]["message"]
    assert code == 1
    assert "<html" in content
    results = json.loads(kept["dbt/run_results.json"])["results"]
    nodes = json.loads(kept["dbt/manifest.json"])["nodes"]
    assert "model.pullstats.fct_image_pulls" in {each["unique_id"] for each in results} & set(nodes)

"""The scheduled job: loads new logs, builds the models, writes the report, checks freshness.

usage: python deploy/job.py [options of `dbt build`]

| variable                | what it is                                             | default       |
|-------------------------|--------------------------------------------------------|---------------|
| PULLSTATS_TARGET        | target of profiles.yml: local or bigquery              | local         |
| PULLSTATS_LOGS          | where logs are, separated by spaces                    | loads nothing |
| PULLSTATS_LOGS_SINCE    | `load --since`: older log objects are not listed       | lists all     |
| PULLSTATS_REPORT        | path or gs:// URI that the report is written to        | writes none   |
| PULLSTATS_ARTIFACTS     | folder or gs:// URI for run_results.json, manifest.json | keeps none   |
| PULLSTATS_FRESH_SOURCES | dbt selectors of the sources that must be fresh        | checks none   |
| PULLSTATS_VARS          | dbt vars in YAML; --vars adds to them                  | {}            |
| PULLSTATS_STEP_MINUTES  | minutes after which a step is stopped                  | 360           |

Each problem is one line of JSON with `problem` and `message`, which alerts match and show. The exit
code is 1 after any problem except objects_rejected, because the marts are right without what was
rejected, and tests_warned. After SIGTERM or SIGINT it is 143 or 130: the step and all that it
started are interrupted, then killed, and no other step runs.
"""

import argparse
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from threading import Timer
from types import FrameType

import yaml

REJECTED = (3, 4)  # of `pullstats load`: lines, objects
NOTHING_NEW = 5  # of `pullstats status --new`
STALE = 1  # of `dbt source freshness`
ERROR = re.compile(r"\b(error|failure) in |not loaded|rejected", re.IGNORECASE)
WARNING = re.compile(r"\bwarning in test |\[WARNING\]", re.IGNORECASE)
GRACE_SECONDS = 8  # Cloud Run kills ten seconds after SIGTERM
ARTIFACTS = ("run_results.json", "manifest.json")


class Steps:
    """Runs one command after another; a signal or the time limit ends what runs."""

    def __init__(self, minutes: float) -> None:
        self.minutes = minutes
        self.exit_code = 0  # not 0: a signal came
        self.is_idle = True
        self.is_late = False
        self.process: subprocess.Popen[str] | None = None

    def run(self, *command: str) -> tuple[int, list[str]]:
        """Run a command, pass its output on, and return its exit code and its lines."""
        print(f"$ {shlex.join(command)}", flush=True)
        lines = []
        self.is_idle = False
        # a session of its own, so that a signal reaches all that the command starts
        with subprocess.Popen(  # noqa: S603
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
        ) as process:
            self.process = process
            if self.exit_code:
                _end(process)
            limit = _after(self.minutes * 60, self.expire, process)
            for line in process.stdout or ():
                print(line, end="", flush=True)
                lines.append(line.strip())
        limit.cancel()
        self.process, self.is_idle = None, True
        if self.exit_code or self.is_late:
            _signal_group(process, signal.SIGKILL)
        if self.exit_code:
            sys.exit(self.exit_code)
        if self.is_late:
            limit_of_step = f"{shlex.join(command[:2])} took more than {self.minutes:g} minutes"
            sys.exit(_tell("build_stopped", limit_of_step, lines))
        return process.returncode, lines

    def stop(self, number: int, _frame: FrameType | None) -> None:
        """Handle a signal. Print the line first, because the time that is left is not known."""
        if self.exit_code:
            return
        self.exit_code = 128 + number
        during = f"during {shlex.join(self.process.args[:2])}" if self.process else "between steps"
        line = _line("build_stopped", f"{signal.Signals(number).name} {during}")
        os.write(sys.stdout.fileno(), f"{line}\n".encode())  # print may be what was interrupted
        if self.process:
            _end(self.process)
        elif self.is_idle:
            sys.exit(self.exit_code)

    def expire(self, process: subprocess.Popen[str]) -> None:
        """End a step that takes too long."""
        self.is_late = True
        _end(process)


def _end(process: subprocess.Popen[str]) -> None:
    """Interrupt, on which dbt cancels its queries; kill what is left when the grace is over."""
    _signal_group(process, signal.SIGINT)
    _after(GRACE_SECONDS, _signal_group, process, signal.SIGKILL)


def _after(seconds: float, function: Callable[..., None], *arguments: object) -> Timer:
    timer = Timer(seconds, function, arguments)
    timer.daemon = True
    timer.start()
    return timer


def _signal_group(process: subprocess.Popen[str], number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, number)


def main(build_options: list[str]) -> int:
    """Run the steps; return the exit code. What no step handles is a problem, too."""
    try:
        steps = Steps(float(os.environ.get("PULLSTATS_STEP_MINUTES", "360")))
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, steps.stop)
        return run_steps(steps, build_options)
    except Exception as error:
        traceback.print_exc()
        return _tell("build_failed", type(error).__name__, [str(error)])


def run_steps(steps: Steps, build_options: list[str]) -> int:
    """Run the steps that the environment asks for; return the exit code."""
    target = os.environ.get("PULLSTATS_TARGET", "local")
    logs = os.environ.get("PULLSTATS_LOGS", "").split()
    since = os.environ.get("PULLSTATS_LOGS_SINCE")
    report = os.environ.get("PULLSTATS_REPORT")
    artifacts = os.environ.get("PULLSTATS_ARTIFACTS")
    sources = os.environ.get("PULLSTATS_FRESH_SOURCES", "").split()
    if logs:
        engine = "bigquery" if target == "bigquery" else "duckdb"
        options = ["--allow-empty", "--to", engine, *(["--since", since] if since else [])]
        code, output = steps.run("pullstats", "load", *options, *logs)
        if code in REJECTED:
            _tell("objects_rejected", f"load exited with {code}", output)
        elif code:
            return _tell("build_failed", f"load exited with {code}", output)
    on_target = ("--target", target)
    variables, options = _split_vars(build_options)
    # the loader does not see what a BigQuery sink writes
    if logs and not build_options and not _has_sink(variables):
        code, _ = steps.run("pullstats", "status", "--new", "--to", engine)
        if code == NOTHING_NEW:
            return _check_freshness(steps, sources, (*on_target, *variables))
    code, output = steps.run(
        # writing dbt's debug log, and artifacts that are not kept, takes a fifth of a build
        *("dbt", "build", *on_target, *variables, *([] if artifacts else ["--no-write-json"])),
        *("--log-level-file", "none", "--exclude-resource-type", "unit_test", *options),
    )
    if code:
        _tell("build_failed", f"dbt build exited with {code}", output)
    if artifacts:
        _keep_artifacts(artifacts)
    if code:
        return 1
    if warnings := [line for line in output if WARNING.search(line)]:
        _tell("tests_warned", f"dbt build warned {len(warnings)} times", warnings[:1])
    if report:
        code, output = _write_report(steps, report, (*on_target, *variables))
        if code:
            return _tell("build_failed", f"the report exited with {code}", output)
    return _check_freshness(steps, sources, (*on_target, *variables))


def _check_freshness(steps: Steps, sources: list[str], options: tuple[str, ...]) -> int:
    if not sources:
        return 0
    code, output = steps.run("dbt", "source", "freshness", *options, "--select", *sources)
    if code == STALE:
        return _tell("logs_missing", "dbt source freshness exited with 1", output)
    if code:
        return _tell("build_failed", f"dbt source freshness exited with {code}", output)
    return 0


def _split_vars(options: list[str]) -> tuple[list[str], list[str]]:
    """Return the vars of the deployment with those of the options, as an option; other options."""
    configured = yaml.safe_load(os.environ.get("PULLSTATS_VARS") or "{}")
    parser = argparse.ArgumentParser(allow_abbrev=False, add_help=False)
    parser.add_argument("--vars", type=yaml.safe_load)
    given, others = parser.parse_known_args(options)
    variables = configured | (given.vars or {})
    return (["--vars", json.dumps(variables, default=str)] if variables else []), others


def _has_sink(variables: list[str]) -> bool:
    declared = yaml.safe_load(Path("dbt_project.yml").read_text(encoding="utf-8"))["vars"]
    given = json.loads(variables[1]) if variables else {}
    return bool((declared | given).get("audit_sink_dataset"))


def _tell(problem: str, what: str, output: list[str]) -> int:
    """Write the line that alerts match. It names the first line of output that shows an error."""
    errors = [line for line in output if ERROR.search(line)]
    cause = next(iter(errors or output[-1:]), "it printed nothing")
    print(_line(problem, f"{what}: {cause}"), flush=True)
    return 1


def _line(problem: str, message: str) -> str:
    line = {"severity": "ERROR", "problem": problem, "message": f"pullstats: {message}"}
    return json.dumps(line)


def _write_report(
    steps: Steps, destination: str, options: tuple[str, ...]
) -> tuple[int, list[str]]:
    command = (sys.executable, "-m", "report", *options, "--output")
    if not destination.startswith("gs://"):
        return steps.run(*command, destination)
    with tempfile.TemporaryDirectory() as folder:
        page = Path(folder, "report.html")
        code, output = steps.run(*command, str(page))
        if not code:
            _write(page, destination, "text/html; charset=utf-8")
    return code, output


def _keep_artifacts(destination: str) -> None:
    """Copy dbt's artifacts of the build, for `dbt retry` and `--state`."""
    target = Path(os.environ.get("DBT_TARGET_PATH", "target"))
    for name in ARTIFACTS:
        if (target / name).exists():
            _write(target / name, f"{destination.rstrip('/')}/{name}", "application/json")


def _write(file: Path, destination: str, content_type: str) -> None:
    if not destination.startswith("gs://"):
        Path(destination).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, destination)
        return
    from google.cloud.storage import Blob, Client  # noqa: PLC0415

    blob = Blob.from_uri(destination, client=Client())
    blob.cache_control = "no-cache"
    blob.upload_from_filename(str(file), content_type=content_type)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

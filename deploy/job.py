"""The scheduled job: loads new logs, builds the models, writes the report, checks freshness.

usage: python deploy/job.py [options of `dbt build`]

| variable                | what it is                                       | default        |
|-------------------------|--------------------------------------------------|----------------|
| PULLSTATS_TARGET        | target of profiles.yml: local or bigquery        | local          |
| PULLSTATS_LOGS          | where logs are, separated by spaces              | loads nothing  |
| PULLSTATS_REPORT        | path or gs:// URI that the report is written to  | writes none    |
| PULLSTATS_FRESH_SOURCES | dbt selectors of the sources that must be fresh  | checks none    |
| PULLSTATS_VARS          | dbt vars in YAML; --vars adds to them            | {}             |

Each problem is one line of JSON with `problem` and `message`, which alerts match and show. The exit
code is 1 after any problem but two: objects_rejected, since what was rejected is set aside and the
marts are right, and tests_warned.
"""

import argparse
import json
import os
import re
import shlex
import subprocess
import sys
import tempfile
import traceback
from pathlib import Path

import yaml

REJECTED = (3, 4)  # of `pullstats load`: lines, objects
STALE = 1  # of `dbt source freshness`
ERROR = re.compile(r"\b(error|failure) in |not loaded|rejected", re.IGNORECASE)
WARNING = re.compile(r"\bwarning in test |\[WARNING\]", re.IGNORECASE)


def main(build_options: list[str]) -> int:
    """Run the steps; return the exit code. What no step handles is a problem, too."""
    try:
        return run_steps(build_options)
    except Exception as error:
        traceback.print_exc()
        return _tell("build_failed", type(error).__name__, [str(error)])


def run_steps(build_options: list[str]) -> int:
    target = os.environ.get("PULLSTATS_TARGET", "local")
    logs = os.environ.get("PULLSTATS_LOGS", "").split()
    report = os.environ.get("PULLSTATS_REPORT")
    sources = os.environ.get("PULLSTATS_FRESH_SOURCES", "").split()
    if logs:
        engine = "bigquery" if target == "bigquery" else "duckdb"
        code, output = _run("pullstats", "load", "--allow-empty", "--to", engine, *logs)
        if code in REJECTED:
            _tell("objects_rejected", f"load exited with {code}", output)
        elif code:
            return _tell("build_failed", f"load exited with {code}", output)
    on_target = ("--target", target)
    variables, options = _split_vars(build_options)
    code, output = _run(
        # nobody reads dbt's artifacts and debug log here: writing them costs a fifth of a build
        *("dbt", "build", *on_target, *variables, "--no-write-json", "--log-level-file", "none"),
        *("--exclude-resource-type", "unit_test", *options),
    )
    if code:
        return _tell("build_failed", f"dbt build exited with {code}", output)
    if warnings := [line for line in output if WARNING.search(line)]:
        _tell("tests_warned", f"dbt build warned {len(warnings)} times", warnings[:1])
    if report:
        code, output = _write_report(report, (*on_target, *variables))
        if code:
            return _tell("build_failed", f"the report exited with {code}", output)
    if sources:
        code, output = _run(
            "dbt", "source", "freshness", *on_target, *variables, "--select", *sources
        )
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


def _run(*command: str) -> tuple[int, list[str]]:
    """Run a command, pass its output on, and return its exit code and its lines."""
    print(f"$ {shlex.join(command)}", flush=True)
    lines = []
    with subprocess.Popen(  # noqa: S603
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        for line in process.stdout or ():
            print(line, end="", flush=True)
            lines.append(line.strip())
    return process.returncode, lines


def _tell(problem: str, what: str, output: list[str]) -> int:
    """Write the line that alerts match. It names the first line of output that tells an error."""
    errors = [line for line in output if ERROR.search(line)]
    cause = next(iter(errors or output[-1:]), "it printed nothing")
    line = {"severity": "ERROR", "problem": problem, "message": f"pullstats: {what}: {cause}"}
    print(json.dumps(line), flush=True)
    return 1


def _write_report(destination: str, options: tuple[str, ...]) -> tuple[int, list[str]]:
    command = (sys.executable, "-m", "report", *options, "--output")
    if not destination.startswith("gs://"):
        return _run(*command, destination)
    from google.cloud.storage import Blob, Client  # noqa: PLC0415

    with tempfile.TemporaryDirectory() as folder:
        page = Path(folder, "report.html")
        code, output = _run(*command, str(page))
        if not code:
            blob = Blob.from_uri(destination, client=Client())
            blob.cache_control = "no-cache"
            blob.upload_from_filename(str(page), content_type="text/html; charset=utf-8")
    return code, output


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

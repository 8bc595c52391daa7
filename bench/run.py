"""What load and build cost, side by side with others on the same files, and how cost grows.

The measure is the CPU that DuckDB needs to parse the same files once, so the machine
doesn't matter.
Nothing is asserted here; bench/results/ keeps the results of the last run.
"""

import argparse
import csv
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import altair

from bench import generate, generate_audit, peers
from pullstats.csv_log import USAGE_COLUMNS

# As deploy/job.py builds, without the tests.
BUILD = ["dbt", "--quiet", "build", "--no-write-json", "--log-level-file", "none"]
BUILD += ["--exclude-resource-type", "test", "unit_test"]
RESULTS = Path(__file__).parent / "results"
# What of an audit log's entry the models need.
CALLER = "struct(callerIp varchar, callerSuppliedUserAgent varchar)"
ENTRY = {
    "insertId": "varchar",
    "logName": "varchar",
    "timestamp": "varchar",
    "protoPayload": "struct(serviceName varchar, methodName varchar, resourceName varchar,"
    " authenticationInfo struct(principalEmail varchar, principalSubject varchar),"
    f" requestMetadata {CALLER}, request struct(requestUrl varchar), status struct(code bigint))",
}
HISTORIES = (1, 10, 30)
Table = list[tuple[str, ...]]


@dataclass
class Cost:
    """One line of the table."""

    what: str
    cpu_seconds: float
    answers: str
    lacks: str = ""


@dataclass
class Used:
    """What a command used: CPU seconds, its children's included, and peak memory in bytes."""

    cpu_seconds: float
    peak: int


def run(command: list[str], environment: dict[str, str]) -> Used:
    with subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL) as process:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    return Used(usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024)


def parse_command(logs: Path) -> list[str]:
    """Parse all 17 columns of the logs, and nothing else."""
    types = {n: "bigint" if t == "INT64" else "varchar" for n, t in USAGE_COLUMNS.items()}
    touched = ", ".join(f"count({name})" for name in USAGE_COLUMNS)
    query = (
        f"select {touched} from read_csv('{logs}/*', auto_detect = false, header = true,"
        f" quote = '\"', escape = '\"', columns = {types})"
    )
    return [sys.executable, "-c", f"import duckdb; duckdb.execute({query!r})"]


def parse_audit_command(logs: Path) -> list[str]:
    """Parse the needed fields of the entries, and nothing else."""
    query = (
        f"select count(insertId), count(logName), count(timestamp), count(protoPayload)"
        f" from read_json('{logs}/**/*.json', format = 'newline_delimited', columns = {ENTRY})"
    )
    return [sys.executable, "-c", f"import duckdb; duckdb.execute({query!r})"]


class Bench:
    """A database of its own, in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self.folder = folder
        self.database = folder / "bench.duckdb"
        self.environment = os.environ | {
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "PULLSTATS_DUCKDB": str(self.database),
            "DBT_TARGET_PATH": f"{folder}/target",
        }

    def load(self, logs: Path) -> Used:
        return run(["pullstats", "load", "--allow-empty", str(logs)], self.environment)

    def build(self) -> Used:
        return run(BUILD, self.environment)

    def idle(self) -> float:
        """Return the CPU seconds of a build that finds nothing new."""
        return statistics.median(self.build().cpu_seconds for _ in range(3))


def first_build_without_logs(folder: Path) -> float:
    """Return its CPU seconds: those of dbt itself, which then reads the whole project."""
    empty = Bench(folder / "empty")
    (folder / "none").mkdir()
    empty.load(folder / "none")
    return empty.build().cpu_seconds


def machine() -> tuple[str, str]:
    """Name the machine, and how busy it was: others at work make every figure larger."""
    load = f"load {os.getloadavg()[0]:.0f} at the start"
    return "machine", f"{os.cpu_count()} cores, {platform.machine()}, {load}"


def costs(folder: Path, rows: int) -> tuple[list[Cost], Table]:
    """Measure ourselves and the others on one set of logs; return our own figures as well."""
    logs = folder / "logs"
    size, where = generate.write(logs, rows), machine()
    parse = run(parse_command(logs), dict(os.environ)).cpu_seconds
    found = [Cost("parse", parse, "nothing: DuckDB")]
    for peer in peers.PEERS:
        command, extra = peers.command(peer, logs)
        cost = run(command, os.environ | extra).cpu_seconds
        found.append(Cost(peer.name, cost, peer.answers, peer.lacks))
    own = first_build_without_logs(folder)
    ours = Bench(folder / "ours")
    load, build = ours.load(logs), ours.build()
    peak = max(load.peak, build.peak) / 2**30
    steps = [parse, load.cpu_seconds, build.cpu_seconds - own, own]
    answers = "pulls by the rule, clients, builds, kinds of read, pushes, bytes, by day and in all"
    found.append(Cost("pullstats", steps[1] + steps[2], answers, "dbt's own start is not counted"))
    begin = time.monotonic()
    ours.build()
    wall = time.monotonic() - begin
    return found, [
        ("what", "figure"),
        where,
        ("rows, bytes of the logs", f"{rows:,}, {size:,}"),
        (
            "CPU s: parse, load, build, dbt's own start",
            " / ".join(f"{seconds:.1f}" for seconds in steps),
        ),
        ("of GoAccess' CPU", f"{found[-1].cpu_seconds / found[-2].cpu_seconds:.2f}"),
        ("peak memory of any step", f"{peak:.1f} GiB"),
        ("build with nothing new", f"{wall:.1f} s wall"),
        ("of the logs' bytes: database with raw", f"{ours.database.stat().st_size / size:.2f}"),
    ]


def audit_costs(folder: Path, entries: int) -> Table:
    """Measure load and first build of an audit log beside the parse of the same files."""
    logs = folder / "audit_logs"
    size = generate_audit.write(logs, entries)
    own = first_build_without_logs(folder)
    parse = run(parse_audit_command(logs), dict(os.environ)).cpu_seconds
    ours = Bench(folder / "ours")
    load, build = ours.load(logs), ours.build()
    steps = [parse, load.cpu_seconds, build.cpu_seconds - own, own]
    return [
        ("what", "figure"),
        ("entries, bytes of the logs", f"{entries:,}, {size:,}"),
        (
            "CPU s: parse of the needed fields, load, build, dbt's own start",
            " / ".join(f"{seconds:.1f}" for seconds in steps),
        ),
        ("load, times the parse", f"{steps[1] / parse:.1f}"),
        ("load and build, times the parse", f"{(steps[1] + steps[2]) / parse:.1f}"),
        ("peak memory of any step", f"{max(load.peak, build.peak) / 2**30:.1f} GiB"),
        ("of the logs' bytes: database with raw", f"{ours.database.stat().st_size / size:.2f}"),
    ]


def scale(folder: Path, rows: int) -> Table:
    """Measure ten times the rows, and as many objects as two months of a small registry have."""
    measured = []
    for times in (1, 10):
        logs = folder / f"times{times}"
        for seed in range(times):
            generate.write(logs, rows, seed)
        bench = Bench(folder / f"bench{times}")
        measured.append((bench.load(logs), bench.build()))
        shutil.rmtree(logs)
    own = first_build_without_logs(folder)
    cpu = [load.cpu_seconds + build.cpu_seconds - own for load, build in measured]
    generate.write(folder / "small", rows // 5, hours=10_000)
    small = Bench(folder / "bench_small").load(folder / "small")
    return [
        ("what", "figure"),
        ("rows", f"{10 * rows:,}"),
        ("CPU s: load, build", " / ".join(f"{used.cpu_seconds:.1f}" for used in measured[1])),
        ("load and build, times those of a tenth", f"{cpu[1] / cpu[0]:.1f}"),
        ("peak memory of any step", f"{max(used.peak for used in measured[1]) / 2**30:.1f} GiB"),
        ("load of 10,000 small objects, CPU s", f"{small.cpu_seconds:.1f}"),
    ]


def growth(folder: Path, rows_an_hour: int) -> Table:
    """Measure what a build costs on longer histories, for one more hour or one late one: medians.

    The third kind of hour is one in which an image appears that uses layers of one other image.
    """
    kinds = ("one more hour", "late object of day 1", "hour with a second image of old layers")
    header = (text for kind in kinds for text in (f"{kind}, CPU s", "x"))
    lines: Table = [("days before", "rows", *header)]
    first: list[float] = []
    for days in HISTORIES:
        bench = Bench(folder / f"days{days}")
        history = bench.folder / "history"
        rows = days * 24 * rows_an_hour
        generate.write(history, rows, hours=days * 24)
        bench.load(history)
        bench.build()
        idle = bench.idle()
        measured = []
        for first_hour, is_derived in ((days * 24, False), (2, False), (days * 24 + 3, True)):
            found = []
            for later in range(3):
                logs = bench.folder / f"hour{first_hour + later}"
                hour, derived = first_hour + later, later if is_derived else None
                generate.write(logs, rows_an_hour, hour, 1, hour, derived)
                bench.load(logs)
                found.append(bench.build().cpu_seconds - idle)
            measured.append(statistics.median(found))
        first = first or measured
        ratios = [
            text
            for cost, of_one_day in zip(measured, first, strict=True)
            for text in (f"{cost:.1f}", f"{cost / of_one_day:.1f}")
        ]
        lines.append((str(days), f"{rows:,}", *ratios))
    return lines


def keep(**tables: Table) -> None:
    """Write tables as CSV and Markdown into bench/results/."""
    RESULTS.mkdir(exist_ok=True)
    for name, lines in tables.items():
        with (RESULTS / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
            csv.writer(file, lineterminator="\n").writerows(lines)
        header, *body = lines
        marked = [header, ("---",) * len(header), *body]
        text = "".join(f"| {' | '.join(line)} |\n" for line in marked)
        (RESULTS / f"{name}.md").write_text(text, encoding="utf-8")
        print(text)


def keep_costs(found: list[Cost]) -> None:
    """Write who costs what as a table and as a plot."""
    unit = found[0].cpu_seconds
    header = ("who", "times the parse", "answers", "does not do")
    lines = ((c.what, f"{c.cpu_seconds / unit:.1f}", c.answers, c.lacks) for c in found)
    keep(costs=[header, *lines])
    bars = altair.Chart(
        {"values": [{"who": c.what, "times": c.cpu_seconds / unit} for c in found]}
    ).encode(
        x=altair.X("times:Q", title="CPU, times what DuckDB needs to parse the logs"),
        y=altair.Y("who:N", sort=None, title=None),
        text=altair.Text("times:Q", format=".1f"),
    )
    plot = bars.mark_bar() + bars.mark_text(align="left", dx=4)
    plot.properties(width=480).save(RESULTS / "costs.svg")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rows-an-hour", type=int, default=4000, help="of the growing history")
    parser.add_argument("--only", choices=("usage", "audit"), help="one kind of log")
    options = parser.parse_args()
    if options.only != "usage":
        with tempfile.TemporaryDirectory() as folder:
            keep(audit=audit_costs(Path(folder), options.rows))
    if options.only != "audit":
        with tempfile.TemporaryDirectory() as folder:
            found, ours = costs(Path(folder), options.rows)
            keep_costs(found)
            keep(pullstats=ours)
            keep(growth=growth(Path(folder), options.rows_an_hour))
        with tempfile.TemporaryDirectory() as folder:
            keep(scale=scale(Path(folder), options.rows))


if __name__ == "__main__":
    main()

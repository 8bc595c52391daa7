"""What load and build cost, side by side with others on the same files, and how cost grows.

The measure is the CPU that DuckDB needs to parse the same files once: it tells cost from machine.
Nothing is asserted here; bench/results/ keeps what the last run said.
"""

import argparse
import csv
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from bench import generate, peers
from logformat.rows import USAGE_COLUMNS

BUILD = ["dbt", "--quiet", "build", "--exclude-resource-type", "test", "unit_test"]
RESULTS = Path(__file__).parent / "results"
HISTORIES = (1, 10, 30)


@dataclass
class Cost:
    """One line of the table."""

    what: str
    cpu_seconds: float
    answers: str
    lacks: str = ""


def cpu_seconds(command: list[str], environment: dict[str, str]) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, env=environment, check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def parse_command(logs: Path) -> list[str]:
    """Parse all 17 columns of the logs, and nothing else."""
    types = {n: "bigint" if t == "INT64" else "varchar" for n, t in USAGE_COLUMNS.items()}
    touched = ", ".join(f"count({name})" for name in USAGE_COLUMNS)
    query = (
        f"select {touched} from read_csv('{logs}/*', auto_detect = false, header = true,"
        f" quote = '\"', escape = '\"', columns = {types})"
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

    def load(self, logs: Path) -> float:
        return cpu_seconds(["pullstats", "load", str(logs)], self.environment)

    def build(self) -> float:
        return cpu_seconds(BUILD, self.environment)


def costs(folder: Path, rows: int) -> list[Cost]:
    """Measure ourselves and the others on one set of logs."""
    logs = folder / "logs"
    size = generate.write(logs, rows)
    print(f"{rows:,} rows, {size:,} bytes")
    found = [Cost("parse", cpu_seconds(parse_command(logs), dict(os.environ)), "nothing: DuckDB")]
    for peer in peers.PEERS:
        command, extra = peers.command(peer, logs)
        cost = cpu_seconds(command, os.environ | extra)
        found.append(Cost(peer.name, cost, peer.answers, peer.lacks))
    empty = Bench(folder / "empty")
    (folder / "none").mkdir()
    empty.load(folder / "none")
    empty.build()
    idle = empty.build()
    ours = Bench(folder / "ours")
    load, build = ours.load(logs), ours.build()
    answers = "pulls by the rule, clients, builds, kinds of read, pushes, bytes, by day and in all"
    found.append(Cost("pullstats", load + build - idle, answers, "dbt's own start is not counted"))
    print(f"of which load {load:.1f}, build {build - idle:.1f}; dbt itself {idle:.1f}")
    begin = time.monotonic()
    nothing = ours.build()
    print(f"build, nothing new: {nothing:.1f} CPU s, {time.monotonic() - begin:.1f} s wall")
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 2**20
    landed = sum(file.stat().st_size for file in ours.folder.rglob("*.zst"))
    print(
        f"peak memory of any step {peak:.2f} GiB; of the logs' size the database is"
        f" {ours.database.stat().st_size / size:.2f}, the landed objects {landed / size:.2f}"
    )
    return found


def growth(folder: Path, rows_an_hour: int) -> None:
    """Print what one more hour, and a late object of the first day, cost on longer histories."""
    first: tuple[float, float] | None = None
    for days in HISTORIES:
        bench = Bench(folder / f"days{days}")
        logs = [bench.folder / name for name in ("history", "hour", "late")]
        generate.write(logs[0], days * 24 * rows_an_hour, hours=days * 24)
        generate.write(logs[1], rows_an_hour, seed=2, hours=1, first_hour=days * 24)
        generate.write(logs[2], rows_an_hour, seed=3, hours=1, first_hour=2)
        bench.load(logs[0])
        bench.build()
        idle = statistics.median(bench.build() for _ in range(3))
        measured = []
        for each in logs[1:]:
            bench.load(each)
            measured.append(bench.build() - idle)
        hour, late = measured
        first = first or (hour, late)
        print(
            f"{days:3} days of history: one more hour {hour:5.1f} CPU s beyond dbt's own"
            f" ({hour / first[0]:.2f} x), a late object of the first day {late:5.1f}"
            f" ({late / first[1]:.2f} x)"
        )


def keep(found: list[Cost]) -> None:
    """Write the table as CSV and Markdown into bench/results/."""
    RESULTS.mkdir(exist_ok=True)
    unit = found[0].cpu_seconds
    rows = [(c.what, f"{c.cpu_seconds / unit:.1f}", c.answers, c.lacks) for c in found]
    header = ("who", "times the parse", "answers", "does not do")
    with (RESULTS / "costs.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([header, *rows])
    lines = [header, ("---", "---:", "---", "---"), *rows]
    text = "".join(f"| {' | '.join(line)} |\n" for line in lines)
    (RESULTS / "costs.md").write_text(text, encoding="utf-8")
    print(text)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rows-an-hour", type=int, default=4000, help="of the growing history")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        growth(Path(folder), options.rows_an_hour)
        keep(costs(Path(folder), options.rows))


if __name__ == "__main__":
    main()

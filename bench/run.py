"""What a load and a build cost, as ratios measured side by side in one run.

The measure is the CPU that DuckDB needs to parse the same files once: it tells cost from machine.
"""

import argparse
import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

from bench import generate
from logformat.rows import USAGE_COLUMNS

BUILD = ["dbt", "--quiet", "build", "--exclude-resource-type", "test", "unit_test"]


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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        logs = Path(folder) / "logs"
        size = generate.write(logs, options.rows)
        database = Path(folder) / "bench.duckdb"
        environment = os.environ | {
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "PULLSTATS_DUCKDB": str(database),
            "DBT_TARGET_PATH": f"{folder}/target",
        }
        cost = {
            "parse the files once (DuckDB, 17 columns)": cpu_seconds(
                parse_command(logs), environment
            )
        }
        empty = environment | {"PULLSTATS_DUCKDB": f"{folder}/empty.duckdb"}
        loaded = ["pullstats", "load", str(logs)]
        none = Path(folder) / "none"
        none.mkdir()
        cpu_seconds(["pullstats", "load", str(none)], empty)
        cost["build with nothing landed: dbt itself"] = cpu_seconds(BUILD, empty)
        cost["load"] = cpu_seconds(loaded, environment)
        cost["build, first"] = cpu_seconds(BUILD, environment)
        cost["build, nothing new"] = cpu_seconds(BUILD, environment)
        measure = next(iter(cost.values()))
        print(f"{options.rows:,} rows, {size:,} bytes")
        for what, seconds in cost.items():
            print(f"{seconds:8.1f} CPU s {seconds / measure:6.1f} x  {what}")
        print(
            f"database {database.stat().st_size / size:.2f} of the logs' size, landed objects"
            f" {sum(f.stat().st_size for f in Path(folder).rglob('*.zst')) / size:.2f}"
        )
        peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 2**20
        print(f"peak memory of any step: {peak:.2f} GiB")


if __name__ == "__main__":
    main()

"""What others do with the same files: each answers what it can of the pulls of an image and day.

Run as a program it is one of the peers: `python -m bench.peers NAME FOLDER`.
"""

import csv
import os
import re
import sys
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pullstats.csv_log import USAGE_COLUMNS

FOLDER = Path(".venv/peers")
IMAGE = "^https://gcr[.]io/v2/(.+)/blobs/sha256:"
LACKS = "no pulls (each blob is a hit), no duplicates removed, nothing kept"


@dataclass(frozen=True)
class Peer:
    """A program beside us: what it answers and what it does not do."""

    name: str
    answers: str
    lacks: str


PEERS = [
    Peer("DuckDB, one query", "hits, bytes, clients per image and day", LACKS),
    Peer("chdb", "hits, bytes, clients per image and day", LACKS),
    Peer("polars", "hits, bytes, clients per image and day", LACKS),
    Peer("Python csv", "hits, bytes, clients per image and day", LACKS),
    Peer("GoAccess", "hits and bytes per day", "no images; " + LACKS),
]


def command(peer: Peer, logs: Path) -> tuple[list[str], dict[str, str]]:
    """Return what to run, and the environment that it needs beyond our own."""
    if peer.name != "GoAccess":
        command = [str(FOLDER / "bin/python"), "-m", "bench.peers", peer.name, str(logs)]
        return command, {"PYTHONPATH": "loader"}
    packages = FOLDER / "goaccess"
    libraries = ":".join(str(path) for path in packages.glob("usr/lib/*-linux-gnu"))
    files = [str(path) for path in sorted(logs.iterdir())]
    options = ["--log-format=CLOUDSTORAGE", "--no-global-config", "--no-progress", "-o", "csv"]
    return [str(packages / "usr/bin/goaccess"), *files, *options], {"LD_LIBRARY_PATH": libraries}


def with_duckdb(logs: Path) -> int:
    import duckdb  # noqa: PLC0415 - each peer is there in its own environment only

    types = {n: "bigint" if t == "INT64" else "varchar" for n, t in USAGE_COLUMNS.items()}
    return len(
        duckdb.execute(
            f"select regexp_extract(cs_referer, '{IMAGE}', 1) as image,"
            " make_timestamp(time_micros)::date as day, count(*), sum(sc_bytes),"
            " count(distinct c_ip || cs_user_agent)"
            f" from read_csv('{logs}/*', auto_detect = false, header = true, quote = '\"',"
            f" escape = '\"', columns = {types}) group by all"
        ).fetchall()
    )


def with_chdb(logs: Path) -> int:
    import chdb  # noqa: PLC0415

    types = ", ".join(
        f"{n} {'Nullable(Int64)' if t == 'INT64' else 'String'}" for n, t in USAGE_COLUMNS.items()
    )
    answer = chdb.query(
        f"select extract(cs_referer, '{IMAGE}') as image,"
        " toDate(fromUnixTimestamp64Micro(time_micros)) as day, count(), sum(sc_bytes),"
        " uniqExact(c_ip, cs_user_agent)"
        f" from file('{logs}/*', 'CSVWithNames', '{types}') group by image, day",
        "CSV",
    )
    return len(str(answer).splitlines())


def with_polars(logs: Path) -> int:
    import polars  # noqa: PLC0415

    schema = {n: polars.Int64 if t == "INT64" else polars.String for n, t in USAGE_COLUMNS.items()}
    answer = (
        polars.scan_csv(f"{logs}/*", schema=schema)
        .group_by(
            polars.col("cs_referer").str.extract(IMAGE).alias("image"),
            polars.from_epoch("time_micros", time_unit="us").dt.date().alias("day"),
        )
        .agg(
            polars.len(),
            polars.col("sc_bytes").sum(),
            polars.concat_str("c_ip", "cs_user_agent").n_unique().alias("clients"),
        )
        .collect()
    )
    return len(answer)


def with_csv(logs: Path) -> int:
    image_of = re.compile(IMAGE)
    place = {name: number for number, name in enumerate(USAGE_COLUMNS)}
    hits: Counter[tuple[str, int]] = Counter()
    sent: Counter[tuple[str, int]] = Counter()
    clients: dict[tuple[str, int], set[str]] = defaultdict(set)
    for path in sorted(logs.iterdir()):
        with path.open(encoding="utf-8", newline="") as file:
            rows = csv.reader(file)
            next(rows)
            for row in rows:
                found = image_of.match(row[place["cs_referer"]])
                key = (found[1] if found else "", int(row[place["time_micros"]]) // 86_400_000_000)
                hits[key] += 1
                sent[key] += int(row[place["sc_bytes"]] or 0)
                clients[key].add(row[place["c_ip"]] + row[place["cs_user_agent"]])
    return len(hits)


RUN: dict[str, Callable[[Path], int]] = {
    "DuckDB, one query": with_duckdb,
    "chdb": with_chdb,
    "polars": with_polars,
    "Python csv": with_csv,
}

if __name__ == "__main__":
    os.environ.setdefault("POLARS_MAX_THREADS", "2")
    print(RUN[sys.argv[1]](Path(sys.argv[2])))

"""What others do with the same files: each counts hits.

Run as a program it is DuckDB with one query: `python -m bench.peers FOLDER`.
"""

import sys
from dataclasses import dataclass
from pathlib import Path

import duckdb

from pullstats.csv_log import USAGE_COLUMNS

GOACCESS = Path(".venv/goaccess")
LACKS = "no pulls (each blob is a hit), no duplicates removed, nothing kept"


@dataclass(frozen=True)
class Peer:
    """A program beside us: what it answers and what it does not do."""

    name: str
    answers: str
    lacks: str


PEERS = [
    Peer("DuckDB, one query", "hits, bytes, clients per image and day", LACKS),
    Peer("GoAccess", "hits and bytes per day", "no images; " + LACKS),
]


def command(peer: Peer, logs: Path) -> tuple[list[str], dict[str, str]]:
    """Return what to run, and the environment that it needs beyond our own."""
    if peer.name != "GoAccess":
        return [sys.executable, "-m", "bench.peers", str(logs)], {"PYTHONPATH": "loader"}
    libraries = ":".join(str(path) for path in GOACCESS.glob("usr/lib/*-linux-gnu"))
    files = [str(path) for path in sorted(logs.iterdir())]
    options = ["--log-format=CLOUDSTORAGE", "--no-global-config", "--no-progress", "-o", "csv"]
    return [str(GOACCESS / "usr/bin/goaccess"), *files, *options], {"LD_LIBRARY_PATH": libraries}


def hits_by_image_and_day(logs: Path) -> int:
    types = {n: "bigint" if t == "INT64" else "varchar" for n, t in USAGE_COLUMNS.items()}
    return len(
        duckdb.execute(
            "select regexp_extract(cs_referer, '^https://gcr[.]io/v2/(.+)/blobs/sha256:', 1)"
            " as image, make_timestamp(time_micros)::date as day, count(*), sum(sc_bytes),"
            " count(distinct c_ip || cs_user_agent)"
            f" from read_csv('{logs}/*', auto_detect = false, header = true, quote = '\"',"
            f" escape = '\"', columns = {types}) group by all"
        ).fetchall()
    )


if __name__ == "__main__":
    print(hits_by_image_and_day(Path(sys.argv[1])))

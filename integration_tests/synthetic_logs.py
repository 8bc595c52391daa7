"""Makes up small logs full of what makes arrival hard: see `write`."""

import csv
import io
import random
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pullstats.csv_log import USAGE_COLUMNS

MINUTE = 60_000_000
HOUR = 60 * MINUTE
FIRST_DAY = int(datetime(2024, 6, 1, tzinfo=UTC).timestamp()) * 1_000_000
# Reads gather around the midnights and hours that could cut a run in two.
MOMENTS = [FIRST_DAY + hours * HOUR for hours in (1, 24, 24, 48, 49, 72)]
BUCKET = "artifacts.example-project.appspot.com"
BLOBS = {f"{number:064x}": 1000 * 7**number for number in range(1, 6)}
CLIENTS = [
    ("192.0.2.1", "docker/26.1.5"),
    ("192.0.2.2", "containerd/2.1.6"),
    ("192.0.2.3", "skopeo/1.22.0"),
    ("192.0.2.4", "curl/8.5.0"),
]


def record(chance: random.Random) -> dict[str, object]:
    """Return a request: mostly reads of few blobs by few clients, minutes apart, some failing."""
    address, agent = chance.choice(CLIENTS)
    digest, size = chance.choice(list(BLOBS.items()))
    kind = chance.choices(["GET", "PUT", "HEAD"], [20, 2, 1])[0]
    status = chance.choices([200, 206, 503, 304], [12, 3, 1, 1])[0] if kind == "GET" else 200
    part = size if status == 200 else chance.randrange(size)
    image = chance.choice(["app", "team/web"])
    refers = agent != "curl/8.5.0" and kind == "GET"
    return {
        "time_micros": chance.choice(MOMENTS) + chance.randrange(-40, 40) * MINUTE // 2,
        "c_ip": address,
        "cs_method": kind,
        "sc_status": status,
        "cs_bytes": size if kind == "PUT" else 0,
        "sc_bytes": part if kind == "GET" and status in (200, 206) else 0,
        "time_taken_micros": chance.choice([1000, 2 * MINUTE, 30 * MINUTE, 9 * HOUR]),
        "cs_referer": f"https://gcr.io/v2/example-project/{image}/blobs/sha256:{digest}"
        if refers
        else "",
        "cs_user_agent": agent,
        "s_request_id": f"{chance.getrandbits(64):016x}",
        "cs_operation": f"{kind}_Object",
        "cs_bucket": BUCKET,
        "cs_object": f"containers/images/sha256:{digest}",
    }


def write(folder: Path, seed: int, records: int = 400) -> list[Path]:
    """Write the logs of some hours and return them.

    Records may be hours late, doubled in an object or over objects, and whole objects come again
    under another name.
    """
    chance = random.Random(seed)
    hours: dict[int, list[dict[str, object]]] = defaultdict(list)
    for _ in range(records):
        made = record(chance)
        hour = int(str(made["time_micros"])) // HOUR
        hours[hour + chance.choices([0, 1, 30], [20, 2, 1])[0]].append(made)
        if chance.random() < 0.05:
            hours[hour + chance.randrange(3)].append(made)
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for hour, rows in hours.items():
        for shard in range(1 + (chance.random() < 0.1)):
            start = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(hours=hour)
            path = folder / f"made_usage_{start:%Y_%m_%d_%H_%M_%S}_{shard:02d}a{hour:x}_v0"
            text = io.StringIO(newline="")
            writer = csv.DictWriter(
                text, list(USAGE_COLUMNS), restval="", quoting=csv.QUOTE_ALL, lineterminator="\n"
            )
            writer.writeheader()
            writer.writerows(rows)
            path.write_text(text.getvalue(), encoding="utf-8", newline="")
            paths.append(path)
    return paths

"""Makes up audit logs of a busy Artifact Registry, of any length, from the recording's sessions.

A session keeps its methods, agents and fields. It happens again at another time, at another
address, and in one of many projects, of which a few are busy.
"""

import argparse
import random
import re
import tarfile
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from pathlib import Path

RECORDING = Path(__file__).parent.parent / "examples/artifact_registry.tar.gz"
FOLDER = "cloudaudit.googleapis.com/data_access"
FIRST_DAY = datetime(2024, 6, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
PAUSE = timedelta(minutes=5)
PROJECTS = 200
CALLER = re.compile(r'"principalEmail":"([^"]*)|"callerIp":"([^"]*)|SuppliedUserAgent":"([^"]*)')
TIME = re.compile(r'(?<="timestamp":")([^".Z]*)[^"]*')
CHANGES = [
    (r"%", "%%"),
    (r"acme-", "acme%(project)d-"),
    (r"(?<=sha256:)[0-9a-f]{4}", "%(project)04x"),
    (r'(?<="callerIp":")[0-9a-f.:]+(?=")', "%(address)s"),
    (r'(?<="insertId":")[^"]*', "%(id)s"),
    (r'(?<=[tT]imestamp":")[^"]*', "%(time)s"),
]


@dataclass
class Session:
    """What one client sent without a pause, as templates, each with its time since the first."""

    entries: list[tuple[timedelta, str]] = field(default_factory=list)


def recorded() -> list[Session]:
    with tarfile.open(RECORDING) as archive:
        texts = [
            archive.extractfile(each).read().decode()  # type: ignore[union-attr]
            for each in archive
            if each.name.endswith(".json")
        ]
    found: list[Session] = []
    open_sessions: dict[tuple[str, ...], tuple[datetime, datetime]] = {}
    latest: dict[tuple[str, ...], Session] = {}
    lines = {line for text in texts for line in text.splitlines()}
    for time, line in sorted((TIME.search(line)[0], line) for line in lines):  # type: ignore[index]
        now = datetime.fromisoformat(time[:26].rstrip("Z")).replace(tzinfo=UTC)
        caller = tuple("".join(each) for each in CALLER.findall(line))
        begin, last = open_sessions.get(caller, (now, now - HOUR))
        if now - last > PAUSE:
            begin, latest[caller] = now, Session()
            found.append(latest[caller])
        open_sessions[caller] = begin, now
        for pattern, template in CHANGES:
            line = re.sub(pattern, template, line)  # noqa: PLW2901
        latest[caller].entries.append((now - begin, line))
    return found


def write(folder: Path, entries: int, seed: int = 1, hours: int = 51) -> int:
    """Write log objects, one an hour and one of what was late, into a folder; return their bytes.

    One entry in a hundred is late, one in a hundred comes twice.
    """
    chance = random.Random(seed)
    sessions = recorded()
    addresses = [f"198.51.100.{part}" for part in range(1, 255)]
    addresses += [f"2001:db8:{part:x}::7" for part in range(2000)]
    busy = list(accumulate(1 / rank for rank in range(1, PROJECTS + 1)))
    made = size = 0
    with ExitStack() as files:
        objects = {}
        for hour in range(hours + 1):
            time = FIRST_DAY + hour * HOUR
            path = folder / FOLDER / f"{time:%Y/%m/%d}"
            path.mkdir(parents=True, exist_ok=True)
            for part in ("S0", f"A0:{time.timestamp():.0f}"):
                name = f"{time:%H}:00:00_{time:%H}:59:59_{part}.json"
                objects[hour, part[0]] = files.enter_context((path / name).open("wb"))
        while made < entries:
            hour = chance.randrange(hours)
            begin = FIRST_DAY + hour * HOUR + chance.random() * HOUR
            (project,) = chance.choices(range(PROJECTS), cum_weights=busy)
            values = {"project": project, "address": chance.choice(addresses)}
            for offset, template in chance.choice(sessions).entries:
                values["id"] = f"{chance.getrandbits(60):x}"
                values["time"] = f"{begin + offset:%Y-%m-%dT%H:%M:%S.%f}{made % 1000:03d}Z"
                line = (template % values).encode() + b"\n"
                parts = ["A" if chance.random() < 0.01 else "S"]
                parts += ["A"] * (chance.random() < 0.01)
                for part in parts:
                    size += objects[hour, part].write(line)
                    made += 1
    return size


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--entries", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    print(f"{write(options.folder, options.entries, options.seed):,} bytes")

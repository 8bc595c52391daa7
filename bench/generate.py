"""Makes up usage logs of a busy registry bucket: realistic in shape and width, of any length."""

import argparse
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import groupby
from pathlib import Path

from pullstats.csv_log import USAGE_COLUMNS

BUCKET = "artifacts.example-project.appspot.com"
FIRST_DAY = datetime(2024, 6, 1, tzinfo=UTC)
HOUR_MICROS = 3_600_000_000
AGENTS = [
    "containerd/1.7.24",
    "containerd/2.1.6+bottlerocket",
    "docker/26.1.5+dfsg1 go/go1.24.4 git-commit/411e817 kernel/6.1.0 os/linux arch/amd64"
    " UpstreamClient(Docker-Client/26.1.5+dfsg1 \\(linux\\))",
    "containers/5.23.1 (github.com/containers/image)",
    "go-containerregistry/v0.20.2",
    "skopeo/1.22.0",
    "buildkit/v0.12",
    "python-requests/2.32.3",
]


class Registry:
    """Images with builds: a config of their own, layers partly shared."""

    def __init__(self, chance: random.Random, images: int) -> None:
        self.chance = chance
        base = [self.blob(10_000, 80_000_000) for _ in range(20)]
        self.builds = [
            (
                f"team-{image % 7}/image-{image}",
                self.blob(700, 6000),
                chance.sample(base, 3) + [self.blob(300, 30_000_000) for _ in range(3)],
            )
            for image in range(images)
            for _ in range(5)
        ]

    def derive(self, number: int) -> tuple[str, tuple[str, int], list[tuple[str, int]]]:
        """Return a new image, made of layers that only one image has used before."""
        _, _, layers = self.builds[number]
        return f"team-0/derived-{number}", self.blob(700, 6000), layers[3:]

    def blob(self, smallest: int, largest: int) -> tuple[str, int]:
        return f"{self.chance.getrandbits(256):064x}", self.chance.randint(smallest, largest)


def request(
    chance: random.Random,
    micros: int,
    address: str,
    agent: str,
    image: str | None,
    blob: tuple[str, int],
    method: str = "GET",
    status: int = 200,
) -> str:
    digest, size = blob
    host = "https://gcr.io/v2/example-project"
    path = f"containers/images/sha256:{digest}"
    signature = f"{chance.getrandbits(1024):0256x}"
    values = {
        "time_micros": micros,
        "c_ip": address,
        "c_ip_type": 2 if ":" in address else 1,
        "cs_method": method,
        "cs_uri": f"/{BUCKET}/{path}?Expires=1717407129&GoogleAccessId=gcr-frontend%40"
        f"containerregistry.iam.gserviceaccount.com&Signature={signature}",
        "sc_status": status,
        "cs_bytes": size if method == "PUT" else 0,
        "sc_bytes": size if method == "GET" and status in (200, 206) else 0,
        "time_taken_micros": 20_000 + size // 50_000 * 1000,
        "cs_host": "storage.googleapis.com",
        "cs_referer": f"{host}/{image}/blobs/sha256:{digest}" if image else "",
        "cs_user_agent": agent,
        "s_request_id": f"AB{chance.getrandbits(420):0105x}"[:86],
        "cs_operation": f"{method}_Object",
        "cs_bucket": BUCKET,
        "cs_object": path,
    }
    return ",".join(f'"{values.get(name, "")}"' for name in USAGE_COLUMNS) + "\n"


def lines(
    rows: int, seed: int, hours: int, first_hour: int, derived: int | None
) -> Iterator[tuple[int, str]]:
    """Yield (hour, line): pulls, some of them partial, writes, heads, 1 % duplicates, 1 % late.

    About one pull in 20 is of the image that is derived from a certain build, if any.
    """
    chance = random.Random(seed)
    registry = Registry(random.Random(0), 200)
    clients = [
        (f"198.51.{chance.randrange(100)}.{chance.randrange(256)}", chance.choice(AGENTS))
        for _ in range(3000)
    ]
    second = registry.derive(derived) if derived is not None else None
    made = 0
    while made < rows:
        hour = first_hour + chance.randrange(hours)
        micros = int(FIRST_DAY.timestamp()) * 1_000_000 + hour * HOUR_MICROS
        micros += chance.randrange(HOUR_MICROS)
        address, agent = chance.choice(clients)
        build = second if second and made % 100 < 7 else chance.choice(registry.builds)
        image, config, layers = build
        kind = chance.random()
        if kind < 0.03:
            done = [request(chance, micros, address, agent, None, layers[0], "PUT")]
        elif kind < 0.05:
            done = [request(chance, micros, address, agent, image, config, "HEAD")]
        else:
            wanted = layers if kind < 0.4 else layers[chance.randrange(len(layers)) :]
            referred = None if agent.startswith("python") else image
            done = [
                request(chance, micros + place * 40_000, address, agent, referred, blob)
                for place, blob in enumerate([config, *wanted])
            ]
        if chance.random() < 0.01:
            done.append(done[0])
        late = hour + 5 if chance.random() < 0.01 else hour
        yield from ((late, line) for line in done)
        made += len(done)


def write(
    folder: Path,
    rows: int,
    seed: int = 1,
    hours: int = 51,
    first_hour: int = 0,
    derived: int | None = None,
) -> int:
    """Write log objects, one an hour, into a folder; return their bytes."""
    folder.mkdir(parents=True, exist_ok=True)
    header = ",".join(f'"{name}"' for name in USAGE_COLUMNS) + "\n"
    size = 0
    for hour, group in groupby(
        sorted(lines(rows, seed, hours, first_hour, derived)), key=lambda each: each[0]
    ):
        time = FIRST_DAY + timedelta(hours=hour)
        path = folder / f"bench_usage_{time:%Y_%m_%d_%H_%M_%S}_00{seed:016x}_v0"
        size += path.write_text(header + "".join(line for _, line in group))
    return size


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--hours", type=int, default=51)
    options = parser.parse_args()
    print(f"{write(options.folder, options.rows, options.seed, options.hours):,} bytes")

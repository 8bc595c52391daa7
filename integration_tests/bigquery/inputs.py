"""Rows of raw that try every parsing rule and every edge of a pull, on both engines."""

import random
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from integration_tests import hostile
from pullstats import csv_log

COLUMNS = {**csv_log.USAGE_COLUMNS, "_partitiontime": "TIMESTAMP"}
STORAGE_COLUMNS = {
    **csv_log.STORAGE_COLUMNS,
    **{"object_uri": "STRING", "log_hour": "TIMESTAMP", "_partitiontime": "TIMESTAMP"},
}
Row = list[Any]

BUCKET = "eu.artifacts.example-mean.appspot.com"
CLIENT = "192.0.2.7"
DOCKER = "docker/24.0.7 go/go1.20.10 os/linux arch/amd64,gzip(gfe)"
MIDNIGHT = int(datetime(2024, 7, 2, tzinfo=UTC).timestamp()) * 1_000_000
MINUTE, HOUR = 60_000_000, 3_600_000_000


def digest(number: int) -> str:
    return f"{number:064x}"


def record(**values: Any) -> Row:
    """Give a plain read of a layer, with the given columns."""
    blob = f"containers/images/sha256:{digest(1)}"
    plain = {
        "time_micros": MIDNIGHT + 9 * HOUR,
        "c_ip": CLIENT,
        "c_ip_type": 1,
        "c_ip_region": "",
        "cs_method": "GET",
        "cs_uri": f"/{BUCKET}/{blob}?Expires=1",
        "sc_status": 200,
        "cs_bytes": 0,
        "sc_bytes": 5_000_000,
        "time_taken_micros": 120_000,
        "cs_host": "storage.googleapis.com",
        "cs_referer": f"https://eu.gcr.io/v2/example-mean/app/blobs/sha256:{digest(1)}",
        "cs_user_agent": DOCKER,
        "s_request_id": "id",
        "cs_operation": "GET_Object",
        "cs_bucket": BUCKET,
        "cs_object": blob,
    }
    return list((plain | values).values())


LEDGER = """
create table storageanalysis.loaded_objects as
select * from (values
    ('a', 'usage', timestamp '2024-05-29 00:00:00', 9, 0, timestamp '2024-07-03 05:00:00'),
    ('b', 'usage', timestamp '2024-05-29 00:30:00', null, 2, timestamp '2024-07-03 05:00:00'),
    ('c', 'usage', timestamp '2024-06-04 07:00:00', 0, 1, timestamp '2024-07-04 06:00:00'),
    ('d', 'usage', timestamp '2024-06-05 07:00:00', 0, 0, timestamp '2024-07-04 06:00:00'),
    ('e', 'storage', timestamp '2024-05-29 00:00:00', 1, 7, timestamp '2024-07-03 05:00:00')
) as ledger (object_uri, kind, log_hour, row_count, rejected_count, loaded_at);
alter table storageanalysis.loaded_objects add column job_id varchar;
alter table storageanalysis.loaded_objects add column job_row_count bigint;
alter table storageanalysis.loaded_objects alter row_count type bigint;
alter table storageanalysis.loaded_objects alter rejected_count type bigint;
"""
ODD_TEXTS: list[str | None] = [
    *(None, "", " ", "-", "ä", "日本語", "🐳", "a\nb", "a\r\n", 'a"b', "a'b", "a\\b", "a\tb"),
    *("\x01", "\x7f", "\u00a0", "\ufeff", "e\u0301", "%2F", "NULL", "x" * 3000),
]
NUMBERS: list[int | None] = [None, 0, -1, 1, 999_999_999_999_999_999, -999_999_999_999_999_999]
REFERER = f"https://gcr.io/v2/example-mean/app/blobs/sha256:{digest(1)}"
# Only raw itself may show these: see test_secrets.py
SECRETS = {
    "c_ip": ["203.0.113.213", "2001:db8:5ec2:e7::77"],
    "cs_uri": [f"/{BUCKET}/x?GoogleAccessId=signer%40example.com&Signature=5ec2e7"],
    "cs_referer": [f"{REFERER}?Signature=5ec2e7", f"{REFERER}#reader@example.com"],
    "cs_user_agent": ["agent@example.com", "agent@example.com/1.0", "x/1 (agent@example.com)"],
}
VALUES: dict[str, list[Any]] = {
    "time_micros": [
        *(None, 0, -1, 1, 2**63 - 1, -(2**63), 1262304000000000 - 1, 1262304000000000),
        *(86_399_999_999, 86_400_000_000, MIDNIGHT - 1, MIDNIGHT, MIDNIGHT + 1),
    ],
    "c_ip": [
        *(None, "", "x", "203.0.113.255", "1.2.3", "1.2.3.4.5", "::ffff:192.0.2.1", "::1", "::"),
        *("2001:db8::1", "2001:DB8:0:1::", "2001:db8:a:b:c:d:e:f", "2001:db8", "fe80::1%eth0"),
    ],
    "c_ip_type": [None, 2, 0],
    "c_ip_region": [None, "EU", "ä"],
    "cs_method": [None, "", "HEAD", "PUT", "POST", "DELETE", "PATCH", "get"],
    "cs_uri": [None, "", "/", "/?a=b", "日本語"],
    "sc_status": [None, 0, 206, 301, 304, 401, 404, 416, 500, 599, 1000, -1],
    "cs_bytes": NUMBERS,
    "sc_bytes": [*NUMBERS, 2**50, 2**50 + 1],
    "time_taken_micros": [*NUMBERS, 604_800_000_000, 604_800_000_001],
    "cs_host": [None, "", "www.googleapis.com"],
    "cs_referer": [
        *(None, "", REFERER, f"{REFERER}?x=1", f"{REFERER}#x", f"{REFERER}/", REFERER[:-1]),
        f"{REFERER}0",
        REFERER.replace("https", "http"),
        REFERER.replace("gcr.io", "GCR.io"),
        *(
            REFERER.replace("gcr.io", host)
            for host in ("us.gcr.io", "k8s.gcr.io", "xgcr.io", "gcr.io.example", "a.b.gcr.io")
        ),
        *(
            REFERER.replace("example-mean/app", path)
            for path in (
                *("app", "example.com/proj/app", "example.com/app", "p/a/b/c", "p//a", ".com/a/b"),
                *("p/ä", "p/日本語/🐳", "p/blobs/sha256:x", "", "/", "p/a?b", "p/a%2Fb"),
            )
        ),
        REFERER.replace("/blobs/", "/manifests/"),
        f"{REFERER}{REFERER}",
        f"ä{REFERER}",
    ],
    "cs_user_agent": [
        *(None, "", ",gzip(gfe)", "x,gzip(gfe)", "gzip(gfe)", "docker/", "docker", "Docker/1.0"),
        *("containerd/2.1.6+bottlerocket", "containerd/v1.7", "kubelet/v1.29.1", "skopeo/1.14"),
        *("cosign/v2.2.0 (linux; amd64)", "GCS Lifecycle Management", "curl/8.5.0", "Jib 3.4.0"),
        *("go-containerregistry/v0.19", "Trivy/0.50", "crane/0.19", "a/b/c", "(x)", "/1", "ä/1"),
        *("docker/24.0\nx", "Mozilla/5.0 (X11; Linux)", "kaniko", "buildkit/v0.12", "podman/4.9"),
    ],
    "s_request_id": [None, "", "ä"],
    "cs_operation": [
        *(None, "", "storage.objects.get", "storage.objects.list", "PUT_Object", "GET_Bucket"),
        *("storage.objects.insert", "DELETE_Object", "HEAD_Object", "get_object", "storage.x"),
    ],
    "cs_bucket": [
        *(None, "", "b", "artifacts.p.appspot.com", "us.artifacts.p.appspot.com", "artifacts."),
        *("artifacts.proj.example.com.a.appspot.com", "asia.artifacts.p.q.appspot.com"),
        *("xx.artifacts.p.appspot.com", "artifacts.p.appspot.com.", "ä"),
    ],
    "cs_object": [
        *(None, "", "/", "x", f"containers/images/sha256:{digest(2)}"),
        *(f"containers/images/sha256:{digest(2)[1:]}", f"containers/images/sha256:{'A' * 64}"),
        *(f"containers/images/{digest(2)}/{part}" for part in ("json", "layer", "ancestry", "x")),
        *(
            f"containers/repositories/library/{name}"
            for name in (
                *("a/tag_v1", "a/b/tag_v1", "tag_v1", "a/tag_", "a/tag_v1/x", "a/tag_tag_ä"),
                *(f"a/manifest_sha256:{digest(3)}", f"a/manifest_sha256:{digest(3)}0"),
            )
        ),
        *(
            f"{root}docker/registry/v2/{name}"
            for root in ("", "r/", "r")
            for name in (
                f"blobs/sha256/00/{digest(4)}/data",
                "repositories/a/b/_manifests/tags/v1/current/link",
                f"repositories/a/_manifests/revisions/sha256/{digest(5)}/link",
            )
        ),
    ],
}


def variants() -> list[Row]:
    """Each value alone; each odd text in each text column; then values mixed at random."""
    found = [record(**{name: value}) for name, values in VALUES.items() for value in values]
    found += [record(**{name: value}) for name, values in SECRETS.items() for value in values]
    texts = [name for name, kind in csv_log.USAGE_COLUMNS.items() if kind == "STRING"]
    found += [record(**dict.fromkeys(texts, text)) for text in ODD_TEXTS]
    found += [record(**{name: text}) for name in texts[-5:] for text in ODD_TEXTS]
    found += [record(**changed) for changed in hostile.changes(texts[-5:])]
    mix = random.Random(4)
    for _ in range(250):
        names = mix.sample(list(VALUES), mix.randint(2, 9))
        found.append(record(**{name: mix.choice(VALUES[name]) for name in names}))
    columns = list(csv_log.USAGE_COLUMNS)
    time, client, request_id = map(columns.index, ("time_micros", "c_ip", "s_request_id"))
    for number, row in enumerate(found):  # else most would be redeliveries of the plain record
        if row[time] == MIDNIGHT + 9 * HOUR:
            row[time] += number
        if row[request_id] == "id":
            row[request_id] = f"id{number}"
        if row[client] == CLIENT:  # the engine's window functions take the square of a session
            row[client] = f"192.0.2.{number % 50}"
    return found


def read(
    client: int, blob: int, micros: int, size: int, image: str | None = "app", **more: Any
) -> Row:
    """Give a read of a blob; small ones are configs, as far as clients go."""
    name = f"containers/images/sha256:{digest(blob)}"
    path = f"https://eu.gcr.io/v2/example-mean/{image}/blobs/sha256:{digest(blob)}"
    given = {
        "time_micros": micros,
        "c_ip": f"198.51.100.{client}",
        "sc_bytes": size,
        "cs_object": name,
        "cs_referer": path if image else "",
    }
    return record(**(given | more))


def pulls() -> list[Row]:
    """Pulls on their edges: pauses, midnights, retries, ranges, ties, shared blobs."""
    noon = MIDNIGHT + 12 * HOUR
    config, layers = 100, [(101, 90_000), (102, 4_000_000), (103, 70_000_000)]

    def pull(client: int, start: int, image: str | None = "app", **more: Any) -> Iterable[Row]:
        yield read(client, config, start, 1500, image, **more)
        for place, (blob, size) in enumerate(layers):
            yield read(client, blob, start + place * 1000, size, image, **more)

    found: list[Row] = []
    for gap in (4, 5, 6):  # a pause a bit shorter than the limit, at it, and longer
        for more in (-1, 0, 1):
            client = 10 + gap * 3 + more
            found += pull(client, noon)
            found += pull(client, noon + gap * MINUTE + 2120 * 1000 + more)
    for client, start in enumerate((-MINUTE, -1000, -1, 0, 1, -6 * HOUR, -7 * HOUR), 40):
        found += pull(client, MIDNIGHT + start)
    for step in range(120):  # a run that lasts from before a midnight to long after it
        found.append(read(50, 101 + step % 3, MIDNIGHT - 4 * HOUR + step * 4 * MINUTE, 5000))
    found += [*pull(51, noon), *pull(51, noon)]  # the same again: redelivered within one arrival
    found += [*pull(52, noon), *pull(52, noon + 1), *pull(52, noon + 2)]  # three at once
    found += [*pull(53, noon, None), *pull(54, noon, "other"), *pull(55, noon, "a/b/c")]
    found += pull(56, noon, cs_user_agent="containerd/v1.7.2")
    found += pull(57, noon, cs_user_agent="skopeo/1.14.0", cs_referer="")
    for status in (206, 304, 403, 404, 416, 500, 503):
        client = 60 + status % 40
        found += pull(client, noon)
        found.append(read(client, 103, noon + 5000, 10_000_000, sc_status=status))
        found += pull(client, noon + 60_000)
    for part in range(6):  # ranges side by side, the last one cut off
        size = 11_666_666 if part < 5 else 40
        found.append(read(70, 103, noon, size, sc_status=206, time_taken_micros=part * 10**6))
    found.append(read(70, config, noon + 1, 1500))
    found += [read(71, config, noon, 1500), read(72, 103, noon, 70_000_000)]  # one blob only
    for other in range(5):  # an index: five configs in one go
        found += [read(73, 110 + other, noon + other, 1400 + other), read(73, 120 + other, noon, 9)]
    found += [
        read(1, blob, noon - HOUR, 0, "", cs_method="PUT", cs_operation="PUT_Object", cs_bytes=size)
        for blob, size in [(config, 1500), *layers, (200, 0)]
    ]
    return found


def usage(early: datetime, late: datetime) -> tuple[list[Row], list[Row]]:
    """Give what arrives first, at `early`, and what arrives then.

    The second part is at `late` for the most; some of it comes while the hour of the first is still
    going on, and some repeats what has been there already.
    """
    everything = variants() + pulls()
    random.Random(7).shuffle(everything)
    half = len(everything) // 2
    first = [[*row, early] for row in everything[:half]]
    second = [
        [*row, early if place % 5 == 0 else late] for place, row in enumerate(everything[half:])
    ]
    repeated = [[*row, late] for row in everything[:half:9]]
    again = [[*row, early] for row in everything[:half:31]]
    return first, second + repeated + again


def storage(early: datetime, late: datetime) -> tuple[list[Row], list[Row]]:
    days = [datetime(2024, 7, day, tzinfo=UTC) for day in (1, 2)]
    hours = [None, 0, -1, 23, 24, 25, -25, 999_999_999_999_999_999]
    first = [
        [bucket, amount, f"log_{place}", day, early]
        for day in days
        for place, (bucket, amount) in enumerate(
            [(BUCKET, 24), *((f"bucket-{each}", each) for each in hours)]
        )
    ]
    first += [
        ["bucket-hostile", hours, f"log_{year}", datetime(int(year), 6, 1, tzinfo=UTC), early]
        for year, hours in hostile.STORAGE_DAYS
    ]
    return first, [[BUCKET, 48, "log_1", days[0], late], [BUCKET, 49, "log_2", days[0], late]]

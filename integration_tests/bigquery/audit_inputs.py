"""Audit log entries that try every parsing rule, as both sinks write them."""

import json
import random
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from integration_tests import hostile
from pullstats import schemas
from pullstats.duckdb_warehouse import DuckDBWarehouse
from pullstats.log_names import LogName
from pullstats.plan import LogObject


def types(fields: list[schemas.Field]) -> dict[str, Any]:
    """Give the columns of a table of raw by type; a dict is a STRUCT."""
    return {
        each["name"]: types(each["fields"]) if "fields" in each else each["type"] for each in fields
    }


COLUMNS = types(schemas.fields("audit_logs")) | {"_partitiontime": "TIMESTAMP"}
SINK = "audit_sink"
Row = list[Any]
Entry = dict[str, Any]

NOON = datetime(2024, 7, 2, 12, tzinfo=UTC)
DIGESTS = [f"sha256:{number:064x}" for number in range(300)]
NODE = "gke-nodes@example-mean.iam.gserviceaccount.com"
METHODS = {"H": "HeadManifest", "G": "GetManifest", "B": "ServeBlob", "P": "PutManifest"}
METHODS |= {"T": "GetTags", "U": "StartUpload"}


def entry(number: int, micros: int, **fields: Any) -> Entry:
    """Give a GET of a manifest, with some fields of protoPayload as known; None leaves one out."""
    seconds, fraction = divmod(int(NOON.timestamp()) * 1_000_000 + micros, 1_000_000)
    time = datetime.fromtimestamp(seconds, UTC)
    nanoseconds = f"{fraction:06d}{number % 1000:03d}"
    store = "projects/example-mean/locations/us/repositories/apps"
    payload = {
        "serviceName": "artifactregistry.googleapis.com",
        "methodName": "Docker-GetManifest",
        "resourceName": f"{store}/dockerImages/app@{DIGESTS[0]}",
        "authenticationInfo": {
            "principalEmail": NODE,
            "principalSubject": f"serviceAccount:{NODE}",
        },
        "requestMetadata": {
            "callerIp": "198.51.100.7",
            "callerSuppliedUserAgent": "containerd/2.1.9,gzip(gfe)",
        },
        "request": {"requestUrl": "/v2/example-mean/apps/app/manifests/v1"},
        "status": {},
    }
    return {
        "logName": "projects/example-mean/logs/cloudaudit.googleapis.com%2Fdata_access",
        "insertId": f"id{number}",
        "timestamp": f"{time:%Y-%m-%dT%H:%M:%S}.{nanoseconds}Z",
        "protoPayload": {
            name: value for name, value in (payload | fields).items() if value is not None
        },
    }


def sequence(steps: str, start: int, **fields: Any) -> list[Entry]:
    """Give what a client sends: `Hv1=3 G3 B5 B6` is HEAD by tag, GET by digest, two blobs."""
    found = []
    for place, step in enumerate(steps.split()):
        verb, (asked, _, answer) = step[0], step[1:].partition("=")
        digest = DIGESTS[int(answer or asked or 0)] if (answer or asked).isdigit() else ""
        kind = "blobs" if verb == "B" else "manifests"
        reference = asked if answer else digest
        path = {"T": "tags/list", "U": "blobs/uploads/"}.get(verb, f"{kind}/{reference}")
        named = f"@{digest}" if kind == "manifests" and digest else ""
        found.append(
            entry(
                start // 1000 + place,
                start + place * 200_000,
                methodName=f"Docker-{METHODS[verb]}",
                resourceName=f"projects/example-mean/locations/us/repositories/apps"
                f"/dockerImages/app{named}",
                request={"requestUrl": f"/v2/example-mean/apps/app/{path}"},
                **fields,
            )
        )
    return found


SEQUENCES = [
    *("Hv1=1 G1 B11 B12", "Hv1=1", "Gv1=1 B11 B12", "G1 B11 B12", "Hv2=2 G2 G3 B13 B14 B15"),
    *("Gv2=2 G3 B13 B14 G4 B16 B17", "Gv1=1", "Gv1=1 B11", "T Gv1=1", "Gv1=1 Platest=1"),
    *("U U P1 P3 Pv3=2", "Hv1=1 G1 B11 Hv1=1 G1 B11 B12", "Hv1=1 Hv1=1 G1 G1 B11 B11 B12 B12"),
    *(
        "Hlatest=1 Hv1=1 G1 G1 B11 B11 B12 B12",
        "Hv1=1 B12",
        "B11 B12",
        "Hv1=1 Gv1=1",
        "G2 G3 G4 B13",
    ),
    *(
        f"Gsha256-{5:064x}.sig=6 B20",
        "Hmain=7 G7 B21 U P8 Pmain=9",
        "H1 P9",
        "Hv1=1 G1 B11 B12 B11",
    ),
]
NEXT_DAY = sequence(SEQUENCES[5], 90_000_000_000)
AGENTS = [
    *("containerd/2.1.9,gzip(gfe)", "docker/28.5.2", "skopeo/1.22.0", "go-containerregistry/v0.20"),
    *("buildkit/v0.16", "containers/5.39.2", "Helm/3.16.3", "cosign/v2", "trivy/0.50", "gzip(gfe)"),
]
ODD: list[dict[str, Any]] = [
    *({name: None} for name in ("serviceName", "methodName", "resourceName", "request", "status")),
    *({"authenticationInfo": None}, {"requestMetadata": None}, {"authenticationInfo": {}}),
    *({"status": {"code": code}} for code in (0, 2, 5, 7, 8, 13, 16, 99, -1, "5", "x", None, {})),
    *({"methodName": name} for name in ("Docker-Catalog", "Docker-New", "docker-getmanifest", "")),
    *({"methodName": name} for name in ("Npm-InstallPackage", "VirtualRepo-Auth", "Go-X", 7)),
    *(
        {"methodName": "google.devtools.artifactregistry.v1.ArtifactRegistry.DownloadFile"},
        {"serviceName": "storage.googleapis.com", "methodName": "storage.objects.get"},
    ),
    *(
        {"requestMetadata": {"callerIp": address, "callerSuppliedUserAgent": "x/1"}}
        for address in (
            "private",
            "gce-internal-ip",
            "2001:db8::1",
            "10.1.2.3",
            "",
            "1.2.3",
            None,
            5,
        )
    ),
    *(
        {"requestMetadata": {"callerIp": "192.0.2.9", "callerSuppliedUserAgent": agent}}
        for agent in ("", "ä/1", "a" * 3000, "[x]", {"a": 1}, None, "日本語", "a\tb\n", '"q"')
    ),
    *(
        {"authenticationInfo": {"principalEmail": email, "principalSubject": subject}}
        for email, subject in (
            *(("a@example.com", "user:a@example.com"), (None, "user:a@example.com")),
            *(("anonymous", None), ("unknown", None), ("", ""), (None, "serviceAccount:x@y.z")),
            ("service-1@gcp-sa-containerscanning.iam.gserviceaccount.com", None),
            ("1@cloudbuild.gserviceaccount.com", None),
            ("artifact-registry-same-project-copier@system.gserviceaccount.com", None),
            *(
                (None, f"principal://iam.googleapis.com/projects/1/workloadIdentityPools/{pool}/x")
                for pool in ("forge", "p.svc.id.goog")
            ),
        )
    ),
    *(
        {"resourceName": name}
        for name in (
            *("projects/p/locations/us/repositories/gcr.io/dockerImages/a%2Fb@" + DIGESTS[5], "x"),
            "projects/example.com:p/locations/europe/repositories/eu.gcr.io/dockerImages/a",
            *("projects/p/locations/us-east1/repositories/r", "projects/p/locations/us", ""),
        )
    ),
    *(
        {"request": {"requestUrl": url}}
        for url in (
            *(
                "/v2/example-mean/apps/a%2Fb/manifests/v1",
                "/v2/example-mean/apps/a/b/c/manifests/v1",
            ),
            *("/v2/apps/apps/apps/manifests/v1?x=1", "/v2/", "", "/v2/_catalog", "/x/y", "ä", 5),
            f"/v2/example-mean/apps/app/manifests/{DIGESTS[4].replace(':', '%3A')}",
        )
    ),
]


def everything() -> list[Entry]:
    found = []
    for place, (steps, agent) in enumerate((s, a) for s in SEQUENCES for a in AGENTS):
        address = f"198.51.{place % 200}.{place // 200}"
        caller = {"callerIp": address, "callerSuppliedUserAgent": agent}
        found += sequence(steps, place * 7_000_000, requestMetadata=caller)
    # clients that look alike, on either side of a midnight
    for place in range(4):
        found += sequence(SEQUENCES[4], 12 * 3_600_000_000 - 1_000_000 + place * 300_000)
    found += [entry(900_000 + place, place, **fields) for place, fields in enumerate(ODD)]
    return found + NEXT_DAY


def sink_row(each: Entry, arrival: datetime) -> Entry:
    """Give the row that a BigQuery sink makes of an entry."""
    payload = dict(each["protoPayload"])
    request = payload.pop("request", None)
    time = datetime.fromisoformat(each["timestamp"][:26]).replace(tzinfo=UTC)
    return {
        "logName": each["logName"],
        "insertId": each["insertId"],
        "timestamp": time,
        "receiveTimestamp": arrival,
        "protopayload_auditlog": payload
        | {"requestJson": None if request is None else json.dumps(request)},
    }


PAYLOAD: dict[str, Any] = {
    "serviceName": "STRING",
    "methodName": "STRING",
    "resourceName": "STRING",
    "authenticationInfo": {"principalEmail": "STRING", "principalSubject": "STRING"},
    "requestMetadata": {"callerIp": "STRING", "callerSuppliedUserAgent": "STRING"},
    "requestJson": "STRING",
    "status": {"code": "INT64"},
}
SINK_COLUMNS: dict[str, Any] = {
    "logName": "STRING",
    "insertId": "STRING",
    "timestamp": "TIMESTAMP",
    "receiveTimestamp": "TIMESTAMP",
    "protopayload_auditlog": PAYLOAD,
}
# before an entry had an error, and before a federated identity came
SPARSE_COLUMNS = SINK_COLUMNS | {
    "protopayload_auditlog": {name: kind for name, kind in PAYLOAD.items() if name != "status"}
    | {"authenticationInfo": {"principalEmail": "STRING"}}
}


def rows_of(texts: list[str]) -> list[Row]:
    """Give the rows that the loader lands of lines."""
    data = "\n".join(texts).encode()
    name = LogName("audit", NOON, "made_up")
    with closing(DuckDBWarehouse(Path(":memory:"))) as raw:
        raw.load([LogObject("", len(data), lambda: data, uri=name.identity, name=name)])
        found = raw.query("select * exclude (_partitiontime) from storageanalysis.audit_logs")
    return [
        [each.replace(tzinfo=UTC) if isinstance(each, datetime) else each for each in row]
        for row in found
    ]


def landed(early: datetime, late: datetime) -> tuple[list[Row], list[Row]]:
    """Give the rows that a loader lands, in two parts; some twice."""
    texts = [json.dumps(each) for each in everything()]
    for place, time in enumerate(hostile.TIMESTAMPS):
        texts.append(json.dumps(entry(800_000 + place, 0) | {"timestamp": time}))
    random.Random(5).shuffle(texts)
    made = rows_of(texts)
    half = len(made) // 2
    first = [[*row, early] for row in made[:half]]
    return first, [[*row, late] for row in made[half:] + made[:half:9]]


def sunk(early: datetime, late: datetime) -> dict[str, tuple[dict[str, Any], list[Entry]]]:
    """Give the sink's tables, one partitioned and one of a day: own entries, and landed ones."""
    both = (
        sequence(SEQUENCES[0], 80_000_000_000)
        + [each for each in everything() if is_typed(each)][::7]
    )
    arrivals = [early, late]
    times = ("0001-01-01", "2009-12-31", "9999-12-31")
    both += [entry(700_000, 0) | {"timestamp": f"{day}T12:00:00.000000"} for day in times]
    return {
        "cloudaudit_googleapis_com_data_access": (
            SINK_COLUMNS,
            [sink_row(each, arrivals[place % 2]) for place, each in enumerate(both)],
        ),
        "cloudaudit_googleapis_com_data_access_20240703": (
            SPARSE_COLUMNS,
            [sink_row(each, early) for each in NEXT_DAY],
        ),
    }


def is_typed(each: Entry) -> bool:
    """BigQuery rejects an entry whose fields have other types than those before."""
    payload = each["protoPayload"]
    codes = payload.get("status", {}).get("code", 0)
    texts = [payload.get("methodName", ""), payload.get("request", {}).get("requestUrl", "")]
    metadata = payload.get("requestMetadata", {})
    texts += [value or "" for value in metadata.values()]
    return isinstance(codes, int) and all(isinstance(text, str) for text in texts)

"""Parses the path of a log object: pure functions, no input or output."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

Kind = Literal["usage", "storage", "audit"]

# The prefix is free text that may itself hold "_usage_", so only the end of the name counts. The id
# is opaque: Cloud Storage documents no form of it.
_TIME = r"_(?P<kind>usage|storage)_(?P<time>[0-9]{4}(?:_[0-9]{2}){5})"
_CSV = re.compile(rf".*{_TIME}_[^_]+_v0", re.DOTALL)
# What a Cloud Logging sink writes for an hour: S is a shard, A what arrived late.
_JSON = re.compile(
    r"(?P<time>[0-9]{4}/[0-9]{2}/[0-9]{2}/(?P<hour>[0-9]{2}):00:00)_(?P=hour):59:59"
    r"_(?:S[0-9]+|A[0-9]+:[0-9]+)\.json"
)
_AUDIT_LOGS = "cloudaudit.googleapis.com"
# Names that look like a log's: where one is refused, rows may be missing.
_NEAR = re.compile(rf"{_TIME}|(?:^|/){re.escape(_AUDIT_LOGS)}/.*\.json", re.DOTALL)


@dataclass(frozen=True)
class LogName:
    """`hour` is the start of the logged hour (UTC); an object and its copy share the `identity`.

    It is the name of a usage or storage log, which is unique. The names of audit logs are not: two
    buckets hold the same ones. So theirs begins with the bucket, or the folder that the copy is in.
    """

    kind: Kind
    hour: datetime
    identity: str


def parse(path: str) -> LogName | None:
    """Read the path of a log object; None when it isn't one."""
    name = path.rpartition("/")[2]
    try:
        if match := _CSV.fullmatch(name):
            hour = datetime.strptime(match["time"], "%Y_%m_%d_%H_%M_%S").replace(tzinfo=UTC)
            return LogName("usage" if match["kind"] == "usage" else "storage", hour, name)
        *_, bucket, service, log = ["", "", "", *path.split("/")[:-4]]
        tail = "/".join(path.split("/")[-4:])
        if not (match := _JSON.fullmatch(tail)):
            return None
        hour = datetime.strptime(match["time"], "%Y/%m/%d/%H:00:00").replace(tzinfo=UTC)
    except ValueError:
        return None
    if service == _AUDIT_LOGS:
        return LogName("audit", hour, f"{bucket}/{service}/{log}/{tail}")
    # a copy may leave out the folders above, but must not be one of another log
    is_other = path.startswith("gs://") or service.endswith(".googleapis.com")
    return None if is_other else LogName("audit", hour, f"{log}/{tail}")


def at_hour(path: str, since: str) -> str | None:
    """Give how the name of a log object before an hour would begin, if it were of that hour."""
    name = parse(path)
    if not name or f"{name.hour:%Y-%m-%dT%H}" >= since:
        return None
    if name.kind == "audit":
        return path.rsplit("/", 4)[0] + "/" + re.sub("[-T]", "/", since)
    (*_, time) = re.finditer(_TIME, path)
    return path[: time.start("time")] + re.sub("[-T]", "_", since)


def near_miss(path: str) -> str | None:
    """Return why a path that is not a log object's looks like one; None when it doesn't."""
    if path.endswith(".gz") and parse(path.removesuffix(".gz")):
        return "it is compressed: decompress it first"
    return "its name is nearly that of a log object" if _NEAR.search(path) else None

"""What the name of a log object says: pure functions, no input or output."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

Kind = Literal["usage", "storage"]

# The prefix is free text that may itself hold "_usage_", so only the end of the name counts.
_NAME = re.compile(
    r"(?P<prefix>.*)_(?P<kind>usage|storage)"
    r"_(?P<time>[0-9]{4}(?:_[0-9]{2}){5})_(?P<shard>[0-9]{2})(?P<id>[0-9a-f]*)_v0",
    re.DOTALL,
)


@dataclass(frozen=True)
class LogName:
    """A parsed log object name; `hour` is the start of the logged hour (UTC)."""

    prefix: str
    kind: Kind
    hour: datetime
    shard: int


def parse(name: str) -> LogName | None:
    """Read a log object's name; None when it isn't one."""
    match = _NAME.fullmatch(name)
    if not match:
        return None
    try:
        hour = datetime.strptime(match["time"], "%Y_%m_%d_%H_%M_%S").replace(tzinfo=UTC)
    except ValueError:
        return None
    kind: Kind = "usage" if match["kind"] == "usage" else "storage"
    return LogName(match["prefix"], kind, hour, int(match["shard"]))

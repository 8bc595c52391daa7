"""What a warehouse must do for the loader: DuckDB and BigQuery do."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from pullstats.plan import LedgerEntry, LogObject


class RawError(Exception):
    """Raw is not as it was when it landed; it takes a list of faults."""

    def __str__(self) -> str:
        (faults,) = self.args
        more = f"\n… and {len(faults) - 9:,} more" if len(faults) > 9 else ""
        return "\n".join(faults[:9]) + more


@dataclass
class BatchResult:
    """What became of a batch: rows landed, lines set aside, objects that could not be read."""

    objects: int = 0
    rows: int = 0
    rejected: dict[str, int] = field(default_factory=dict)
    unreadable: dict[str, str] = field(default_factory=dict)

    def add(self, uri: str, row_count: int, rejected_count: int) -> None:
        self.objects += 1
        self.rows += row_count
        if rejected_count:
            self.rejected[uri] = rejected_count


class Warehouse(Protocol):
    """`max_objects` and `max_bytes` bound a batch; `landed` is what SQL selects from the ledger.

    `by_uri`: an object is known by its gs:// uri, not by the name that its copies share.
    """

    max_objects: int
    max_bytes: int
    landed: str
    by_uri: bool

    def ledger(self, uris: Sequence[str] | None = None) -> dict[str, LedgerEntry]:
        """Say what has landed of `uris`, or of all."""

    def load(self, objects: list[LogObject]) -> BatchResult: ...

    def remember(self, objects: list[LogObject]) -> None:
        """Record the new times of files that had to be read to see that they had landed."""

    def faults(self) -> list[str]:
        """Return what landed, but is lost or altered in raw."""

    def query(self, sql: str) -> list[tuple[Any, ...]]: ...

    def close(self) -> None: ...

"""What a warehouse must do for the loader: DuckDB and BigQuery do."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, Protocol

from loader.plan import LedgerEntry, LogObject


@dataclass
class BatchResult:
    """What became of a batch: rows landed, lines set aside, objects that could not be read."""

    objects: int = 0
    rows: int = 0
    rejected: dict[str, int] = field(default_factory=dict)
    unreadable: dict[str, str] = field(default_factory=dict)

    def add(self, uri: str, row_count: int, rejected_count: int, error: str | None = None) -> None:
        if error:
            self.unreadable[uri] = error
            return
        self.objects += 1
        self.rows += row_count
        if rejected_count:
            self.rejected[uri] = rejected_count


@dataclass(frozen=True)
class DayStatus:
    """One row per kind of log and day of the logged hour; `rows` is None if not known by day."""

    kind: str
    day: date
    objects: int
    rows: int | None
    rejected: int


@dataclass(frozen=True)
class Status:
    """`missing_hours`: hours between the first and the newest one without a line of a usage log."""

    days: list[DayStatus]
    newest_hour: datetime | None
    missing_hours: list[datetime]


def status(query: Callable[[str], list[tuple[Any, ...]]], ledger: str) -> Status:
    """Sum up a ledger (`table where condition`), in SQL that both engines speak."""
    days = query(
        "select kind, cast(log_hour as date), count(*),"
        " cast(case when count(row_count) = count(*) then sum(row_count) end as int64),"
        f" cast(sum(rejected_count) as int64) from {ledger} group by 1, 2 order by 1, 2"
    )
    hours = query(
        f"select distinct log_hour from {ledger} and kind = 'usage'"
        " and (row_count is null or row_count + rejected_count > 0)"
    )
    seen = {hour.replace(minute=0, second=0) for (hour,) in hours}
    first, last = min(seen, default=None), max(seen, default=None)
    count = int((last - first) / timedelta(hours=1)) if first and last else 0
    every = (first + timedelta(hours=hour) for hour in range(count) if first)
    return Status([DayStatus(*day) for day in days], last, [h for h in every if h not in seen])


class Warehouse(Protocol):
    """`max_objects` and `max_bytes` bound a batch."""

    max_objects: int
    max_bytes: int

    def ledger(self, uris: Sequence[str] | None = None) -> dict[str, LedgerEntry]:
        """Tell what has landed of `uris`, or of all."""

    def load(self, objects: list[LogObject]) -> BatchResult: ...

    def status(self) -> Status: ...

    def close(self) -> None: ...

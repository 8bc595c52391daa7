"""What a warehouse must do for the loader: DuckDB does, BigQuery is to stand beside it."""

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Protocol

from loader.plan import Batch, LedgerEntry


@dataclass
class BatchResult:
    """What became of a batch: rows landed, lines set aside, objects that could not be read."""

    objects: int = 0
    rows: int = 0
    rejected: dict[str, int] = field(default_factory=dict)
    unreadable: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class DayStatus:
    """One row per kind of log and day of the logged hour."""

    kind: str
    day: date
    objects: int
    rows: int
    rejected: int


@dataclass(frozen=True)
class Status:
    """`missing_hours`: hours between the first and the newest one that no usage log covers."""

    days: list[DayStatus]
    newest_hour: datetime | None
    missing_hours: list[datetime]


class Warehouse(Protocol):
    def ledger(self) -> dict[str, LedgerEntry]: ...

    def load(self, batch: Batch) -> BatchResult: ...

    def status(self) -> Status: ...

    def close(self) -> None: ...

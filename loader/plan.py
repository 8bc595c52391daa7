"""Decides what to load: log objects on one side, the ledger on the other, nothing else."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import google_crc32c

from logformat.names import LogName, parse


@dataclass(frozen=True)
class Found:
    """A file or an object that may be a log; a listing tells generation and checksum."""

    place: str
    size: int
    read: Callable[[], bytes] = field(compare=False, repr=False)
    generation: int = 0
    listed_checksum: str | None = None

    def checksum(self) -> str:
        """CRC32C in hexadecimal: what Cloud Storage itself keeps of every object."""
        return self.listed_checksum or checksum(self.read())


@dataclass(frozen=True)
class LogObject(Found):
    """A log object to land; `uri` is its identity in the ledger, and lands once.

    It is the gs:// uri on BigQuery. On DuckDB it is the file's name without folders, so that an
    object lands once whether it comes from gs:// or from a copy. A uri seen again with the same
    size and checksum has landed, whatever its generation; with other content it is refused.
    """

    uri: str = field(kw_only=True)
    name: LogName = field(kw_only=True)

    @classmethod
    def of(cls, found: Found, by_uri: bool) -> "LogObject | None":
        """Read the name; None when it is not that of a log object."""
        last = found.place.rpartition("/")[2]
        name = parse(last)
        uri = found.place if by_uri else last
        return cls(**vars(found), uri=uri, name=name) if name else None

    @property
    def is_usage(self) -> bool:
        return self.name.kind == "usage"


@dataclass(frozen=True)
class LedgerEntry:
    """What the ledger knows of an object; `error` says why it could not be landed."""

    size: int
    checksum: str
    error: str | None = None


@dataclass(frozen=True)
class Plan:
    """Places by what to do with them; `conflicts` can't be used, for the reason given."""

    load: list[LogObject] = field(default_factory=list)
    skipped: dict[str, str] = field(default_factory=dict)
    conflicts: dict[str, str] = field(default_factory=dict)


def checksum(data: bytes) -> str:
    return f"{google_crc32c.value(data):08x}"


def find(sources: Iterable[Path]) -> Iterator[Path]:
    """List the files of the sources: a directory stands for all files below it."""
    for source in sources:
        if source.is_dir():
            yield from sorted(path for path in source.rglob("*") if not path.is_dir())
        else:
            yield source


def make(
    places: Iterable[Path | Found],
    ledger: Mapping[str, LedgerEntry],
    by_uri: bool = False,
    hours: tuple[str, str] = ("", "~"),
) -> Plan:
    """Sort places into log objects to load and the rest; compare with the ledger what is in it.

    `hours`: first and last hour to load, as `2024-05-29T07`.
    """
    plan = Plan()
    seen: dict[str, Found] = {}
    for place in places:
        found = _local(place) if isinstance(place, Path) else place
        each = LogObject.of(found, by_uri)
        # what the file system gives for bytes that are not UTF-8 can't be printed or stored
        shown = found.place.encode(errors="backslashreplace").decode()
        if each is None:
            plan.skipped[shown] = "its name is not that of a log object"
        elif shown != found.place:
            plan.conflicts[shown] = "its name is not UTF-8"
        elif not hours[0] <= f"{each.name.hour:%Y-%m-%dT%H}" <= hours[1]:
            plan.skipped[shown] = "its hour is not asked for"
        else:
            try:
                _sort(each, seen, ledger, plan)
            except OSError as error:
                plan.conflicts[shown] = str(error)
    return plan


def _local(path: Path) -> Found:
    return Found(str(path), path.stat().st_size if path.exists() else 0, path.read_bytes)


def _sort(
    each: LogObject, seen: dict[str, Found], ledger: Mapping[str, LedgerEntry], plan: Plan
) -> None:
    before, landed = seen.get(each.uri), ledger.get(each.uri)
    if before:
        if (each.size, each.checksum()) == (before.size, before.checksum()):
            plan.skipped[each.place] = f"named as {before.place} is"
        else:
            plan.conflicts[each.place] = f"is named as {before.place}, with other content"
        return
    seen[each.uri] = each
    is_same = landed and (each.size, each.checksum()) == (landed.size, landed.checksum)
    if not landed or (landed.error and not is_same):
        plan.load.append(each)
    elif landed.error:
        plan.conflicts[each.place] = landed.error
    elif is_same:
        plan.skipped[each.place] = "has landed before"
    else:
        plan.conflicts[each.place] = "has landed before with other content"


def batches(
    objects: Iterable[LogObject], max_objects: int, max_bytes: int
) -> Iterator[list[LogObject]]:
    """Cut objects, oldest hour first, into batches within both limits."""
    batch: list[LogObject] = []
    size = 0
    for each in sorted(objects, key=lambda each: (each.name.hour, each.uri)):
        if batch and (len(batch) >= max_objects or size + each.size > max_bytes):
            yield batch
            batch, size = [], 0
        batch.append(each)
        size += each.size
    if batch:
        yield batch

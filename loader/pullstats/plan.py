"""Decides what to load: log objects on one side, the ledger on the other, nothing else."""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import google_crc32c

from pullstats import log_names

# All of an object is read at a time, except for those that BigQuery loads by itself.
MAX_OBJECT_BYTES = 512 * 1024 * 1024
TOO_LARGE = f"it is larger than {MAX_OBJECT_BYTES:,} bytes"
HAS_LANDED = "has landed before"


@dataclass(frozen=True)
class Found:
    """A place that may be a log object, as its listing or the ledger describes it.

    `checksum` is null for files: listings don't know their content. `modified_ns` is a file's.
    `fault` is why the place can't be used: an error if logs may be hidden there.
    """

    place: str
    size: int = 0
    reader: Callable[[], bytes] = field(default=bytes, compare=False, repr=False)
    generation: int | None = None
    checksum: str | None = None
    modified_ns: int | None = None
    fault: str | None = None
    is_error: bool = True

    @property
    def path(self) -> str:
        is_object = self.place.startswith("gs://")
        return self.place if is_object else os.path.abspath(self.place)  # noqa: PTH100 (keeps links)

    @property
    def log_name(self) -> log_names.LogName | None:
        return None if self.fault else log_names.parse(self.path)

    def read(self) -> bytes:
        """Return the content; raise OSError if it is too large to be read at a time."""
        if self.size > MAX_OBJECT_BYTES:
            raise OSError(TOO_LARGE)
        return self.reader()

    def content(self) -> tuple[int, str]:
        """Size and checksum of the content; reads it where no listing knows them."""
        return (self.size, self.checksum) if self.checksum else fingerprint(self.read())

    def is_known_as(self, other: "Found") -> bool:
        """Compare without reading: the generation, or size and time of change of a file."""
        if self.generation:
            return self.generation == other.generation
        return (self.size, self.modified_ns) == (other.size, other.modified_ns)

    def is_same(self, other: "Found") -> bool:
        return self.is_known_as(other) or self.content() == other.content()


@dataclass(frozen=True)
class LogObject(Found):
    """A log object to land; `uri` is its identity in the ledger, and lands once.

    On BigQuery it is the gs:// uri. On DuckDB an object and its copy in a folder have the same:
    see LogName.
    """

    uri: str = field(kw_only=True)
    name: log_names.LogName = field(kw_only=True)

    @property
    def known(self) -> dict[str, Any]:
        """What the ledger has of it; `size_bytes` and `checksum` are those of its listing."""
        return {
            "object_uri": self.uri,
            "generation": self.generation,
            "kind": self.name.kind,
            "log_hour": str(self.name.hour),
            "size_bytes": self.size,
            "checksum": self.checksum or "",
            "modified_ns": self.modified_ns,
        }


@dataclass(frozen=True)
class Plan:
    """Places by what to do with them; `conflicts` can't be used, for the reason given.

    `again` were cut off when they landed. They land again, whole, and the models remove equal
    rows.
    """

    load: list[LogObject] = field(default_factory=list)
    skipped: dict[str, str] = field(default_factory=dict)
    conflicts: dict[str, str] = field(default_factory=dict)
    again: list[str] = field(default_factory=list)


@dataclass
class BatchResult:
    """What became of a batch: rows landed, lines set aside, objects that could not be read."""

    objects: int = 0
    rows: int = 0
    rejected: dict[str, int] = field(default_factory=dict)
    unreadable: dict[str, str] = field(default_factory=dict)

    def include(self, other: "BatchResult") -> None:
        self.objects += other.objects
        self.rows += other.rows
        self.rejected |= other.rejected
        self.unreadable |= other.unreadable


def fingerprint(data: bytes) -> tuple[int, str]:
    """Size and CRC32C in hexadecimal: what Cloud Storage itself keeps of every object."""
    return len(data), f"{google_crc32c.value(data):08x}"


def find(source: Path) -> Iterator[Found]:
    """List the files at and below a path. Links below it are named, not followed."""
    todo = [source]
    while todo:
        path = todo.pop()
        place = str(path)
        if path != source and path.is_symlink():
            # what it leads to is listed by itself, or nobody has named it
            is_listed = path.exists() and path.resolve().is_relative_to(source.resolve())
            where = "to what is listed" if is_listed else "to nothing, or out of the source"
            yield Found(place, fault=f"it is a link {where}", is_error=not is_listed)
            continue
        try:
            if path.is_dir():
                todo += sorted(path.iterdir(), reverse=True)
            elif path.is_file():
                about = path.stat()
                yield Found(place, about.st_size, path.read_bytes, modified_ns=about.st_mtime_ns)
            else:
                yield Found(place, fault="it is not a regular file", is_error=False)
        except OSError as error:
            yield Found(place, fault=f"it can't be read: {error}")


def make(
    places: Iterable[Found],
    ledger: Mapping[str, Found],
    by_uri: bool = False,
    hours: tuple[str, str] = ("", "~"),
) -> Plan:
    """Sort places into log objects to load and the rest; compare with the ledger what is in it.

    `hours`: first and last hour to load, as `2024-05-29T07`.
    """
    plan = Plan()
    seen: dict[str, LogObject] = {}
    for found in places:
        # what the file system gives for bytes that are not UTF-8 can't be printed or stored
        shown = found.place.encode(errors="backslashreplace").decode()
        name = found.log_name
        if not name:
            fault = found.fault or log_names.near_miss(found.path)
            unused = plan.conflicts if fault and found.is_error else plan.skipped
            unused[shown] = fault or "its name is not that of a log object"
        elif shown != found.place:
            plan.conflicts[shown] = "its name is not UTF-8"
        elif not hours[0] <= f"{name.hour:%Y-%m-%dT%H}" <= hours[1]:
            plan.skipped[shown] = "its hour is not asked for"
        else:
            uri = found.place if by_uri else name.identity
            each = LogObject(**vars(found), uri=uri, name=name)
            try:
                _sort(each, seen.setdefault(uri, each), ledger.get(uri), plan)
            except OSError as error:
                plan.conflicts[shown] = str(error)
    return plan


def _sort(each: LogObject, first: LogObject, landed: Found | None, plan: Plan) -> None:
    if first is not each:
        if each.is_same(first):
            plan.skipped[each.place] = f"duplicate of {first.place}"
        else:
            plan.conflicts[each.place] = f"has the name of {first.place}, but other content"
    elif not landed:
        plan.load.append(each)
    elif each.is_same(landed):
        if landed.fault:
            plan.conflicts[each.place] = landed.fault
            return
        plan.skipped[each.place] = HAS_LANDED
    elif landed.fault:
        plan.load.append(each)
    elif fingerprint(each.read()[: landed.size]) == landed.content():
        plan.load.append(each)
        plan.again.append(each.place)
    else:
        plan.conflicts[each.place] = f"{HAS_LANDED} with other content"


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

"""Decides what to load: log objects on one side, the ledger on the other, nothing else."""

import errno
import os
import stat
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import google_crc32c

from pullstats import log_names


@dataclass(frozen=True)
class Found:
    """A file or an object that may be a log, as its listing describes it.

    `checksum` is null for files, and for objects that are stored compressed: listings don't know
    their content. `modified_ns` is a file's.
    """

    place: str
    size: int
    read: Callable[[], bytes] = field(compare=False, repr=False)
    generation: int | None = None
    checksum: str | None = None
    modified_ns: int | None = None


@dataclass(frozen=True)
class Unusable:
    """A place that is no file. It is an error if logs may be hidden below it."""

    place: str
    reason: str
    is_error: bool


@dataclass(frozen=True)
class LedgerEntry:
    """What the ledger knows of an object; `error` says why it could not be landed."""

    size: int
    checksum: str
    generation: int | None = None
    modified_ns: int | None = None
    error: str | None = None


@dataclass(frozen=True)
class LogObject(Found):
    """A log object to land; `uri` is its identity in the ledger, and lands once.

    On BigQuery it is the gs:// uri. On DuckDB an object and its copy in a folder have the same:
    see LogName. Of an object that had been cut off when it landed, and is whole now, `landed_bytes`
    have landed: only what is behind them lands.
    """

    uri: str = field(kw_only=True)
    name: log_names.LogName = field(kw_only=True)
    landed_bytes: int = field(default=0, kw_only=True)

    def content(self) -> tuple[int, str]:
        """Size and checksum of the content; reads it where no listing knows them."""
        return (self.size, self.checksum) if self.checksum else fingerprint(self.read())

    def is_known_as(self, other: "LogObject | LedgerEntry") -> bool:
        """Compare without reading: the generation, or size and time of change of a file."""
        if self.generation:
            return self.generation == other.generation
        return (self.size, self.modified_ns) == (other.size, other.modified_ns)


@dataclass(frozen=True)
class Plan:
    """Places by what to do with them; `conflicts` can't be used, for the reason given.

    `compared` are objects that had to be read to see that they have landed.
    """

    load: list[LogObject] = field(default_factory=list)
    skipped: dict[str, str] = field(default_factory=dict)
    conflicts: dict[str, str] = field(default_factory=dict)
    compared: list[LogObject] = field(default_factory=list)


def fingerprint(data: bytes) -> tuple[int, str]:
    """Size and CRC32C in hexadecimal: what Cloud Storage itself keeps of every object."""
    return len(data), f"{google_crc32c.value(data):08x}"


def find(source: Path) -> Iterator[Found | Unusable]:
    """List the files at and below a path. Links to folders are followed, each folder once."""
    listed: set[tuple[int, int]] = set()
    todo = [source]
    while todo:
        path = todo.pop()
        try:
            about = path.stat()
        except OSError as error:
            unread = Found(str(path), 0, path.read_bytes)
            # a log object's reading will say why; what a link doesn't reach may be a folder of logs
            is_error = error.errno != errno.ELOOP
            yield unread if name_of(unread) else Unusable(str(path), str(error), is_error)
            continue
        if stat.S_ISREG(about.st_mode):
            yield Found(str(path), about.st_size, path.read_bytes, modified_ns=about.st_mtime_ns)
        elif not stat.S_ISDIR(about.st_mode):
            yield Unusable(str(path), "it is no regular file", is_error=False)
        elif (about.st_dev, about.st_ino) in listed:
            yield Unusable(str(path), "the folder has been listed before", is_error=False)
        else:
            listed.add((about.st_dev, about.st_ino))
            try:
                todo += sorted(path.iterdir(), reverse=True)
            except OSError as error:
                yield Unusable(str(path), f"the folder can't be listed: {error}", is_error=True)


def _path(found: Found) -> str:
    is_object = found.place.startswith("gs://")
    return found.place if is_object else os.path.abspath(found.place)  # noqa: PTH100 (keeps links)


def name_of(found: Found) -> log_names.LogName | None:
    """Read the name of a place; None when it is not that of a log object."""
    return log_names.parse(_path(found))


def make(
    places: Iterable[Found | Unusable],
    ledger: Mapping[str, LedgerEntry],
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
        if isinstance(found, Unusable):
            (plan.conflicts if found.is_error else plan.skipped)[shown] = found.reason
            continue
        name = name_of(found)
        if not name:
            reason = log_names.near_miss(_path(found))
            not_named = plan.conflicts if reason else plan.skipped
            not_named[shown] = reason or "its name is not that of a log object"
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


def _sort(each: LogObject, first: LogObject, landed: LedgerEntry | None, plan: Plan) -> None:
    if first is not each:
        if each.is_known_as(first) or each.content() == first.content():
            plan.skipped[each.place] = f"duplicate of {first.place}"
        else:
            plan.conflicts[each.place] = f"has the name of {first.place}, but other content"
    elif not landed:
        plan.load.append(each)
    elif each.is_known_as(landed) or each.content() == (landed.size, landed.checksum):
        if landed.error:
            plan.conflicts[each.place] = landed.error
            return
        plan.skipped[each.place] = "has landed before"
        if not each.is_known_as(landed):
            plan.compared.append(each)
    elif landed.error:
        plan.load.append(each)
    elif fingerprint(each.read()[: landed.size]) == (landed.size, landed.checksum):
        plan.load.append(replace(each, landed_bytes=landed.size))
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

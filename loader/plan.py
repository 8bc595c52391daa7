"""Decides what to load: log objects on one side, the ledger on the other, nothing else."""

import filecmp
import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from loader.names import LogName, parse


@dataclass(frozen=True)
class LogObject:
    """A log object to land. `uri` is its name in the ledger: the file's name, without folders."""

    uri: str
    path: Path
    size: int
    name: LogName

    @property
    def is_usage(self) -> bool:
        return self.name.kind == "usage"


@dataclass(frozen=True)
class Skipped:
    uri: str
    reason: str


@dataclass(frozen=True)
class LedgerEntry:
    """What the ledger knows of an object that has landed."""

    size: int
    checksum: str


@dataclass(frozen=True)
class Plan:
    """`load` is new; `check` is in the ledger by name, so its content must be compared.

    `conflicts`: files whose name can't be used, since it is that of another or no text.
    """

    load: list[LogObject]
    check: list[LogObject]
    skipped: list[Skipped]
    conflicts: dict[str, str]


@dataclass(frozen=True)
class Batch:
    """Objects that land in one transaction; `job_id` depends on nothing but them."""

    objects: list[LogObject]

    @property
    def job_id(self) -> str:
        lines = sorted(f"{each.uri} {each.size}" for each in self.objects)
        return "pullstats_" + hashlib.sha256("\n".join(lines).encode()).hexdigest()[:32]


def find(sources: Iterable[Path]) -> Iterator[Path]:
    """List the files of the sources: a directory stands for all files below it."""
    for source in sources:
        if source.is_dir():
            yield from sorted(path for path in source.rglob("*") if not path.is_dir())
        else:
            yield source


def make(paths: Iterable[Path], ledger: Mapping[str, LedgerEntry]) -> Plan:
    """Sort files into those to load, those to compare with the ledger, and the rest."""
    plan = Plan([], [], [], {})
    seen: dict[str, Path] = {}
    for path in paths:
        name = parse(path.name)
        # what the file system gives for bytes that are not UTF-8 can't be printed or stored
        shown = str(path).encode(errors="backslashreplace").decode()
        if name is None:
            plan.skipped.append(Skipped(shown, "its name is not that of a log object"))
        elif shown != str(path):
            plan.conflicts[shown] = "its name is not UTF-8"
        elif path.name in seen and path.exists():
            if filecmp.cmp(path, seen[path.name], shallow=False):
                plan.skipped.append(Skipped(str(path), f"named as {seen[path.name]} is"))
            else:
                plan.conflicts[str(path)] = f"is named as {seen[path.name]}, with other content"
        else:
            seen[path.name] = path
            size = path.stat().st_size if path.exists() else 0
            entry = LogObject(path.name, path, size, name)
            (plan.check if path.name in ledger else plan.load).append(entry)
    return plan


def batches(objects: Iterable[LogObject], max_objects: int, max_bytes: int) -> Iterator[Batch]:
    """Cut objects, oldest hour first, into batches within both limits."""
    batch: list[LogObject] = []
    size = 0
    for each in sorted(objects, key=lambda each: (each.name.hour, each.uri)):
        if batch and (len(batch) >= max_objects or size + each.size > max_bytes):
            yield Batch(batch)
            batch, size = [], 0
        batch.append(each)
        size += each.size
    if batch:
        yield Batch(batch)

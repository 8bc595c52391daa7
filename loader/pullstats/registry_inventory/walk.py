"""Walks a registry, and writes what it lists as the rows that land."""

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from datetime import UTC, datetime
from itertools import product
from pathlib import Path
from typing import Any, TextIO
from uuid import uuid4

from pullstats import schemas
from pullstats.output import shown
from pullstats.registry_inventory.manifests import AnswerError, Manifest
from pullstats.registry_inventory.registry import Listing, Registry, UnavailableError

# The ledger is last: what it doesn't name has not landed.
TABLES = ("manifests", "manifest_blobs", "inventory_errors", "inventories")
# What is kept in memory until a repository, or the registry, is done.
MAX_MANIFESTS = 250_000
MAX_REPOSITORIES = 1_000_000


class Walk:
    """One inventory of a target: of what is at and below a path of a registry, or of all of it."""

    def __init__(self, registry: Registry, host: str, path: str) -> None:
        self._registry = registry
        self._path = path
        self.host = host
        self.target = f"{host}/{path}".rstrip("/")
        self._row: dict[str, object] = {
            "inventory_id": uuid4().hex,
            "target": self.target,
            "listed_at": _now(),
            "registry_host": host,
        }
        self._known: set[tuple[Any, ...]] = set()
        self._columns = {table: schemas.columns(table) for table in TABLES}
        self._files: Mapping[str, TextIO] = {}
        self.repositories = self.manifests = 0
        self.errors: dict[tuple[str, str | None], str] = {}

    def find(self) -> Iterator[tuple[str, Listing | None]]:
        """Name the repositories: by the children of the path, where it lists them, or the catalog.

        gcr.io lists the children of any path, while its catalog is that of all projects.
        """
        self._registry.check()
        listing = refusal = None
        if self._path:
            try:
                listing = self._registry.listing(self._path)
            except AnswerError as error:
                refusal = error
            if listing and listing.children is not None:
                yield from self._find_below(listing)
                return
        try:
            catalog = sorted(set(self._registry.catalog()))
        except AnswerError as error:
            if not listing:
                raise UnavailableError(str(error)) from error
            self._set_aside(self._path, None, f"what is below it can't be listed: {error}")
            yield self._path, listing
            return
        prefix = f"{self._path}/" if self._path else ""
        names = [name for name in catalog if f"{name}/".startswith(prefix)]
        if refusal and not names:
            raise UnavailableError(str(refusal))
        yield from ((name, None) for name in names)

    def _find_below(self, listing: Listing) -> Iterator[tuple[str, Listing | None]]:
        names = [self._path]
        for name in names:
            try:
                found = listing if name == self._path else self._registry.listing(name)
            except AnswerError as error:
                self._set_aside(name, None, str(error))
                continue
            names += sorted({f"{name}/{child}" for child in found.children or []})
            if len(names) > MAX_REPOSITORIES:
                raise UnavailableError(f"more than {MAX_REPOSITORIES:,} repositories")
            if found.tags or found.untagged:
                yield name, found

    def run(self, folder: Path, known: set[tuple[Any, ...]]) -> dict[str, Path]:
        """Write the rows into one file of JSON lines per table; return the files.

        `known`: repository and digest of the manifests whose blobs have landed before.
        """
        self._known = known
        paths = {table: folder / f"{table}.json" for table in TABLES}
        with ExitStack() as stack:
            self._files = {
                table: stack.enter_context(path.open("w")) for table, path in paths.items()
            }
            for name, listing in self.find():
                try:
                    self._list(name, listing or self._registry.listing(name))
                except AnswerError as error:
                    self._set_aside(name, None, str(error))
            for (repository, reference), reason in self.errors.items():
                columns = {"repository": repository, "reference": reference, "reason": reason}
                self._add("inventory_errors", columns)
            counts = {
                "repositories": self.repositories,
                "manifests": self.manifests,
                "errors": len(self.errors),
            }
            self._add("inventories", counts, completed_at=_now())
        return paths

    def _list(self, name: str, listing: Listing) -> None:
        """Write the rows of a repository: its tags, untagged manifests, what indexes list."""
        manifests: dict[str, Manifest] = {}

        def fetch(reference: str, digest: str | None) -> Manifest | None:
            try:
                digest = digest or self._registry.digest(name, reference)
                found = manifests.get(digest or "")
                found = found or self._registry.manifest(name, digest or reference)
            except AnswerError as error:
                self._set_aside(name, reference, str(error))
                return None
            if len(manifests) == MAX_MANIFESTS:
                raise AnswerError(f"more than {MAX_MANIFESTS:,} manifests")
            return manifests.setdefault(found.digest, found)

        tags: dict[str, list[str | None]] = defaultdict(list)
        for tag, digest in sorted(listing.tags.items()):
            if tagged := fetch(tag, digest):
                tags[tagged.digest].append(tag)
        for digest in listing.untagged:
            fetch(digest, digest)
        places: dict[str, dict[tuple[str | None, str | None], None]] = defaultdict(dict)
        todo = list(manifests.values())
        for index in todo:
            for digest, on in index.children:
                places[digest][index.digest, on] = None
                if digest not in manifests and (child := fetch(digest, digest)):
                    todo.append(child)
        for digest, manifest in manifests.items():
            in_indexes = [*places[digest]] or [(None, None)]
            for (index_digest, platform), each in product(in_indexes, tags[digest] or [None]):
                row = {"index_digest": index_digest, "platform": platform, "tag": each}
                self._add("manifests", manifest.columns | row, repository=name)
            for blob in manifest.blobs if (name, digest) not in self._known else ():
                self._add("manifest_blobs", blob, repository=name, manifest_digest=digest)
        self.repositories += 1
        self.manifests += len(manifests)

    def _set_aside(self, name: str, reference: str | None, reason: str) -> None:
        self.errors[shown(name), reference and shown(reference)] = shown(reason)

    def _add(self, table: str, columns: Mapping[str, object], **more: object) -> None:
        row = {**self._row, **columns, **more}
        self._files[table].write(
            json.dumps({name: row[name] for name in self._columns[table]}) + "\n"
        )


def _now() -> str:
    return f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S.%f}"

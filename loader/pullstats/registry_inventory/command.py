"""The command `pullstats inventory`: lands what registries hold, target by target."""

import os
import re
import signal
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager, nullcontext
from pathlib import Path
from types import FrameType

import click

from pullstats.output import counted, say
from pullstats.registry_inventory.registry import REPOSITORY, Login, Registry, UnavailableError
from pullstats.registry_inventory.walk import TABLES, Walk
from pullstats.warehouses import Warehouse, on_either, open_warehouse

EXIT_SET_ASIDE = 3
EXIT_UNAVAILABLE = 4
_HOST = re.compile(r"(?:[a-z0-9.-]+|\[[0-9a-f:]+\])(?::[0-9]{1,5})?")


@click.command(
    epilog="""\b
Examples:
  pullstats inventory --dry-run gcr.io/my-project
  pullstats inventory gcr.io/my-project registry.example.com/team 127.0.0.1:5000

\b
Exit codes:
  0  all landed
  1  a file, network or permission failed
  2  wrong usage
  3  something was set aside: storageanalysis.inventory_errors names it; all else landed
  4  a registry can't be reached or listed: nothing of it landed, the other targets did"""
)
@click.argument("targets", nargs=-1, required=True, metavar="TARGET...")
@click.option("--plain-http", is_flag=True, help="Use no TLS, even for other machines.")
@click.option("--dry-run", is_flag=True, help="List the repositories; land nothing.")
@click.option(
    "--max-minutes",
    type=click.FloatRange(0, min_open=True),
    default=240,
    show_default=True,
    help="Give up a target after this time.",
)
@on_either
def command(
    targets: tuple[str, ...],
    plain_http: bool,
    dry_run: bool,
    max_minutes: float,
    to: str,
    database: Path,
) -> int:
    """Land the tags, manifests, and blobs that registries list.

    TARGET is HOST[:PORT][/PATH]. The variables PULLSTATS_REGISTRY_USER and
    PULLSTATS_REGISTRY_PASSWORD hold the login of one registry. If it gets its tokens from another
    host, PULLSTATS_REGISTRY_REALM names their URL.
    """
    places = [target(text) for text in targets]
    login = credentials({host for host, _ in places})
    code = 0
    # opened first, so that another process can't lock the database while the registry is listed
    opened = None if dry_run else open_warehouse(to, database, tables=TABLES)
    with closing(opened) if opened else nullcontext() as warehouse:
        for host, path in places:
            walk = Walk(Registry(host, plain_http, login), host, path)
            try:
                _take(walk, max_minutes, warehouse)
            except UnavailableError as error:
                say(f"{walk.target}: not listed: {error}", err=True)
                code = EXIT_UNAVAILABLE
            for (name, reference), reason in walk.errors.items():
                place = f"{host}/{name} {reference or ''}".rstrip()
                say(f"{place}: set aside: {reason}", err=True)
                code = max(code, EXIT_SET_ASIDE)
    return code


def target(text: str) -> tuple[str, str]:
    """Split a target into host and path; a project scoped to a domain may have its colon."""
    host, _, path = text.lower().removesuffix("/").partition("/")
    if host.endswith("gcr.io"):
        path = re.sub(r"^([^/:]+\.[^/:]+):", r"\1/", path)
    if not _HOST.fullmatch(host) or (path and not REPOSITORY.fullmatch(path)):
        raise click.UsageError(f"{text!r} is not HOST[:PORT][/PATH]")
    return host, path


def credentials(hosts: set[str]) -> Login | None:
    """Return the login of the environment. Each host has its own: another must not see it."""
    names = ("PULLSTATS_REGISTRY_USER", "PULLSTATS_REGISTRY_PASSWORD")
    user, password = (os.environ.get(name, "") for name in names)
    if bool(user) != bool(password):
        raise ValueError(f"{' and '.join(names)} go together: set both or none")
    if user and len(hosts) > 1:
        raise click.UsageError(
            f"{names[0]} is the login of one registry, not of {len(hosts)}: name one host a command"
        )
    return Login(user, password, os.environ.get("PULLSTATS_REGISTRY_REALM")) if user else None


@contextmanager
def deadline(minutes: float) -> Iterator[None]:
    """Raise UnavailableError after this time, whatever is waited for."""

    def end(_: int, __: FrameType | None) -> None:
        raise UnavailableError(f"not done in {minutes:g} minutes: see --max-minutes")

    before = signal.signal(signal.SIGALRM, end)
    # every second from then on, in case other code catches the first one
    signal.setitimer(signal.ITIMER_REAL, minutes * 60, 1)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _take(walk: Walk, max_minutes: float, warehouse: Warehouse | None) -> None:
    """Land an inventory; without a warehouse only name the repositories."""
    if not warehouse:
        with deadline(max_minutes):
            for name, _ in walk.find():
                say(f"{walk.host}/{name}")
        return
    # a manifest never changes, so its blobs land once: with the first inventory that finds it
    known = warehouse.query(
        f"select distinct repository, manifest_digest from {warehouse.raw}.manifest_blobs"
        f" where registry_host = '{walk.host}'"
        f" and inventory_id in (select inventory_id from {warehouse.raw}.inventories)"
    )
    with tempfile.TemporaryDirectory(prefix="pullstats-") as folder:
        with deadline(max_minutes):
            files = walk.run(Path(folder), set(known))
        warehouse.load_rows(files)
    say(
        f"{walk.target}: {counted(walk.repositories, 'repository')},"
        f" {counted(walk.manifests, 'manifest')} landed,"
        f" {len(walk.errors):,} set aside"
    )

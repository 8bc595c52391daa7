"""The command `pullstats inventory`: lands what registries hold."""

import os
import re
import signal
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import click
from rich.progress import Progress

from pullstats.output import err, say
from pullstats.registry_inventory.landing import Landing
from pullstats.registry_inventory.registry import REPOSITORY, Login, Registry, UnavailableError
from pullstats.registry_inventory.walk import Walk

EXIT_SET_ASIDE = 3
EXIT_UNAVAILABLE = 4
_HOST = re.compile(r"(?:[a-z0-9.-]+|\[[0-9a-f:]+\])(?::[0-9]{1,5})?")


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
    # again and again, in case that something swallows the first
    signal.setitimer(signal.ITIMER_REAL, minutes * 60, 1)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def run(
    targets: Iterable[str],
    plain_http: bool,
    max_minutes: float,
    open_landing: Callable[[], Landing] | None,
) -> int:
    """Take each target in turn; exit codes: 0 success, 3 something set aside, 4 a target unseen.

    Without a landing the repositories are only named.
    """
    places = [target(text) for text in targets]
    login = credentials({host for host, _ in places})
    landing = open_landing() if open_landing else None
    codes = {0}
    try:
        for host, path in places:
            walk = Walk(Registry(host, plain_http, login), host, path)
            try:
                _take(walk, max_minutes, landing)
            except UnavailableError as error:
                say(f"{walk.target}: not listed: {error}", err)
                codes.add(EXIT_UNAVAILABLE)
            for (name, reference), reason in walk.errors.items():
                place = f"{host}/{name} {reference or ''}".rstrip()
                say(f"{place}: set aside: {reason}", err)
                codes.add(EXIT_SET_ASIDE)
    finally:
        if landing:
            landing.close()
    return max(codes)


def _take(walk: Walk, max_minutes: float, landing: Landing | None) -> None:
    if not landing:
        with deadline(max_minutes):
            for name, _ in walk.find():
                say(f"{walk.host}/{name}")
        return
    with (
        tempfile.TemporaryDirectory(prefix="pullstats-") as folder,
        Progress(console=err, disable=not err.is_terminal) as progress,
    ):
        task = progress.add_task(f"listing {walk.target}", total=None)
        known = landing.known(walk.host)
        with deadline(max_minutes):
            files = walk.run(Path(folder), known, lambda: progress.advance(task))
        landing.land(files)
    say(
        f"{walk.target}: {walk.repositories:,} repositories, {walk.manifests:,} manifests landed,"
        f" {len(walk.errors):,} set aside"
    )

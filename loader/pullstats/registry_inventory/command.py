"""The command `pullstats inventory`: lands what registries hold."""

import os
import re
import sys
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path

import click
from rich.console import Console
from rich.progress import Progress

from pullstats.registry_inventory.landing import Landing
from pullstats.registry_inventory.registry import REPOSITORY, Registry, UnavailableError
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


def credentials() -> tuple[str, str] | None:
    names = ("PULLSTATS_REGISTRY_USER", "PULLSTATS_REGISTRY_PASSWORD")
    user, password = (os.environ.get(name, "") for name in names)
    if bool(user) != bool(password):
        raise ValueError(f"{' and '.join(names)} go together: set both or none")
    return (user, password) if user else None


def run(
    targets: Iterable[str], plain_http: bool, open_landing: Callable[[], Landing] | None
) -> int:
    """Take each target in turn; exit codes: 0 success, 3 something set aside, 4 a target unseen.

    Without a landing the repositories are only named.
    """
    places, login = [target(text) for text in targets], credentials()
    landing = open_landing() if open_landing else None
    codes = {0}
    try:
        for host, path in places:
            walk = Walk(Registry(host, plain_http, login), host, path)
            try:
                _take(walk, landing)
            except UnavailableError as error:
                _complain(f"{walk.target}: not listed: {error}")
                codes.add(EXIT_UNAVAILABLE)
            for (name, reference), reason in walk.errors.items():
                _complain(
                    f"{host}/{name} {reference or ''}: set aside: {reason}".replace(" :", ":")
                )
                codes.add(EXIT_SET_ASIDE)
    finally:
        if landing:
            landing.close()
    return max(codes)


def _take(walk: Walk, landing: Landing | None) -> None:
    if not landing:
        for name in walk.find():
            print(f"{walk.host}/{name}")
        return
    console = Console(stderr=True)
    with (
        tempfile.TemporaryDirectory(prefix="pullstats-") as folder,
        Progress(console=console, disable=not console.is_terminal) as progress,
    ):
        task = progress.add_task(f"listing {walk.target}", total=None)
        files = walk.run(
            Path(folder),
            landing.known(walk.host),
            lambda done, total: progress.update(task, completed=done, total=total),
        )
        landing.land(files)
    print(
        f"{walk.target}: {walk.repositories:,} repositories, {walk.manifests:,} manifests landed,"
        f" {len(walk.errors):,} set aside"
    )


def _complain(text: str) -> None:
    print(text, file=sys.stderr)

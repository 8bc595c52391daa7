"""The command `pullstats inventory`: lands what registries hold."""

import argparse
import os
import re
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from rich.console import Console
from rich.progress import Progress

from inventory.landing import Landing
from inventory.registry import REPOSITORY, Registry, UnavailableError
from inventory.walk import Walk

EXIT_SET_ASIDE = 3
EXIT_UNAVAILABLE = 4
_HOST = re.compile(r"(?:[a-z0-9.-]+|\[[0-9a-f:]+\])(?::[0-9]{1,5})?")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "target", nargs="+", type=target, help="HOST[:PORT], or with a path HOST/PROJECT[/…]"
    )
    parser.add_argument(
        "--dry-run", action="store_true", help="name the repositories, land nothing"
    )
    parser.add_argument(
        "--plain-http",
        action="store_true",
        help="no TLS, even if the registry isn't on this machine",
    )


def target(text: str) -> tuple[str, str]:
    """Split a target into host and path; a project scoped to a domain may have its colon."""
    host, _, path = text.lower().removesuffix("/").partition("/")
    if host.endswith("gcr.io"):
        path = re.sub(r"^([^/:]+\.[^/:]+):", r"\1/", path)
    if not _HOST.fullmatch(host) or (path and not REPOSITORY.fullmatch(path)):
        raise argparse.ArgumentTypeError(f"{text!r} is not HOST[:PORT][/PATH]")
    return host, path


def credentials() -> tuple[str, str] | None:
    names = ("PULLSTATS_REGISTRY_USER", "PULLSTATS_REGISTRY_PASSWORD")
    user, password = (os.environ.get(name, "") for name in names)
    if bool(user) != bool(password):
        raise ValueError(f"{' and '.join(names)} go together: set both or none")
    return (user, password) if user else None


def run(options: argparse.Namespace, open_landing: Callable[[], Landing]) -> int:
    """Take each target in turn; exit codes: 0 well, 3 something set aside, 4 a target unseen."""
    login = credentials()
    landing = None if options.dry_run else open_landing()
    codes = {0}
    try:
        for host, path in options.target:
            walk = Walk(Registry(host, options.plain_http, login), host, path)
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

"""The command `pullstats inventory`: lands tags, manifests and the blobs that they name."""

from functools import partial
from pathlib import Path

import click

from pullstats.schemas import Table
from pullstats.warehouses import on_either, open_warehouse

# The ledger is last: what it doesn't name has not landed.
TABLES: tuple[Table, ...] = ("manifests", "manifest_blobs", "inventory_errors", "inventories")


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
@click.option("--plain-http", is_flag=True, help="No TLS, even if the registry is elsewhere.")
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
    """Land what registries hold: tags, manifests, blobs. TARGET is HOST[:PORT][/PATH].

    The variables PULLSTATS_REGISTRY_USER and PULLSTATS_REGISTRY_PASSWORD hold the login of one
    registry. If it gets its tokens from another host, PULLSTATS_REGISTRY_REALM names their URL.
    """
    from pullstats.registry_inventory.targets import run  # needs an extra

    # a database that is open can be written when all is listed
    opening = None if dry_run else partial(open_warehouse, to, database, tables=TABLES)
    return run(targets, plain_http, max_minutes, opening)

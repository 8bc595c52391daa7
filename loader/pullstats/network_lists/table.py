"""The command `pullstats networks`: all lists of one command, in place of those before."""

import json
import tempfile
from collections.abc import Iterable
from contextlib import closing
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import click

from pullstats.network_lists.lists import BLOCK_PREFIX, read
from pullstats.output import say
from pullstats.schemas import Table
from pullstats.warehouses import on_either, open_warehouse

TABLES: tuple[Table, ...] = ("networks",)


@click.command()
@click.argument("lists", nargs=-1, required=True, metavar="FILE...", type=Path)
@on_either
def command(lists: tuple[Path, ...], to: str, database: Path) -> None:
    """Land lists of networks, in place of those before: clouds, ASNs and countries of clients.

    A FILE is what Google, AWS or Azure publish (JSON), or an ASN or country database (MMDB).
    """
    with tempfile.TemporaryDirectory(prefix="pullstats-") as folder:
        rows = Path(folder) / "networks.jsonl"
        counts = write(rows, lists)
        with closing(open_warehouse(to, database, tables=TABLES)) as warehouse:
            warehouse.load_rows({"networks": rows}, replace=True)
    for name, count in counts.items():
        say(f"{name}: {count:,} networks")


def write(rows: Path, lists: Iterable[Path]) -> dict[str, int]:
    """Write the networks of the lists as JSON lines; return how many each list has.

    A network has a number of blocks that is a power of two, and starts at a multiple of it: a join
    finds it by equality.
    """
    counts = {}
    loaded_at = f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S.%f}"
    with rows.open("w", encoding="utf-8") as file:
        for path in lists:
            networks = read(path)
            counts[str(path)] = len(networks)
            for network, facts in networks:
                prefix = BLOCK_PREFIX[network.version]
                row = {
                    "list_name": path.name,
                    "network": str(network),
                    "ip_version": network.version,
                    "first_block": int(network.network_address) >> network.max_prefixlen - prefix,
                    "block_count": 1 << prefix - network.prefixlen,
                    **asdict(facts),
                    "loaded_at": loaded_at,
                }
                file.write(json.dumps(row) + "\n")
    return counts

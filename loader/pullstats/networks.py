"""The command `pullstats networks`: replaces the lists of networks.

Lists are what clouds publish, and databases of ASNs or countries. Clients are known by /24 (IPv4)
and /48 (IPv6), so these are the unit: a block.
"""

import json
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import asdict
from datetime import UTC, datetime
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Annotated, Any

import click
from pydantic import Field, ValidationError
from pydantic.dataclasses import dataclass

from pullstats.output import counted, say
from pullstats.validation import Text, fault
from pullstats.warehouses import on_either, open_warehouse

TABLES = ("networks",)
BLOCK_PREFIX = {4: 24, 6: 48}


@dataclass(frozen=True, config={"strict": True})
class Facts:
    """A network in a list."""

    cloud: str | None = None
    cloud_region: Text | None = None
    asn: Annotated[int, Field(ge=0, lt=2**32)] | None = None
    as_organization: Text | None = None
    country: Annotated[str, Field(pattern="^[A-Z]{2}$")] | None = None


Network = IPv4Network | IPv6Network
Listed = tuple[Network, Facts]


class UnknownListError(ValueError):
    """A file that is none of the lists."""


@click.command()
@click.argument("lists", nargs=-1, required=True, metavar="FILE...", type=Path)
@on_either
def command(lists: tuple[Path, ...], to: str, database: Path) -> None:
    """Replace the lists of networks of clouds, ASNs, and countries.

    A FILE is what Google, AWS or Azure publish (JSON), or an ASN or country database (MMDB).
    """
    with tempfile.TemporaryDirectory(prefix="pullstats-") as folder:
        rows = Path(folder) / "networks.jsonl"
        counts = write(rows, lists)
        with closing(open_warehouse(to, database, tables=TABLES)) as warehouse:
            warehouse.load_rows({"networks": rows}, replace=True)
    for name, count in counts.items():
        say(f"{name}: {counted(count, 'network')}")


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


def read(path: Path) -> list[Listed]:
    """Return the networks of a file. Raises UnknownListError if it is none of the lists."""
    try:
        return in_blocks(_mmdb(path) if path.suffix == ".mmdb" else _json(path))
    except ValidationError as error:
        raise UnknownListError(f"{path}: {fault(error)}") from error
    except (ValueError, LookupError, TypeError, RecursionError, RuntimeError) as error:
        what = str(error) or type(error).__name__
        raise UnknownListError(f"{path}: none of the known lists: {what}") from error


def in_blocks(listed: Iterable[Listed]) -> list[Listed]:
    """Return networks of whole blocks.

    Where a list knows only parts of a block, the block has their facts if all parts agree.
    """
    whole: dict[Listed, None] = {}
    parts: dict[Network, set[Facts]] = {}
    for network, facts in listed:
        prefix = BLOCK_PREFIX[network.version]
        if network.prefixlen <= prefix:
            whole[network, facts] = None
        else:
            parts.setdefault(network.supernet(new_prefix=prefix), set()).add(facts)
    networks = {network for network, _ in whole}
    return [*whole] + [
        (block, found.pop())
        for block, found in parts.items()
        if len(found) == 1
        and not any(block.supernet(size) in networks for size in range(block.prefixlen + 1))
    ]


def _json(path: Path) -> Iterator[Listed]:
    match document := json.loads(path.read_bytes()):
        case {"prefixes": [{"ip_prefix": _}, *_], "ipv6_prefixes": _}:
            return _aws(document)
        case {"prefixes": [{"ipv4Prefix": _} | {"ipv6Prefix": _}, *_]}:
            return _google(document)
        case {"cloud": _, "values": [{"properties": {"addressPrefixes": _}}, *_]}:
            return _azure(document)
    raise ValueError("no form that Google, AWS, or Azure publishes")


def _google(document: Any) -> Iterator[Listed]:
    """Read cloud.json, which has regions, and goog.json, all of Google, which has none."""
    is_cloud = any("scope" in each for each in document["prefixes"])
    for each in document["prefixes"]:
        facts = Facts("gcp", _region(each["scope"])) if is_cloud else Facts("google")
        yield _network(each.get("ipv4Prefix") or each["ipv6Prefix"]), facts


def _aws(document: Any) -> Iterator[Listed]:
    for key, field in (("prefixes", "ip_prefix"), ("ipv6_prefixes", "ipv6_prefix")):
        for each in document[key]:
            yield _network(each[field]), Facts("aws", _region(each["region"]))


def _azure(document: Any) -> Iterator[Listed]:
    """Read service tags. Many tags list one network; some of them have no region."""
    found: dict[str, set[str]] = {}
    for each in document["values"]:
        properties = each["properties"]
        for prefix in properties["addressPrefixes"]:
            found.setdefault(prefix, set()).add(properties.get("region") or "")
    for prefix, names in found.items():
        regions = names - {""}
        yield _network(prefix), Facts("azure", regions.pop() if len(regions) == 1 else None)


def _region(name: Any) -> Any:
    return None if str(name).lower() == "global" else name


def _network(text: Any) -> Network:
    if not isinstance(text, str):  # ip_network takes a number, too
        raise ValueError(f"{text!r:.90} is no network")
    return ip_network(text)


def _mmdb(path: Path) -> Iterator[Listed]:
    import maxminddb

    is_known = False
    with maxminddb.open_database(path) as database:
        for network, record in database:
            match record:
                case {"autonomous_system_number": asn}:
                    organization = record.get("autonomous_system_organization")
                    facts = Facts(asn=asn, as_organization=organization or None)
                case {"country_code": code} | {"country": {"iso_code": code}} if code:
                    facts = Facts(country=code)
                case _:  # GeoLite2 has records with a continent only
                    continue
            is_known = True
            yield network, facts
    if not is_known:
        raise ValueError("no record has an ASN or a country")

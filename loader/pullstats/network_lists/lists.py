"""Lists of networks: what clouds publish, and databases of ASNs or countries.

Clients are known by /24 (IPv4) and /48 (IPv6), so these are the unit: a block. A network is a
number of blocks that is a power of two and starts at a multiple of itself, which a join finds by
equality.
"""

import json
from collections.abc import Iterable, Iterator
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Annotated, Any, NamedTuple

from pydantic import Field, ValidationError
from pydantic.dataclasses import dataclass

from pullstats.validation import Text, fault

_BITS = {4: 32, 6: 128}
_BLOCK_PREFIX = {4: 24, 6: 48}


@dataclass(frozen=True, config={"strict": True})
class Facts:
    """A network in a list."""

    cloud: str | None = None
    cloud_region: Text | None = None
    asn: Annotated[int, Field(ge=0, lt=2**32)] | None = None
    as_organization: Text | None = None
    country: Annotated[str, Field(pattern="^[A-Z]{2}$")] | None = None


class Range(NamedTuple):
    """Addresses from first to last, as a list has them."""

    ip_version: int
    first: int
    last: int
    facts: Facts


class Network(NamedTuple):
    """Blocks with their facts: a row of the table."""

    ip_version: int
    first_block: int
    block_count: int
    facts: Facts


class UnknownListError(ValueError):
    """A file that is none of the lists."""


def read(path: Path) -> list[Network]:
    """Return the networks of a file, whichever of the lists it is; else UnknownListError."""
    try:
        return list(in_blocks(_mmdb(path) if path.suffix == ".mmdb" else _json(path)))
    except UnknownListError:
        raise
    except ValidationError as error:
        raise UnknownListError(f"{path}: {fault(error)}") from error
    except (ValueError, LookupError, TypeError, RecursionError, RuntimeError) as error:
        what = str(error) or type(error).__name__
        raise UnknownListError(f"{path}: none of the known lists: {what}") from error


def in_blocks(ranges: Iterable[Range]) -> Iterator[Network]:
    """Cut ranges into networks of whole blocks.

    Where a list knows only parts of a block, the block has their facts if all parts agree.
    """
    whole: set[tuple[int, int, int]] = set()
    parts: dict[tuple[int, int], set[Facts]] = {}
    for version, first, last, facts in ranges:
        shift = _BITS[version] - _BLOCK_PREFIX[version]
        begin, end = -(-first >> shift), last + 1 >> shift
        for block in {first >> shift, last >> shift}:
            if not begin <= block < end:
                parts.setdefault((version, block), set()).add(facts)
        while begin < end:
            count = min(begin & -begin or 1 << 48, 1 << (end - begin).bit_length() - 1)
            whole.add((version, begin, count))
            yield Network(version, begin, count, facts)
            begin += count
    for (version, block), found in parts.items():
        sizes = (1 << bits for bits in range(_BLOCK_PREFIX[version] + 1))
        is_covered = any((version, block - block % size, size) in whole for size in sizes)
        if len(found) == 1 and not is_covered:
            yield Network(version, block, 1, found.pop())


def cidr(network: Network) -> str:
    """Return the network as people write it."""
    shift = _BITS[network.ip_version] - _BLOCK_PREFIX[network.ip_version]
    length = _BLOCK_PREFIX[network.ip_version] - network.block_count.bit_length() + 1
    kind = IPv4Network if network.ip_version == 4 else IPv6Network
    return str(kind((network.first_block << shift, length)))


def _json(path: Path) -> Iterator[Range]:
    match document := json.loads(path.read_bytes()):
        case {"prefixes": [{"ip_prefix": _}, *_], "ipv6_prefixes": _}:
            return _aws(document)
        case {"prefixes": [{"ipv4Prefix": _} | {"ipv6Prefix": _}, *_]}:
            return _google(document)
        case {"cloud": _, "values": [{"properties": {"addressPrefixes": _}}, *_]}:
            return _azure(document)
    raise UnknownListError(f"{path}: no list of Google, AWS or Azure")


def _google(document: Any) -> Iterator[Range]:
    """Read cloud.json, which has regions, and goog.json, all of Google, which has none."""
    is_cloud = any("scope" in each for each in document["prefixes"])
    for each in document["prefixes"]:
        facts = Facts("gcp", _region(each["scope"])) if is_cloud else Facts("google")
        yield _range(each.get("ipv4Prefix") or each["ipv6Prefix"], facts)


def _aws(document: Any) -> Iterator[Range]:
    for each in document["prefixes"]:
        yield _range(each["ip_prefix"], Facts("aws", _region(each["region"])))
    for each in document["ipv6_prefixes"]:
        yield _range(each["ipv6_prefix"], Facts("aws", _region(each["region"])))


def _azure(document: Any) -> Iterator[Range]:
    """Read service tags. Many tags list one network; some of them have no region."""
    found: dict[str, set[str]] = {}
    for each in document["values"]:
        properties = each["properties"]
        for prefix in properties["addressPrefixes"]:
            found.setdefault(prefix, set()).add(properties.get("region") or "")
    for prefix, names in found.items():
        regions = names - {""}
        yield _range(prefix, Facts("azure", regions.pop() if len(regions) == 1 else None))


def _region(name: Any) -> Any:
    return None if str(name).lower() == "global" else name


def _mmdb(path: Path) -> Iterator[Range]:
    import maxminddb

    is_known = False
    with maxminddb.open_database(path) as database:
        for network, record in database:
            # GeoLite2 has records with a continent only
            if facts := _facts(record):
                is_known = True
                first, last = int(network.network_address), int(network.broadcast_address)
                yield Range(network.version, first, last, facts)
    if not is_known:
        raise UnknownListError(f"{path}: no record has an ASN or a country")


def _facts(record: Any) -> Facts | None:
    match record:
        case {"autonomous_system_number": asn}:
            organization = record.get("autonomous_system_organization")
            return Facts(asn=asn, as_organization=organization or None)
        case {"country_code": country} | {"country": {"iso_code": country}}:
            return Facts(country=country) if country else None
    return None


def _range(text: Any, facts: Facts) -> Range:
    if not isinstance(text, str):  # ip_network takes a number, too
        raise ValueError(f"{text!r:.90} is no network")
    network = ip_network(text)
    return Range(
        network.version, int(network.network_address), int(network.broadcast_address), facts
    )

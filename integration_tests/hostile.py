"""Raw that is damaged or made up to do harm, for tests on either engine.

Changes are of a plain record. The rows of other tables are as another program may land them.
"""

import json
from collections.abc import Iterable

from pullstats import csv_log

PAYLOAD = "\x1b]0;owned\x07\u202e'; drop table x; -- {{ 1 / 0 }} <img src=x onerror=alert(1)>"
MANY = 10**18 - 1
DIGEST = f"sha256:{'e' * 64}"
TIMESTAMPS = [
    *("9999-12-31T23:59:59Z", "0001-01-01T00:00:00Z", "0000-01-01T00:00:00Z", "infinity", "soon"),
    *("10000-01-01T00:00:00Z", "294246-01-01T00:00:00Z", "0044-03-15 (BC)", "-infinity", "epoch"),
    *("2009-12-31T23:59:59Z", "9000-01-01T00:00:00Z", "1969-12-31T23:59:59.999999Z"),
]
STORAGE_DAYS = (("9999", MANY), ("0001", -1), ("2024", MANY))


def changes(texts: Iterable[str]) -> list[dict[str, int | str | None]]:
    """Give what to change in a record of usage; `texts`: which columns have strange texts, too."""
    numbers = (name for name, kind in csv_log.USAGE_COLUMNS.items() if kind == "INT64")
    return [
        *({name: number} for name in numbers for number in (MANY, -MANY, None, 0)),
        *({"time_micros": micros} for micros in (1, -1, 2**57, 253402300799999999, 10**17)),
        *({name: text} for name in texts for text in (f"{name} {PAYLOAD}", "x" * 20_000)),
    ]


def inventory(registry_host: str, largest: int) -> dict[str, list[dict[str, object]]]:
    """Give the tables of an inventory; `largest`: how many blobs of the largest size it lists."""
    place = {"inventory_id": "hostile", "registry_host": registry_host, "repository": "team/app"}
    place |= {"manifest_digest": DIGEST, "media_type": PAYLOAD}
    moment = "2024-06-04 00:00:00"
    return {
        "manifests": [
            place
            | {"listed_at": moment, "tag": tag, "config_bytes": size}
            | {"layer_count": size, "manifest_bytes": size}
            for tag, size in (("v1", 2**63 - 1), ("v2", -1))
        ],
        "manifest_blobs": [
            place | {"role": "layer", "position": position, "digest": DIGEST, "size_bytes": size}
            for position, size in enumerate([2**63 - 1, 2**63 - 1, -1, *[2**50] * largest])
        ],
        "inventories": [
            {"inventory_id": "hostile", "target": registry_host, "listed_at": moment}
            | {"completed_at": moment, "repositories": 1, "manifests": 2, "errors": 0}
        ],
    }


def networks() -> list[dict[str, object]]:
    """Give networks of which none has an address."""
    blocks = ((0, 0), (-1, 1), (1, -1), (2**63 - 1, 2**63 - 1), (-(2**63), 2**62))
    return [
        {"list_name": PAYLOAD, "network": PAYLOAD, "cloud": PAYLOAD, "country": PAYLOAD}
        | {"ip_version": version, "first_block": first, "block_count": count, "asn": MANY}
        | {"loaded_at": "2024-06-04 00:00:00"}
        for version in (4, 6, -1)
        for first, count in blocks
    ]


def lines(rows: list[dict[str, object]]) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)

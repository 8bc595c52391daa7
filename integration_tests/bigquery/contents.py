"""The rows of models, to compare what two builds or two engines made."""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from integration_tests.bigquery.rest import Api
from integration_tests.emulators import PROJECT
from integration_tests.project import ROOT

# What two builds at different moments give differently, whatever the engine.
CLOCKS = {
    "int_blobs": {
        *("changed_at", "kind_changed_at", "image_changed_at"),
        *("former_blob_kind", "former_image"),
    },
    "int_manifest_configs": {"changed_at"},
}
SCHEMAS = {"staging": "pullstats_staging", "intermediate": "pullstats_intermediate"}
MODELS = {
    path.stem: SCHEMAS.get(path.relative_to(ROOT / "models").parts[0], "pullstats")
    for path in sorted((ROOT / "models").rglob("*.sql"))
    # parts of queries, which are no tables, and what a build remembers
    if path.parent.name not in ("report", "build_days")
}
Row = Sequence[Any]


class Content:
    """The rows of a model, whatever their order; null is not ''."""

    def __init__(self, model: str, names: Sequence[str], found: Sequence[Row]) -> None:
        left_out = CLOCKS.get(model, set())
        self.names = sorted(set(names) - left_out)
        places = [names.index(name) for name in self.names]
        self.rows = Counter(tuple(in_utc(row[place]) for place in places) for row in found)

    __hash__ = None  # type: ignore[assignment]

    def __eq__(self, other: object) -> bool:
        assert isinstance(other, Content)
        return (self.names, self.rows) == (other.names, other.rows)

    def __sub__(self, other: "Content") -> list[str]:
        """Return the first rows that the other lacks, and the columns that differ."""
        different = []
        for row in list((self.rows - other.rows).elements())[:3]:
            near = min(
                (other.rows - self.rows) or [()],
                key=lambda others: sum(a != b for a, b in zip(row, others, strict=False)),
            )
            pairs = zip(self.names, row, near or [...] * len(row), strict=False)
            different.append(str({name: (a, b) for name, a, b in pairs if a != b}))
        return different


def content(api: Api, model: str) -> Content:
    found = api.warehouse.table(f"{PROJECT}.{MODELS[model]}.{model}")
    return Content(model, list(found.types), found.values())


def in_utc(value: Any) -> Any:
    return value.replace(tzinfo=UTC) if isinstance(value, datetime) else value

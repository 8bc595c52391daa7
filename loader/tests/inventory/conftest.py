"""A registry that answers as tests ask, and a client that does not wait between its tries."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from pullstats.registry_inventory import registry
from tests.inventory.registries import FakeRegistry, fake_registry


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "RETRIES", registry.RETRIES.new(backoff_factor=0))
    for name in ("USER", "PASSWORD"):
        monkeypatch.delenv(f"PULLSTATS_REGISTRY_{name}", raising=False)


@pytest.fixture
def fake() -> Iterator[FakeRegistry]:
    with fake_registry() as server:
        yield server


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "inventory.duckdb"

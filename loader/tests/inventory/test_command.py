"""The command line of the inventory: targets, and what a kill leaves."""

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from pullstats.registry_inventory.command import target
from pullstats.registry_inventory.registry import Registry
from tests.inventory.registries import (
    Answer,
    FakeRegistry,
    Request,
    image,
    inventory,
    landed,
    query,
)

Capture = pytest.CaptureFixture[str]
ONE, TWO = image("one"), image("two")


def test_when_only_half_a_login_is_set_then_it_says_so(
    fake: FakeRegistry, database: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.setenv("PULLSTATS_REGISTRY_USER", "me")
    assert inventory(database, fake.host) == 1
    assert "PULLSTATS_REGISTRY_PASSWORD go together" in capsys.readouterr().err


def test_when_it_is_killed_then_nothing_has_landed(fake: FakeRegistry, database: Path) -> None:
    reached, ended = threading.Event(), threading.Event()

    def intercept(request: Request) -> Answer | None:
        if request.path == "/v2/b/tags/list":
            reached.set()
            ended.wait(30)
        return None

    fake.intercept = intercept
    fake.catalog("a", "b")
    fake.repository("a", v1=ONE)
    fake.repository("b", v1=TWO)
    program = Path(sys.executable).with_name("pullstats")
    command = [program, "inventory", "--database", database]
    with subprocess.Popen([*command, fake.host]) as process:
        assert reached.wait(30)
        os.kill(process.pid, signal.SIGKILL)
    ended.set()
    for table in ("manifests", "manifest_blobs", "inventories"):
        assert query(database, f"from {table}") == []
    assert inventory(database, fake.host) == 0
    assert landed(database) == [("a", "v1"), ("b", "v1")]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("gcr.io/globex-prod", ("gcr.io", "globex-prod")),
        ("EU.gcr.io/example.com:proj/team", ("eu.gcr.io", "example.com/proj/team")),
        ("[::1]:5000", ("[::1]:5000", "")),
        ("registry.example.com/team/", ("registry.example.com", "team")),
    ],
)
def test_when_a_target_is_right_then_it_has_a_host_and_a_path(
    text: str, expected: tuple[str, str]
) -> None:
    assert target(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "/",
        "https://gcr.io/a",
        "gcr.io/a:v1",
        "gcr.io/a//b",
        "gcr.io/../a",
        "gcr.io/a b",
        "a:b:1",
    ],
)
def test_when_a_target_is_wrong_then_the_code_is_2(text: str, capsys: Capture) -> None:
    assert inventory(Path("none"), text) == 2
    assert "is not HOST[:PORT][/PATH]" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("host", "plain", "url"),
    [
        ("gcr.io", False, "https://gcr.io/v2/"),
        ("localhost.example.com", False, "https://localhost.example.com/v2/"),
        ("localhost:5000", False, "http://localhost:5000/v2/"),
        ("[::1]", False, "http://[::1]/v2/"),
        ("registry.example.com:5000", True, "http://registry.example.com:5000/v2/"),
    ],
)
def test_when_a_host_is_not_this_machine_then_it_is_spoken_to_over_tls(
    host: str, plain: bool, url: str
) -> None:
    assert Registry(host, plain).url == url

"""What a registry can't make us do: read forever, fill the memory, hand out the login."""

import gzip
import json
import threading
import time
import tracemalloc
from collections.abc import Callable
from itertools import count
from pathlib import Path

import duckdb
import pytest

from pullstats.registry_inventory import registry, walk
from pullstats.registry_inventory.command import EXIT_SET_ASIDE, EXIT_UNAVAILABLE
from pullstats.registry_inventory.manifests import AnswerError
from pullstats.registry_inventory.registry import Login, Registry
from tests.inventory.registries import (
    DOCKER,
    Answer,
    FakeRegistry,
    Request,
    errors,
    fake_registry,
    image,
    index,
    inventory,
    landed,
    query,
)
from tests.inventory.test_access import basic, log_in

Capture = pytest.CaptureFixture[str]
Patch = pytest.MonkeyPatch
ONE, TWO = image("one"), image("two")


def endless(text: str) -> Callable[[Request], Answer | None]:
    """Answer each page of a list with another page, which is always a new one."""
    numbers = count()

    def intercept(request: Request) -> Answer | None:
        path = request.path.partition("?")[0]
        if text not in path:
            return None
        more = {"Link": f'<{path}?last={next(numbers)}>; rel="next"'}
        return Answer(json.dumps({"repositories": ["a"], "tags": ["v1"]}).encode(), 200, more)

    return intercept


def test_when_pages_never_end_then_the_list_does(
    fake: FakeRegistry, database: Path, monkeypatch: Patch, capsys: Capture
) -> None:
    monkeypatch.setattr(registry, "MAX_PAGES", 20)
    fake.intercept = endless("_catalog")
    assert inventory(database, fake.host) == EXIT_UNAVAILABLE
    assert "more than 20 pages" in capsys.readouterr().err
    fake.intercept = endless("a/tags/list")
    fake.catalog("a", "b")
    fake.repository("b", v1=ONE)
    assert inventory(database, fake.host) == EXIT_SET_ASIDE
    assert landed(database) == [("b", "v1")]
    assert len(fake.seen) < 50


def test_when_pages_are_large_then_their_sum_counts(
    fake: FakeRegistry, database: Path, monkeypatch: Patch
) -> None:
    monkeypatch.setattr(registry, "MAX_LIST_BYTES", 1000)
    fake.intercept = endless("a/tags/list")
    fake.catalog("a")
    assert inventory(database, fake.host) == EXIT_SET_ASIDE
    assert "bytes" in errors(database)["a", None]
    assert len(fake.seen) < 40


@pytest.mark.parametrize("is_packed", [False, True])
def test_when_an_answer_is_large_then_the_memory_is_not(
    fake: FakeRegistry, database: Path, is_packed: bool
) -> None:
    content = ONE + b" " * 300_000_000
    fake.catalog("a", "b")
    fake.repository("a", v1=ONE)
    fake.repository("b", v1=TWO)
    head = {"Content-Type": f"{DOCKER}v2+json"}
    if is_packed:
        content, head = gzip.compress(content, 1), head | {"Content-Encoding": "gzip"}
    for path in fake.answers:
        if "/a/manifests/" in path:
            fake.give(path, Answer(content, 200, head))
    tracemalloc.start()
    assert inventory(database, fake.host) == EXIT_SET_ASIDE
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert landed(database) == [("b", "v1")]
    assert list(errors(database).values()) == [
        f"http://{fake.host}/v2/a/manifests/v1: more than 8,388,608 bytes"
    ]
    assert peak < 100_000_000


def test_when_children_have_children_without_end_then_names_end_it(
    fake: FakeRegistry, database: Path
) -> None:
    children = Answer(json.dumps({"child": ["a"], "tags": []}).encode())
    fake.intercept = lambda each: children if "/tags/list" in each.path else None
    assert inventory(database, f"{fake.host}/a") == EXIT_SET_ASIDE
    assert list(errors(database).values()) == ["no name of a repository"]
    assert len(fake.seen) < 256


def test_when_repositories_or_manifests_are_too_many_then_they_are_not_kept(
    fake: FakeRegistry, database: Path, monkeypatch: Patch, capsys: Capture
) -> None:
    monkeypatch.setattr(walk, "MAX_MANIFESTS", 2)
    fake.catalog("a", "b")
    fake.repository("a", v1=index(ONE, TWO))
    for each in (ONE, TWO):
        fake.manifest("a", each)
    fake.repository("b", v1=ONE, v2=TWO)
    assert inventory(database, fake.host) == EXIT_SET_ASIDE
    assert landed(database) == [("b", "v1"), ("b", "v2")]
    assert errors(database) == {("a", None): "more than 2 manifests"}
    monkeypatch.setattr(walk, "MAX_REPOSITORIES", 2)
    fake.give("/v2/c/tags/list", {"child": ["a", "b"], "tags": []})
    assert inventory(database, f"{fake.host}/c") == EXIT_UNAVAILABLE
    assert "more than 2 repositories" in capsys.readouterr().err


def test_when_an_answer_takes_too_long_then_the_target_is_given_up(
    fake: FakeRegistry, database: Path, capsys: Capture
) -> None:
    ended = threading.Event()

    def intercept(request: Request) -> Answer | None:
        if request.path == "/v2/a/tags/list":
            ended.wait(30)
        return None

    fake.intercept = intercept
    fake.catalog("a")
    started = time.monotonic()
    with fake_registry() as other:
        other.catalog("b")
        other.repository("b", v1=ONE)
        arguments = ("--max-minutes", "0.02", fake.host, other.host)
        assert inventory(database, *arguments) == EXIT_UNAVAILABLE
    ended.set()
    assert time.monotonic() - started < 15
    assert f"{fake.host}: not listed: not done in 0.02 minutes" in capsys.readouterr().err
    assert landed(database) == [("b", "v1")]


def test_when_a_registry_asks_for_patience_then_it_gets_little(
    fake: FakeRegistry, database: Path, monkeypatch: Patch
) -> None:
    waits: list[float] = []
    monkeypatch.setattr(time, "sleep", waits.append)
    fake.catalog("a")
    fake.repository("a", v1=ONE)
    busy = Answer(b"", 429, {"Retry-After": "100000"})
    fake.give("/v2/a/manifests/v1", busy)
    assert inventory(database, fake.host) == EXIT_SET_ASIDE
    assert waits
    assert sum(waits) <= 4 * 3 * 30


def test_when_tokens_are_elsewhere_then_the_login_goes_there_only_if_the_user_says_so(
    fake: FakeRegistry, database: Path, monkeypatch: Patch, capsys: Capture
) -> None:
    log_in(monkeypatch, "me", "secret")
    fake.catalog("a")
    fake.repository("a", v1=ONE)
    with fake_registry() as other:
        realm = f"http://{other.host}/token"
        other.give("/token?service=x", {"token": "t"})
        refusal = Answer(b"{}", 401, {"WWW-Authenticate": f'Bearer realm="{realm}",service="x"'})
        fake.intercept = lambda each: None if each.authorization == "Bearer t" else refusal
        for named in ("", f"http://{other.host}/", f"{realm}/other"):
            monkeypatch.setenv("PULLSTATS_REGISTRY_REALM", named)
            assert inventory(database, fake.host) == EXIT_UNAVAILABLE
            assert f"its tokens are at {realm}, which gets no login" in capsys.readouterr().err
        assert other.seen == []
        monkeypatch.setenv("PULLSTATS_REGISTRY_REALM", realm)
        assert inventory(database, fake.host) == 0
        assert {each.authorization for each in other.seen} == {basic("me", "secret")}
    assert landed(database) == [("a", "v1")]


@pytest.mark.parametrize("login", [None, Login("me", "secret")])
@pytest.mark.parametrize(
    "realm",
    [
        *("http://localhost/token", "https://localhost:8080/token", "http://127.0.0.1:5000/v2/"),
        *("https://[::1]/token", "http://registry.example.com/token", "file:///etc/passwd"),
    ],
)
def test_when_a_registry_is_elsewhere_then_its_realm_is_not_this_machine(
    realm: str, login: Login | None
) -> None:
    elsewhere = Registry("registry.example.com", login=login)
    with pytest.raises(AnswerError, match="no safe place"):
        elsewhere._check_realm("", realm)


@pytest.mark.parametrize(
    "realm",
    [
        *("https://registry.example.com.example.org/token", "https://example.com/token"),
        *("https://registry.example.com@example.org/", "https://registry.example.com\\@x.example/"),
        *("https://registry.example.com:444/token", "https://Registry.example.com/token"),
    ],
)
def test_when_a_realm_only_looks_like_the_registry_then_it_gets_no_login(realm: str) -> None:
    Registry("registry.example.com")._check_realm("", realm)
    with pytest.raises(AnswerError, match="gets no login"):
        Registry("registry.example.com", login=Login("me", "secret"))._check_realm("", realm)


def test_when_there_is_a_login_then_there_is_one_host(
    fake: FakeRegistry, database: Path, monkeypatch: Patch, capsys: Capture
) -> None:
    log_in(monkeypatch, "me", "secret")
    assert inventory(database, f"{fake.host}/a", "registry.example.com/b") == 2
    assert "the login of one registry, not of 2" in capsys.readouterr().err
    assert fake.seen == []
    fake.repository("a", v1=ONE)
    fake.repository("b", v1=ONE)
    fake.catalog("a", "b")
    assert inventory(database, f"{fake.host}/a", f"{fake.host}/b") == 0


def test_when_names_would_move_the_cursor_then_they_are_escaped(
    fake: FakeRegistry, database: Path, capsys: Capture
) -> None:
    fake.catalog("a", "\x1b]0;owned\x07\x1b[2J", "b\nforged: line", "\u202etxt", "\x9b31m")
    assert inventory(database, fake.host, "--dry-run") == 0
    said = capsys.readouterr().out
    assert len(said.splitlines()) == 5
    assert said.replace("\n", "").isprintable()


def test_when_an_inventory_has_not_landed_wholly_then_its_blobs_land_with_the_next(
    fake: FakeRegistry, database: Path
) -> None:
    fake.catalog("a")
    fake.repository("a", v1=ONE)
    assert inventory(database, fake.host) == 0
    with duckdb.connect(str(database)) as connection:
        connection.execute("delete from storageanalysis.inventories")
    assert inventory(database, fake.host) == 0
    assert query(
        database, "select count(*) from manifest_blobs join inventories using (inventory_id)"
    ) == [(2,)]

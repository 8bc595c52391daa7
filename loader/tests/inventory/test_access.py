"""How the inventory gets at a registry: authorization, pages, retries."""

import base64
import json
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from pullstats.registry_inventory.command import EXIT_SET_ASIDE, EXIT_UNAVAILABLE
from tests.inventory.registries import (
    Answer,
    FakeRegistry,
    Request,
    errors,
    fake_registry,
    image,
    inventory,
    landed,
    query,
)

Capture = pytest.CaptureFixture[str]
Patch = pytest.MonkeyPatch
NOT_FOUND = Answer(b"{}", 404)
BUSY = Answer(b"", 503)
ONE, TWO = image("one"), image("two")


def guard(
    fake: FakeRegistry, login: str | None, lifetime: int = 10**6
) -> list[dict[str, list[str]]]:
    """Deny access without a token for the scope, which `lifetime` requests use up."""
    asked: list[dict[str, list[str]]] = []
    uses: dict[str, int] = {}

    def intercept(request: Request) -> Answer | None:
        url = urlsplit(request.path)
        if url.path == "/token":
            asked.append(parse_qs(url.query))
            if request.authorization != login:
                return Answer(b"{}", 401)
            token = f"token-{len(asked)}-for-{asked[-1]['scope'][0]}"
            uses[f"Bearer {token}"] = 0
            return Answer(json.dumps({"token": token}).encode())
        name = url.path.removeprefix("/v2/").split("/tags/")[0].split("/manifests/")[0]
        scope = "registry:catalog:*" if name == "_catalog" else f"repository:{name}:pull"
        given = request.authorization or ""
        if given.endswith(scope) and uses.get(given, lifetime) < lifetime:
            uses[given] += 1
            return None
        realm = f'Bearer realm="http://{fake.host}/token",service="a, b",scope="{scope}"'
        return Answer(b"{}", 401, {"WWW-Authenticate": realm})

    fake.intercept = intercept
    fake.catalog("app", "team/tool")
    fake.repository("app", v1=ONE, v2=TWO)
    fake.repository("team/tool", v1=ONE)
    return asked


def test_when_tokens_are_asked_for_then_each_repository_gets_its_own(
    fake: FakeRegistry, database: Path
) -> None:
    asked = guard(fake, login=None)
    assert inventory(database, fake.host) == 0
    assert landed(database) == [("app", "v1"), ("app", "v2"), ("team/tool", "v1")]
    assert asked == [
        {"service": ["a, b"], "scope": [scope]}
        for scope in ("registry:catalog:*", "repository:app:pull", "repository:team/tool:pull")
    ]


def test_when_a_token_expires_then_another_is_got(fake: FakeRegistry, database: Path) -> None:
    asked = guard(fake, login=None, lifetime=2)
    assert inventory(database, fake.host) == 0
    assert len(landed(database)) == 3
    assert len(asked) > 3


def basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def log_in(monkeypatch: Patch, user: str, password: str) -> None:
    monkeypatch.setenv("PULLSTATS_REGISTRY_USER", user)
    monkeypatch.setenv("PULLSTATS_REGISTRY_PASSWORD", password)


def test_when_there_is_a_login_then_only_the_realm_sees_it(
    fake: FakeRegistry, database: Path, monkeypatch: Patch
) -> None:
    log_in(monkeypatch, "oauth2accesstoken", "ключ:1")
    login = basic("oauth2accesstoken", "ключ:1")
    guard(fake, login)
    assert inventory(database, fake.host) == 0
    assert len(landed(database)) == 3
    expected = {each.path.startswith("/token") for each in fake.seen if each.authorization == login}
    assert expected == {True}


def test_when_the_login_is_wrong_then_the_code_is_4_and_the_password_is_not_shown(
    fake: FakeRegistry, database: Path, monkeypatch: Patch, capsys: Capture
) -> None:
    log_in(monkeypatch, "me", "wrong-password")
    guard(fake, basic("me", "right"))
    assert inventory(database, fake.host) == EXIT_UNAVAILABLE
    said = capsys.readouterr()
    assert f"{fake.host}: not listed: http://{fake.host}/token" in said.err
    assert "HTTP 401" in said.err
    assert "wrong-password" not in said.out + said.err
    assert query(database, "from inventories") == []


def test_when_the_registry_asks_for_a_password_then_it_gets_it(
    fake: FakeRegistry, database: Path, monkeypatch: Patch, capsys: Capture
) -> None:
    refusal = Answer(b"{}", 401, {"WWW-Authenticate": 'Basic realm="registry"'})
    login = basic("me", "secret")
    fake.intercept = lambda each: None if each.authorization == login else refusal
    fake.catalog("app")
    fake.repository("app", v1=ONE)
    assert inventory(database, fake.host) == EXIT_UNAVAILABLE
    assert f"http://{fake.host}/v2/_catalog?n=1000: HTTP 401" in capsys.readouterr().err
    log_in(monkeypatch, "me", "secret")
    assert inventory(database, fake.host) == 0
    assert landed(database) == [("app", "v1")]


@pytest.mark.parametrize("realm", ["http://198.51.100.1/token", "ftp://[", "", 'x"'])
def test_when_the_realm_is_not_to_be_trusted_then_it_gets_nothing(
    fake: FakeRegistry, database: Path, monkeypatch: Patch, capsys: Capture, realm: str
) -> None:
    log_in(monkeypatch, "me", "secret")
    challenge = {"WWW-Authenticate": f'Bearer realm="{realm}",service="x"'}
    fake.intercept = lambda _: Answer(b"{}", 401, challenge)
    assert inventory(database, fake.host) == EXIT_UNAVAILABLE
    assert "not listed: " in capsys.readouterr().err
    assert not [each for each in fake.seen if realm and each.authorization]


@pytest.mark.parametrize(
    "answer", [{}, [], {"token": 1}, {"token": "\u2713"}, {"token": "a\r\nb: c"}]
)
def test_when_a_token_is_none_then_the_code_is_4(
    fake: FakeRegistry, database: Path, answer: object
) -> None:
    guard(fake, login=None)
    others = fake.intercept
    token = Answer(json.dumps(answer).encode())
    fake.intercept = lambda each: token if each.path.startswith("/token") else others(each)
    assert inventory(database, fake.host) == EXIT_UNAVAILABLE


def test_when_netrc_has_a_password_then_it_stays_there(
    fake: FakeRegistry, database: Path, monkeypatch: Patch, tmp_path: Path
) -> None:
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login me password secret")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    fake.catalog("app")
    fake.repository("app", v1=ONE)
    assert inventory(database, fake.host) == 0
    assert {each.authorization for each in fake.seen} == {None}


def test_when_lists_have_pages_then_all_are_read(fake: FakeRegistry, database: Path) -> None:
    def page(content: object, link: str) -> Answer:
        return Answer(json.dumps(content).encode(), 200, {"Link": f'<{link}>; rel="next"'})

    fake.repository("a", v1=ONE, v2=TWO)
    fake.repository("b", v1=ONE)
    fake.repository("c", v1=ONE)
    fake.give("/v2/_catalog?n=1000", page({"repositories": ["a"]}, "/v2/_catalog?last=a&n=1"))
    fake.give(
        "/v2/_catalog?last=a&n=1",
        page({"repositories": ["b"]}, f"http://{fake.host}/v2/_catalog?last=b&n=1"),
    )
    fake.give("/v2/_catalog?last=b&n=1", {"repositories": ["c"]})
    fake.give("/v2/a/tags/list", page({"tags": ["v1"]}, "list?last=v1"))
    fake.give("/v2/a/tags/list?last=v1", {"tags": ["v2"]})
    fake.give("/v2/c/tags/list", page({"tags": None}, "list?last=null"))
    fake.give("/v2/c/tags/list?last=null", {"name": "c"})
    assert inventory(database, fake.host) == 0
    assert landed(database) == [("a", "v1"), ("a", "v2"), ("b", "v1")]


@pytest.mark.parametrize(
    "link",
    ["http://{other}/v2/a", "//{other}/v2/a", "http://[", "/v2/a/tags/list", "/elsewhere"],
)
def test_when_the_next_page_is_elsewhere_or_seen_then_the_list_is_set_aside(
    fake: FakeRegistry, database: Path, link: str
) -> None:
    fake.catalog("a", "b")
    fake.repository("b", v1=ONE)
    with fake_registry() as other:
        head = {"Link": f'<{link.format(other=other.host)}>; rel="next"'}
        fake.give("/v2/a/tags/list", Answer(b'{"tags": ["v1"]}', 200, head))
        assert inventory(database, fake.host) == EXIT_SET_ASIDE
    assert landed(database) == [("b", "v1")]
    assert list(errors(database)) == [("a", None)]
    assert other.seen == []
    assert not [path for path in fake.paths() if "elsewhere" in path]


def test_when_a_registry_is_busy_then_it_is_asked_again(fake: FakeRegistry, database: Path) -> None:
    fake.catalog("a")
    fake.repository("a", v1=ONE)
    path = "/v2/a/manifests/v1"
    waited = Answer(b"", 429, {"Retry-After": "0"})
    fake.give(path, BUSY, waited, Answer(b"", 500), *fake.answers[path])
    assert inventory(database, fake.host) == 0
    assert landed(database) == [("a", "v1")]
    assert len(fake.paths("HEAD")) == 4


def test_when_one_answer_never_comes_then_it_is_set_aside(
    fake: FakeRegistry, database: Path, capsys: Capture
) -> None:
    fake.catalog("a", "b", "c")
    for name in ("a", "b", "c"):
        fake.repository(name, v1=ONE, v2=TWO)
    fake.give("/v2/a/manifests/v1", BUSY)
    fake.give("/v2/b/tags/list", NOT_FOUND)
    assert inventory(database, fake.host) == EXIT_SET_ASIDE
    assert landed(database) == [("a", "v2"), ("c", "v1"), ("c", "v2")]
    expected = {
        ("a", "v1"): f"http://{fake.host}/v2/a/manifests/v1: HTTP 503",
        ("b", None): f"http://{fake.host}/v2/b/tags/list: HTTP 404",
    }
    assert errors(database) == expected
    assert query(database, "select repositories, manifests, errors from inventories") == [(2, 3, 2)]
    said = capsys.readouterr().err.splitlines()
    assert said == [
        f"{fake.host}/a v1: set aside: {expected['a', 'v1']}",
        f"{fake.host}/b: set aside: {expected['b', None]}",
    ]


def test_when_a_registry_goes_away_then_nothing_of_it_lands_but_the_others_do(
    fake: FakeRegistry, database: Path, capsys: Capture
) -> None:
    fake.catalog("a", "b")
    fake.repository("a", v1=ONE)
    fake.repository("b", v1=TWO)
    gone = False

    def intercept(request: Request) -> Answer | None:
        nonlocal gone
        gone = gone or request.path == "/v2/b/tags/list"
        return BUSY if gone else None

    fake.intercept = intercept
    with fake_registry() as other:
        other.catalog("c")
        other.repository("c", v1=ONE)
        assert inventory(database, fake.host, other.host) == EXIT_UNAVAILABLE
    assert landed(database) == [("c", "v1")]
    assert query(database, "select target from inventories") == [(other.host,)]
    assert f"{fake.host}: not listed: http://{fake.host}/v2/: HTTP 503" in capsys.readouterr().err


def test_when_nobody_answers_then_the_code_is_4(database: Path, capsys: Capture) -> None:
    with fake_registry() as fake:
        host = fake.host
    assert inventory(database, f"{host}/a/b") == EXIT_UNAVAILABLE
    said = capsys.readouterr().err
    assert f"{host}/a/b: not listed: http://{host}/v2/: " in said
    assert "Connection refused" in said


@pytest.mark.parametrize(
    "answer", [NOT_FOUND, Answer(b"", 301, {"Location": "http://198.51.100.1/v2/"})]
)
def test_when_it_is_no_registry_then_the_code_is_4(
    fake: FakeRegistry, database: Path, capsys: Capture, answer: Answer
) -> None:
    fake.give("/v2/", answer)
    assert inventory(database, fake.host) == EXIT_UNAVAILABLE
    assert f"http://{fake.host}/v2/: HTTP {answer.status}" in capsys.readouterr().err


def test_when_a_manifest_is_said_to_be_elsewhere_then_nobody_goes_there(
    fake: FakeRegistry, database: Path
) -> None:
    with fake_registry() as other:
        fake.catalog("a")
        fake.repository("a", v1=ONE)
        path = "/v2/a/manifests/v1"
        fake.give(path, Answer(b"", 307, {"Location": f"http://{other.host}{path}"}))
        assert inventory(database, fake.host) == EXIT_SET_ASIDE
    assert list(errors(database).values()) == [f"http://{fake.host}{path}: HTTP 307"]
    assert other.seen == []

"""What a registry may list: gcr.io's children, odd manifests, odd names."""

import json
from pathlib import Path

import pytest

from pullstats.registry_inventory.command import EXIT_SET_ASIDE, EXIT_UNAVAILABLE
from tests.inventory.registries import (
    DOCKER,
    OCI,
    Answer,
    FakeRegistry,
    descriptor,
    digest_of,
    errors,
    fake_registry,
    image,
    index,
    inventory,
    landed,
    query,
)

ONE, TWO, THREE = image("one"), image("two"), image("three")


def gcr_folder(fake: FakeRegistry, name: str, *children: str, **tags: bytes) -> None:
    """Answer as gcr.io does; the tag `untagged` is none."""
    manifests = {}
    for tag, content in tags.items():
        digest = fake.manifest(name, content)
        expected = manifests.setdefault(digest, {"mediaType": f"{DOCKER}v2+json", "tag": []})
        expected["tag"] += [] if tag == "untagged" else [tag]
    listed = [tag for tag in tags if tag != "untagged"]
    content = {"child": list(children), "manifest": manifests, "name": name, "tags": listed}
    fake.give(f"/v2/{name}/tags/list", content)


def test_when_gcr_tells_children_then_the_project_is_walked_by_them(
    fake: FakeRegistry, database: Path
) -> None:
    gcr_folder(fake, "example.com/proj", "app", "team", "gone")
    gcr_folder(fake, "example.com/proj/app", "tool", v1=ONE, latest=ONE, v2=TWO, untagged=THREE)
    gcr_folder(fake, "example.com/proj/app/tool", v1=ONE)
    gcr_folder(fake, "example.com/proj/team", "tool")
    gcr_folder(fake, "example.com/proj/team/tool", v1=TWO)
    assert inventory(database, f"{fake.host}/example.com/proj") == EXIT_SET_ASIDE
    base = "example.com/proj"
    assert landed(database) == [
        (f"{base}/app", "latest"),
        (f"{base}/app", "v1"),
        (f"{base}/app", "v2"),
        (f"{base}/app", None),
        (f"{base}/app/tool", "v1"),
        (f"{base}/team/tool", "v1"),
    ]
    assert list(errors(database)) == [(f"{base}/gone", None)]
    assert query(database, "select repositories, manifests from inventories") == [(3, 5)]
    assert query(database, "select count(*) from manifests where index_digest is not null") == [
        (0,)
    ]
    # it lists digests with the tags: nothing is requested by tag, or twice
    assert fake.paths("HEAD") == []
    assert len(fake.paths()) == len(set(fake.paths())) == 1 + 6 + 5
    assert "/v2/_catalog?n=1000" not in fake.paths()


def test_when_only_the_repository_may_be_read_then_it_is_and_the_rest_is_said_to_be_unknown(
    fake: FakeRegistry, database: Path
) -> None:
    fake.repository("team/app", v1=ONE)
    fake.give("/v2/_catalog?n=1000", Answer(b"{}", 403))
    assert inventory(database, f"{fake.host}/team/app") == EXIT_SET_ASIDE
    assert landed(database) == [("team/app", "v1")]
    assert "what is below it can't be listed" in errors(database)["team/app", None]


def test_when_there_is_nothing_at_a_path_then_the_code_is_4(
    fake: FakeRegistry, database: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fake.catalog("team/app", "teamwork/app")
    assert inventory(database, f"{fake.host}/tea") == EXIT_UNAVAILABLE
    said = capsys.readouterr().err
    assert said == f"{fake.host}/tea: not listed: http://{fake.host}/v2/tea/tags/list: HTTP 404\n"
    assert query(database, "from inventories") == []


def test_when_a_registry_is_empty_then_so_is_its_inventory(
    fake: FakeRegistry, database: Path
) -> None:
    fake.catalog()
    assert inventory(database, fake.host) == 0
    assert query(database, "select repositories, manifests, errors from inventories") == [(0, 0, 0)]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"{", "no JSON"),
        (b"[" * 100_000, "no JSON"),
        (b"\xff", "no JSON"),
        (b'{"mediaType": "\\ud800"}', "no JSON"),
        (b"[]", "JSON: Input should be a valid dictionary"),
        (b'{"schemaVersion": 1, "mediaType": ""}', "unknown media type"),
        (
            image("x", mediaType=f"{DOCKER}v1+prettyjws"),
            f"unknown media type '{DOCKER}v1+prettyjws'",
        ),
        (image("x", mediaType=[f"{DOCKER}v2+json"]), "unknown media type ["),
        (image("x", layers=None), "layers: Input should be a valid list: None"),
        (image("x", layers=[1]), "layers.0: Input should be a valid dictionary"),
        (image("x", config=None), "an image without a config"),
        (image("x", config={}), "config.mediaType: Field required"),
        (
            image("x", layers=[{"mediaType": "a/b", "size": 1, "digest": "sha256:1"}]),
            "layers.0.digest: String should match pattern",
        ),
        (image("x", layers=[descriptor("a/b", "", size=-1)]), "layers.0.size: Input should be gr"),
        (image("x", layers=[descriptor("a/b", "", size=True)]), "layers.0.size: Input should be a"),
        (image("x", layers=[descriptor("a/b", "", size=2**50 + 1)]), "layers.0.size: Input should"),
        (b'{"schemaVersion": ' + b"9" * 5000 + b"}", "no JSON"),
        (image("x", layers=[descriptor("\x00", "")]), "layers.0.mediaType: Value error, it can't"),
        (image("x", layers=[descriptor("x" * 256, "")]), "layers.0.mediaType: String should have"),
        (image("x", artifactType=7), "artifactType: Input should be a valid string: 7"),
    ],
)
def test_when_a_manifest_is_no_manifest_then_it_is_set_aside_and_the_rest_lands(
    fake: FakeRegistry, database: Path, content: bytes, reason: str
) -> None:
    fake.catalog("a", "b")
    fake.repository("a", bad=ONE, good=TWO)
    headers = {"Docker-Content-Digest": digest_of(content), "Content-Type": "application/json"}
    for reference in ("bad", digest_of(content)):
        fake.give(f"/v2/a/manifests/{reference}", Answer(content, 200, headers))
    fake.repository("b", v1=ONE)
    assert inventory(database, fake.host) == EXIT_SET_ASIDE
    assert landed(database) == [("a", "good"), ("b", "v1")]
    ((place, expected),) = errors(database).items()
    assert place == ("a", "bad")
    assert expected.startswith(reason)


def test_when_the_bytes_are_not_those_of_the_digest_then_they_are_set_aside(
    fake: FakeRegistry, database: Path
) -> None:
    fake.catalog("a")
    fake.repository("a", v1=ONE, v2=TWO)
    fake.answers[f"/v2/a/manifests/{digest_of(ONE)}"][0].body = THREE
    assert inventory(database, fake.host) == EXIT_SET_ASIDE
    assert landed(database) == [("a", "v2")]
    expected = f"its bytes have the digest {digest_of(THREE)}, not {digest_of(ONE)}"
    assert errors(database) == {("a", "v1"): expected}


@pytest.mark.parametrize("status", [200, 405])
def test_when_the_digest_is_not_sent_then_it_is_computed(
    fake: FakeRegistry, database: Path, status: int
) -> None:
    fake.catalog("a")
    fake.repository("a", v1=ONE)
    headers = {"Content-Type": f"{DOCKER}v2+json; charset=utf-8"}
    content = json.dumps({k: v for k, v in json.loads(ONE).items() if k != "mediaType"}).encode()
    path = "/v2/a/manifests/v1"
    fake.give(path, Answer(b"", status), Answer(content, 200, headers))
    assert inventory(database, fake.host) == 0
    found = query(database, "select manifest_digest, media_type from manifests")
    assert found == [(digest_of(content), f"{DOCKER}v2+json")]


def test_when_indexes_are_nested_or_list_what_is_not_there_then_all_else_is_found(
    fake: FakeRegistry, database: Path
) -> None:
    inner = index(ONE, TWO)
    outer = index(inner, THREE, ONE, media_type=f"{OCI}index.v1+json")
    fake.catalog("a")
    fake.repository("a", inner=inner, v1=outer)
    fake.manifest("a", ONE)
    assert inventory(database, fake.host) == EXIT_SET_ASIDE
    assert query(
        database,
        "select manifest_digest, tag, index_digest, layer_count from manifests"
        " order by tag nulls last, index_digest",
    ) == [
        (digest_of(inner), "inner", digest_of(outer), 0),
        (digest_of(outer), "v1", None, 0),
        *((digest_of(ONE), None, each, 1) for each in sorted([digest_of(inner), digest_of(outer)])),
    ]
    url = f"http://{fake.host}/v2/a/manifests/"
    missing = [digest_of(THREE), digest_of(TWO)]
    assert errors(database) == {("a", each): f"{url}{each}: HTTP 404" for each in missing}


def test_when_an_index_is_buildkits_cache_then_its_layers_are_blobs(
    fake: FakeRegistry, database: Path
) -> None:
    layer = descriptor(f"{OCI}layer.v1.tar+gzip", "layer")
    config = descriptor("application/vnd.buildkit.cacheconfig.v0", "{}")
    content = {"mediaType": f"{OCI}index.v1+json", "manifests": [layer, config]}
    fake.catalog("a")
    fake.repository("a", cache=json.dumps(content).encode())
    assert inventory(database, fake.host) == 0
    assert query(database, "select layer_count, config_digest from manifests") == [(2, None)]
    assert query(database, "select role, position, digest from manifest_blobs order by 2") == [
        ("layer", 1, layer["digest"]),
        ("layer", 2, config["digest"]),
    ]


def test_when_names_are_odd_then_they_are_neither_followed_nor_printed_raw(
    fake: FakeRegistry, database: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    odd = ["../../admin", "a?b", "UPPER", "\x1b[31mred", "", "a//b", "b" * 256]
    fake.catalog("a", *odd)
    fake.repository("a", v1=ONE)
    fake.give("/v2/a/tags/list", {"tags": ["v1", "../x", "\x1b[2J", ".x", "v" * 129]})
    assert inventory(database, fake.host) == EXIT_SET_ASIDE
    assert landed(database) == [("a", "v1")]
    assert len(errors(database)) == len(odd) + 4
    assert "\x1b" not in capsys.readouterr().err
    assert {path.split("?")[0] for path in fake.paths()} == {
        "/v2/",
        "/v2/_catalog",
        "/v2/a/tags/list",
        f"/v2/a/manifests/{digest_of(ONE)}",
    }


@pytest.mark.parametrize("content", [[], {"tags": "v1"}, {"tags": [1]}, {"manifest": [1]}])
def test_when_a_list_is_none_then_the_repository_is_set_aside(
    fake: FakeRegistry, database: Path, content: object
) -> None:
    fake.catalog("a", "b")
    fake.give("/v2/a/tags/list", content)
    fake.repository("b", v1=ONE)
    assert inventory(database, fake.host) == EXIT_SET_ASIDE
    assert landed(database) == [("b", "v1")]
    assert list(errors(database)) == [("a", None)]


def test_when_a_manifest_was_found_before_then_its_blobs_are_not_landed_again(
    fake: FakeRegistry, database: Path
) -> None:
    counts = (
        "select registry_host, repository, count(*) from manifest_blobs group by all order by 2"
    )
    fake.catalog("a", "b")
    fake.repository("a", v1=ONE)
    fake.repository("b", v1=ONE)
    for _ in range(2):
        assert inventory(database, fake.host, f"{fake.host}/a") == 0
        assert query(database, counts) == [(fake.host, "a", 2), (fake.host, "b", 2)]
    fake.repository("b", v1=TWO)
    with fake_registry() as other:
        other.catalog("a")
        other.repository("a", v1=ONE)
        assert inventory(database, fake.host, other.host) == 0
        found = query(database, counts)
    assert sorted(found[:2]) == sorted([(fake.host, "a", 2), (other.host, "a", 2)])
    assert found[2:] == [(fake.host, "b", 4)]
    assert query(database, "select count(*) from manifests") == [(2 * 3 + 3,)]

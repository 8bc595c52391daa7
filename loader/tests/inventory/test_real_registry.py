"""The inventory of a real registry, Debian's docker-registry, filled by skopeo."""

import re
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.inventory.registries import (
    DOCKER,
    OCI,
    Layout,
    RealRegistry,
    Row,
    inventory,
    query,
    real_registry,
)

LAST = "inventory_id = (select arg_max(inventory_id, listed_at) from inventories)"
SBOM = "application/vnd.example.sbom"


def manifests(database: Path) -> list[Row]:
    return query(
        database,
        "select repository, tag, manifest_digest, media_type, artifact_type, index_digest,"
        " platform, config_digest, config_media_type, config_bytes, layer_count, manifest_bytes"
        f" from manifests where {LAST} order by all",
    )


def blobs(database: Path) -> list[Row]:
    return query(
        database,
        "select repository, manifest_digest, role, position, digest, media_type, size_bytes"
        " from manifest_blobs order by all",
    )


class Filled:
    """A registry with its content, and the rows that it must give."""

    def __init__(self, registry: RealRegistry, layout: Layout) -> None:
        self.registry = registry
        self.layout = layout
        self.manifests: list[Row] = []
        self.blobs: list[Row] = []

    def expect(
        self,
        repository: str,
        pushed: dict[str, object],
        tags: list[str | None],
        index: object = None,
        platform: str | None = None,
        seen: bool = False,
    ) -> None:
        content = self.layout.read(pushed)
        config = content.get("config", {})
        layers = content.get("layers", [])
        for tag in tags:
            self.manifests.append(
                (
                    *(repository, tag, pushed["digest"], pushed["mediaType"]),
                    *(content.get("artifactType"), index, platform),
                    *(config.get("digest"), config.get("mediaType"), config.get("size")),
                    *(len(layers), pushed["size"]),
                )
            )
        for position, blob in enumerate([config, *layers] if config and not seen else []):
            self.blobs.append(
                (
                    *(repository, pushed["digest"], "layer" if position else "config", position),
                    *(blob["digest"], blob["mediaType"], blob["size"]),
                )
            )

    def rows(self) -> tuple[list[Row], list[Row]]:
        def key(row: Row) -> list[tuple[bool, str, object]]:
            # nulls last, as DuckDB sorts
            return [(each is None, type(each).__name__, each or 0) for each in row]

        return sorted(self.manifests, key=key), sorted(self.blobs, key=key)


def index_of(*children: tuple[dict[str, object], str]) -> dict[str, object]:
    listed = []
    for child, platform in children:
        parts = zip(("os", "architecture", "variant"), platform.split("/"), strict=False)
        listed.append(child | {"platform": dict(parts)})
    return {"schemaVersion": 2, "mediaType": f"{OCI}index.v1+json", "manifests": listed}


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Filled]:
    layout = Layout(tmp_path_factory.mktemp("layout"))
    with real_registry(tmp_path_factory.mktemp("registry")) as registry:
        it = Filled(registry, layout)

        plain = layout.image("plain", "amd64", b"base", b"program", b"base")
        for tag in ("v1", "latest"):
            registry.push(layout, "plain", f"team/api:{tag}")
        it.expect("team/api", plain, ["latest", "v1"])
        registry.push(layout, "plain", "team/api/nested/deep:1")
        it.expect("team/api/nested/deep", plain, ["1"])
        for elsewhere in ("team", "teamwork/api", "other/team/api"):
            registry.push(layout, "plain", f"{elsewhere}:v1")
        it.expect("team", plain, ["v1"])

        shared = layout.image("shared", "amd64", b"base", b"amd64")
        arm = layout.image("arm", "arm64", b"base", b"arm64")
        attestation = layout.image("attestation", "unknown", b"{}")
        first = layout.json(
            "first",
            index_of(
                (shared, "linux/amd64"), (arm, "linux/arm64/v8"), (attestation, "unknown/unknown")
            ),
        )
        second = layout.json("second", index_of((arm, "linux/arm64"), (shared, "linux/amd64")))
        for tag, name in (("1", "first"), ("2", "second")):
            registry.push(layout, name, f"team/multi:{tag}", "--all")
        registry.push(layout, "shared", "team/multi:1-amd64")
        it.expect("team/multi", first, ["1"])
        it.expect("team/multi", second, ["2"])
        it.expect("team/multi", shared, ["1-amd64"], first["digest"], "linux/amd64")
        it.expect("team/multi", shared, ["1-amd64"], second["digest"], "linux/amd64", seen=True)
        it.expect("team/multi", arm, [None], first["digest"], "linux/arm64/v8")
        it.expect("team/multi", arm, [None], second["digest"], "linux/arm64", seen=True)
        it.expect("team/multi", attestation, [None], first["digest"], "unknown/unknown")

        artifact = layout.json(
            "artifact",
            {
                "schemaVersion": 2,
                "mediaType": f"{OCI}manifest.v1+json",
                "artifactType": SBOM,
                "config": layout.blob(f"{SBOM}.config+json", b'{"of": "api"}'),
                "layers": [layout.blob(f"{SBOM}+json", b"[]")],
            },
        )
        registry.push(layout, "artifact", "team/sbom:v1")
        it.expect("team/sbom", artifact, ["v1"])
        yield it


def test_when_a_registry_is_listed_then_every_tag_manifest_and_blob_lands(
    filled: Filled, database: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = f"{filled.registry.host}/team"
    started = datetime.now(UTC).replace(tzinfo=None)
    for count in (1, 2):
        assert inventory(database, target) == 0
        assert (manifests(database), blobs(database)) == filled.rows()
        ledger = query(database, "select target, repositories, manifests, errors from inventories")
        assert ledger == [(target, 5, 9, 0)] * count
    times = query(database, "select listed_at, completed_at from inventories order by 1")
    assert sorted([started, *times[0], *times[1]]) == [started, *times[0], *times[1]]
    assert query(database, "from inventory_errors") == []
    assert query(
        database,
        "select listed_at, registry_host, count(*) from manifests group by all order by 1",
    ) == [(listed_at, filled.registry.host, 12) for listed_at, _ in times]
    said = f"{target}: 5 repositories, 9 manifests landed, 0 set aside\n"
    assert capsys.readouterr().out == said * 2
    # the access log keeps what the inventory asked for: each manifest once a run, and no blob
    log = filled.registry.log.read_text()
    asked = re.findall(r'"GET (/v2/team\S*) \S+" 200 .*pullstats-inventory', log)
    fetched = Counter(path for path in asked if "/manifests/" in path)
    assert (len(fetched), set(fetched.values())) == (9, {2})
    assert {path.rsplit("/", 2)[1] for path in asked} == {"manifests", "tags"}


def test_when_no_path_is_named_then_the_whole_registry_is_listed(
    filled: Filled, capsys: pytest.CaptureFixture[str], database: Path
) -> None:
    host = filled.registry.host
    assert inventory(database, host, "--dry-run") == 0
    expected = ["other/team/api", "team", "team/api", "team/api/nested/deep", "team/multi"]
    expected += ["team/sbom", "teamwork/api"]
    assert capsys.readouterr().out.split() == [f"{host}/{name}" for name in expected]
    assert not database.exists()


def test_when_an_image_is_pushed_in_dockers_format_then_it_is_read_alike(
    filled: Filled, database: Path
) -> None:
    filled.registry.push(filled.layout, "plain", "docker/app:v1", "--format", "v2s2")
    assert inventory(database, f"{filled.registry.host}/docker") == 0
    ((media_type, config_type, layers),) = query(
        database, "select media_type, config_media_type, layer_count from manifests"
    )
    assert media_type == f"{DOCKER}v2+json"
    assert config_type == "application/vnd.docker.container.image.v1+json"
    plain = [row for row in filled.blobs if row[0] == "team/api" and row[2] == "layer"]
    assert [row[4:7:2] for row in blobs(database)[1:]] == [row[4:7:2] for row in plain]
    assert layers == 3


def test_when_an_image_is_gone_then_only_the_next_inventory_is_without_it(
    filled: Filled, database: Path
) -> None:
    digest = str(filled.layout.image("gone", "amd64", b"gone")["digest"])
    for tag in ("a", "b"):
        filled.registry.push(filled.layout, "gone", f"gone/app:{tag}")
    filled.registry.push(filled.layout, "plain", "gone/app:c")
    assert inventory(database, f"{filled.registry.host}/gone") == 0
    filled.registry.delete("gone/app", digest)
    assert inventory(database, f"{filled.registry.host}/gone") == 0
    found = query(
        database,
        "select list(tag order by tag) from manifests join inventories using (inventory_id)"
        " group by inventory_id, inventories.listed_at order by inventories.listed_at",
    )
    assert found == [(["a", "b", "c"],), (["c"],)]

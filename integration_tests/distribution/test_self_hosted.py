"""A self-hosted registry, end to end: skopeo pushes to and pulls from Debian's docker-registry,
whose bucket writes usage logs. What the marts count is what skopeo did."""

import json
import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from integration_tests.distribution.bucket import logged_bucket
from integration_tests.project import Project
from tests.inventory.registries import Layout, real_registry


@dataclass
class Recording:
    project: Project
    host: str
    pulls: Counter[tuple[str, str]] = field(default_factory=Counter)
    config_digests: dict[str, str] = field(default_factory=dict)


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Recording]:
    folder = tmp_path_factory.mktemp("distribution")
    for name in ("layout", "registry", "project"):
        (folder / name).mkdir()
    layout = Layout(folder / "layout")
    chance = random.Random(1)
    base = chance.randbytes(50_000)
    for name in ("api", "web"):
        layout.image(name, "amd64", base, chance.randbytes(2_000_000), chance.randbytes(3_000))

    def pulled(image: str, address: str) -> None:
        bucket.client = address
        registry.pull(image, folder / f"pull{sum(recording.pulls.values())}")
        recording.pulls[image, address] += 1

    with (
        logged_bucket() as bucket,
        real_registry(folder / "registry", bucket.storage()) as registry,
    ):
        recording = Recording(Project(folder / "project"), registry.host)
        for name in ("api", "web"):
            registry.push(layout, name, f"team/{name}:v1")
        for address in ("192.0.2.51", "192.0.2.52", "192.0.2.53"):
            pulled("team/api:v1", address)
        pulled("team/web:v1", "192.0.2.51")
        pulled("team/web:v1", "192.0.2.51")
        bucket.client = "192.0.2.90"
        registry.inspect("team/api:v1")
        for image in ("api", "web"):
            content = json.loads(registry.inspect(f"team/{image}:v1", "--raw"))
            recording.config_digests[image] = content["config"]["digest"]
        log = bucket.write_log(folder)
    recording.project.load([log])
    hosts = json.dumps({"self_hosted_registries": [recording.host]})
    recording.project.dbt("build", "--exclude-resource-type", "test", "unit_test", "--vars", hosts)
    yield recording


def test_pulls_are_those_of_the_clients(recording: Recording) -> None:
    counted = recording.project.query(
        "select image, image_id, is_complete, client_network, client_tool, count(*)"
        " from pullstats.fct_image_pulls group by all order by all"
    )
    done = Counter(image.removesuffix(":v1") for image, _ in recording.pulls.elements())
    assert counted == [
        (
            *(f"{recording.host}/{image}", recording.config_digests[image.split("/")[1]]),
            *(True, "192.0.2.0/24", "skopeo", count),
        )
        for image, count in sorted(done.items())
    ]
    clients = recording.project.query(
        "select count(distinct client_id) from pullstats.fct_image_pulls"
    )
    assert clients == [(3,)]


def test_registry_itself_is_no_client_that_pulls(recording: Recording) -> None:
    kinds = recording.project.query(
        "select fetch_kind, count(*) from pullstats_intermediate.int_blob_fetches"
        " where client_network = '203.0.113.0/24' and fetch_kind = 'pull' group by all"
    )
    assert kinds == []


def test_pushes_are_those_of_the_clients(recording: Recording) -> None:
    pushes = recording.project.query(
        "select image, tags from pullstats.fct_image_pushes order by all"
    )
    assert pushes == [
        (f"{recording.host}/team/api", "v1"),
        (f"{recording.host}/team/web", "v1"),
    ]

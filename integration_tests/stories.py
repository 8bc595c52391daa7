"""Stories of clients as they are in the wild, and what is right: one registry each.

Each is made after what programs are known to do; docs/counting.md has the rules. `pulls` are the
complete pulls of the image, `builds` their distinct image ids, without those that are unknown.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from integration_tests.project import Project
from integration_tests.traffic import EMPTY_CONFIG, HOUR, SECOND, Blob, Registry, write

DOCKER = "docker/27.5.1 go/go1.22.11 git-commit/4c9b3b0 kernel/6.8.0 os/linux arch/amd64"
DOCKER_29 = "docker/29.1.3 go/go1.25.5 git-commit/fbf3ed2 kernel/6.8.0 os/linux arch/amd64"
CONTAINERD = "containerd/2.1.4"
CRI_O = "cri-o/1.29.1 go/go1.21.1 os/linux arch/amd64"
PODMAN = "containers/5.38.0 (github.com/containers/image)"
CRANE = "crane/v0.20.2 go-containerregistry/v0.20.2"
SKOPEO = "skopeo/1.17.0"
HOURS = HOUR // SECOND


@dataclass(frozen=True)
class Story:
    tell: Callable[[Registry], None]
    pulls: int
    builds: int
    incomplete: int = 0
    host: str = "https://gcr.io"
    image: str = "app"

    @property
    def name(self) -> str:
        return self.tell.__name__

    @property
    def expected(self) -> tuple[int, int, int]:
        return self.pulls, self.builds, self.incomplete


@dataclass(frozen=True)
class Outcome:
    """Complete pulls, distinct image ids and incomplete pulls: as they happened, and as counted."""

    name: str
    expected: tuple[int, int, int]
    found: tuple[int, int, int]

    @property
    def is_right(self) -> bool:
        return self.found == self.expected


STORIES: list[Story] = []
Tell = Callable[[Registry], None]


def story(
    pulls: int, builds: int, incomplete: int = 0, host: str = "https://gcr.io", image: str = "app"
) -> Callable[[Tell], Tell]:
    def add(tell: Tell) -> Tell:
        STORIES.append(Story(tell, pulls, builds, incomplete, host, image))
        return tell

    return add


def node(number: int) -> str:
    return f"192.0.2.{number}"


def build(number: int, config: int = 4200, layer: int = 6_000_000) -> tuple[Blob, Blob]:
    """Config and own layer of a build."""
    return (f"config {number}", config + number), (f"layer {number}", layer + number)


BASE: Blob = ("base", 24_000_000)
CONFIG, LAYER = build(0)


def known(log: Registry, config: Blob = CONFIG, *layers: Blob) -> None:
    """Two hosts pull the image, one after the other: config and layers are known from then on."""
    for number in (201, 202):
        log.fetch(number * 100, node(number), DOCKER, config, *(layers or (BASE, LAYER)))


# Several builds in one session.


@story(pulls=12, builds=4)
def nodes_start_with_four_tags(log: Registry) -> None:
    for number in range(3):
        at = number * HOURS
        for tag in range(4):
            config, layer = build(tag)
            base = [BASE] if tag == 0 else []
            log.fetch(at + tag * 2, node(number), CONTAINERD, config, *base, layer)


@story(pulls=8, builds=4)
def nodes_start_with_four_services_of_which_two_are_pulled_alone_too(log: Registry) -> None:
    sizes = (3100, 5200, 7900, 12_000)
    services = [build(tag, size) for tag, size in enumerate(sizes)]
    for number, (config, layer) in enumerate(services):
        log.fetch(number * HOURS, node(10 + number), CONTAINERD, config, BASE, layer)
    for tag, (config, layer) in enumerate(services):
        base = [BASE] if tag == 0 else []
        log.fetch(30 * HOURS + tag * 2, node(1), CONTAINERD, config, *base, layer)


@story(pulls=6, builds=3)
def compose_pulls_services_a_minute_apart(log: Registry) -> None:
    for number in range(2):
        for tag, size in enumerate((3100, 5200, 7900)):
            config, layer = build(tag, size)
            small = (f"entrypoint {tag}", 900 + tag)
            log.fetch(number * HOURS + tag * 60, node(number), DOCKER, config, layer, small)


@story(pulls=5, builds=5)
def gcrane_copies_tag_after_tag_and_config_last(log: Registry) -> None:
    for tag in range(5):
        config, layer = build(tag)
        base = [BASE] if tag == 0 else []
        log.fetch(tag * 3, node(1), "gcrane/v0.20.2 " + CRANE.split()[1], *base, layer, config)


@story(pulls=3, builds=3)
def harbor_replicates_tags_in_ranges(log: Registry) -> None:
    at = 0.0
    for tag in range(3):
        config, layer = build(tag)
        log.read(at, node(1), "harbor-registry-client", config, part=config[1])
        for blob in [BASE, layer] if tag == 0 else [layer]:
            left = blob[1]
            while left > 0:
                at += 0.6
                log.read(at, node(1), "harbor-registry-client", blob, part=min(left, 10_485_760))
                left -= 10_485_760
        at += 4


@story(pulls=4, builds=4)
def skopeo_syncs_the_tags_of_a_repository(log: Registry) -> None:
    for tag in range(4):
        config, layer = build(tag)
        base = [BASE] if tag == 0 else []
        log.fetch(tag * 2, node(1), SKOPEO, config, *base, layer)


@story(pulls=3, builds=1)
def skopeo_copies_an_index_with_all_platforms(log: Registry) -> None:
    known(log)
    for platform in range(3):
        config, layer = build(platform)
        base = ("base" if platform == 0 else f"base {platform}", 24_000_000 + platform * 700_000)
        log.fetch(40_000 + platform * 4, node(1), SKOPEO, config, base, layer, every=0.5)


@story(pulls=3, builds=1)
def ctr_reads_the_configs_of_an_index_first(log: Registry) -> None:
    known(log)
    others: list[Blob] = [("config of arm64", 4210), ("config of s390x", 4190)]
    log.fetch(40_000, node(1), "containerd/2.1.9", *others, CONFIG, BASE, LAYER)


@story(pulls=8, builds=2)
def a_rollout_pulls_two_builds_behind_one_address(log: Registry) -> None:
    known(log)
    config, layer = build(1)
    log.fetch(20_000, node(9), DOCKER, config, BASE, layer)
    for number in range(3):
        log.fetch(40_000 + number * 0.4, node(1), CONTAINERD, CONFIG, BASE, LAYER, every=3)
    for number in range(2):
        log.fetch(40_020 + number * 0.4, node(1), CONTAINERD, config, BASE, layer, every=3)


@story(pulls=6, builds=1)
def six_nodes_behind_one_address(log: Registry) -> None:
    known(log)
    for number in range(4):
        log.fetch(40_000 + number * 0.3, node(1), CONTAINERD, CONFIG, BASE, LAYER, every=1)


# Small blobs without a layer.


@story(pulls=2, builds=1)
def watchers_read_configs_only(log: Registry) -> None:
    known(log)
    agents = ("Renovate/41.20.0", "diun/4.29.0 go/1.23.1 Linux", "acme-watcher/1.0", CRANE)
    for number, agent in enumerate(agents):
        for hour in range(4):
            configs = [build(tag)[0] for tag in range(4)]
            log.fetch(hour * HOURS + number * 60, node(10 + number), agent, *configs)


@story(pulls=2, builds=1)
def buildx_inspects_the_configs_of_all_platforms(log: Registry) -> None:
    known(log)
    for number in range(4):
        at = 40_000 + number * 600
        log.fetch(at, node(1), "containerd/2.1.4+unknown", CONFIG, ("config of arm64", 4201))


@story(pulls=2, builds=1)
def policies_verify_signatures(log: Registry) -> None:
    known(log)
    signature: list[Blob] = [("signature config", 233), ("signature", 258)]
    agents = (
        "Kyverno/v1.13.2 (linux; amd64)",
        "ratify+v1.4.0 (+https://ratify.dev)",
        "go-containerregistry/v0.20.2",
        "acme-admission/0.3",
    )
    for number, agent in enumerate(agents):
        log.fetch(40_000 + number * 60, node(10 + number), agent, CONFIG)
        log.fetch(44_000 + number * 60, node(10 + number), agent, *signature)


@story(pulls=2, builds=1)
def a_scanner_reads_the_attached_bill_of_materials(log: Registry) -> None:
    known(log)
    for number, agent in enumerate(("go-containerregistry/v0.20.2", "acme-sbom/1.0")):
        blobs: list[Blob] = [("attestation config", 167), ("bill of materials", 380_000)]
        log.fetch(40_000, node(10 + number), agent, *blobs)


# Small layers, as of a WORKDIR or a COPY.


@story(pulls=6, builds=1)
def two_small_layers_are_as_large_as_each_other(log: Registry) -> None:
    for number, agent in enumerate((DOCKER, CONTAINERD) * 3):
        layers: list[Blob] = [BASE, ("user", 395), ("code", 12_000_000), ("entrypoint", 402)]
        log.fetch(number * HOURS, node(number), agent, ("config", 5200), *layers)


@story(pulls=8, builds=1)
def the_last_layer_is_smaller_than_the_config(log: Registry) -> None:
    for number, agent in enumerate((CRI_O, CONTAINERD) * 4):
        log.fetch(number * HOURS, node(number), agent, ("config", 2600), BASE, ("copy", 611))


@story(pulls=4, builds=1)
def docker_29_pulls_an_image_of_small_blobs(log: Registry) -> None:
    for number in range(4):
        log.fetch(number * HOURS, node(number), DOCKER_29, ("config", 1470), ("layer", 2460))


@story(pulls=130, builds=1)
def a_hundred_and_thirty_nodes_behind_one_address(log: Registry) -> None:
    for number in range(130):
        blobs: list[Blob] = [("config", 8580), BASE, ("copy", 629)]
        log.fetch(number * 0.2, node(1), CONTAINERD, *blobs, every=0.01)


@story(pulls=9, builds=3)
def compose_pulls_services_at_once(log: Registry) -> None:
    services = [build(tag, size) for tag, size in enumerate((4200, 4250, 4300))]
    for number, (config, layer) in enumerate(services):
        log.fetch(number * HOURS, node(number), DOCKER, config, BASE, layer)
    for number in range(2):
        configs, layers = zip(*services, strict=True)
        log.fetch((10 + number) * HOURS, node(10 + number), DOCKER, *configs, BASE, *layers)


@story(pulls=0, builds=0)
def an_artifact_has_an_empty_config(log: Registry) -> None:
    for number in range(3):
        log.fetch(number * HOURS, node(number), CONTAINERD, ("config", 2), ("policy", 15_000))


# Attestations.


@story(pulls=6, builds=1)
def docker_reads_the_attestation_with_the_image(log: Registry) -> None:
    config: Blob = ("config", 6100)
    log.fetch(50_000, node(9), CONTAINERD, config, BASE, ("code", 4_100_000))
    attestation: list[Blob] = [
        ("attestation config", 241),
        ("provenance", 18_400),
        ("sbom", 310_000),
    ]
    for number in range(5):
        small = [config, *attestation] if number % 2 else [*attestation[:2], config, attestation[2]]
        bundle: Blob = ("signature bundle", 9300)
        layers: list[Blob] = [BASE, ("code", 4_100_000)]
        log.fetch(number * HOURS, node(number), DOCKER_29, *small, *layers, bundle, every=0.01)


@story(pulls=5, builds=0)
def docker_reads_a_provenance_as_small_as_a_config(log: Registry) -> None:
    for number in range(5):
        small: list[Blob] = [("config", 6100), ("provenance", 7400)]
        small = small if number % 2 else small[::-1]
        small.insert(1, ("attestation config", 241))
        log.fetch(number * HOURS, node(number), DOCKER_29, *small, BASE, LAYER, every=0.01)


# Partial reads on purpose.


@story(pulls=5, builds=1)
def stargz_reads_ranges_for_hours(log: Registry) -> None:
    known(log)
    for number in range(3):
        at = 40_000 + number * 120
        log.read(at, node(number), "containerd/2.2.1", CONFIG)
        for hour in range(3):
            for count in range(6):
                blob = BASE if count % 2 else LAYER
                then = at + 1 + hour * HOURS + count
                log.read(
                    then, node(number), "Go-http-client/1.1", blob, part=50_000, names_image=False
                )


@story(pulls=4, builds=1)
def containerd_fetches_lazily_itself(log: Registry) -> None:
    known(log)
    for number in range(2):
        at = 40_000 + number * 120
        log.read(at, node(number), CONTAINERD, CONFIG)
        for count in range(6):
            log.read(at + 1 + count, node(number), CONTAINERD, LAYER, part=50_000 + count)


@story(pulls=3, builds=1)
def soci_indexes_then_reads_spans(log: Registry) -> None:
    known(log)
    log.read(40_000, node(1), "containerd/2.0.4", CONFIG)
    for count in range(8):
        log.read(40_001 + count, node(1), "soci-snapshotter/0.11.1", BASE, part=4_194_304 - count)


@story(pulls=4, builds=1, incomplete=1)
def podman_fetches_missing_chunks(log: Registry) -> None:
    known(log)
    for number in range(2):
        at = 40_000 + number * HOURS
        log.read(at, node(number), PODMAN, CONFIG)
        for part in (36_420, 1_900_000):
            log.read(at + part / 1_000_000, node(number), PODMAN, LAYER, part=part)
    log.read(60_000, node(3), PODMAN, CONFIG)
    log.read(60_001, node(3), PODMAN, LAYER, status=416)


# Reads of the bucket itself.


@story(pulls=2, builds=1)
def backups_and_tools_read_the_bucket(log: Registry) -> None:
    known(log)
    for number, agent in enumerate(("rclone/v1.69.1", "acme-backup/1.0 google-api-java")):
        log.fetch(
            *(40_000, node(10 + number), agent, CONFIG, BASE, LAYER),
            names_image=False,
            operation="storage.objects.get",
        )
    for number, agent in enumerate(("gcsfuse/2.5.1 (GPN:gcsfuse)", "gcloud-golang-storage/1.43.0")):
        log.fetch(50_000, node(20 + number), agent, CONFIG, BASE, LAYER, names_image=False)


# A registry of one's own.


@story(pulls=3, builds=1, host="http://registry.internal.example:5000")
def the_registry_reads_its_own_objects(log: Registry) -> None:
    own = "docker-distribution/v2.8.2 go1.19.8"
    manifest: Blob = ("manifest", 1786)
    for number in range(3):
        at = number * 1500
        place = f"docker/registry/v2/repositories/{log.path}/_manifests/tags/v1/current/link"
        log.log(at, "203.0.113.80", own, place, size=71)
        log.read(at + 0.1, "203.0.113.80", own, manifest, names_image=False)
        for count, blob in enumerate((CONFIG, BASE, LAYER)):
            log.read(
                *(at + 0.2 + count / 10, "203.0.113.80", "gcloud-golang-storage/1.43.0", blob),
                part=812,
                status=200,
                names_image=False,
                operation="storage.objects.get",
            )
            log.read(at + 0.25 + count / 10, node(number), CONTAINERD, blob)


# Agents, scanners, caches.


@story(pulls=5, builds=1)
def agents_are_odd(log: Registry) -> None:
    known(log)
    agents = (
        "containerd/2.2.1 " + "x" * 40_000,
        "Mozilla/5.0 (compatible;\nnext line; bot)",
        'acme "quoted" 🐳',
        "bootc/1.1.0 skopeo/1.18.0",
    )
    for number, agent in enumerate(agents):
        log.fetch(40_000 + number * 60, node(10 + number), agent, CONFIG, BASE, LAYER)


@story(pulls=2, builds=1)
def scanners_read_whole_images(log: Registry) -> None:
    known(log)
    for number, agent in enumerate(("trivy/0.58.1", "Wiz-Scanner/2.1", "syft/1.18.1")):
        log.fetch(40_000 + number * 60, node(10 + number), agent, CONFIG, BASE, LAYER)


@story(pulls=0, builds=0, image="app/cache")
def buildkit_reads_its_cache(log: Registry) -> None:
    for number in range(3):
        blobs: list[Blob] = [(f"cache config {number}", 752), ("cached", 900_000)]
        log.fetch(number * HOURS, node(1), "buildkit/v0.16.0", *blobs)


@story(pulls=3, builds=1)
def a_pull_through_cache_reads_everything_twice(log: Registry) -> None:
    known(log)
    for blob in (CONFIG, BASE, LAYER):
        log.fetch(40_000, node(1), "Go-http-client/1.1", blob, blob)


@story(pulls=4, builds=1)
def a_pull_fails_and_is_tried_again(log: Registry) -> None:
    known(log)
    log.read(40_000, node(1), CONTAINERD, CONFIG)
    log.read(40_001, node(1), CONTAINERD, BASE, status=503)
    log.fetch(40_030, node(1), CONTAINERD, CONFIG, BASE, LAYER)
    log.fetch(50_000, node(2), PODMAN, CONFIG)
    log.read(50_001, node(2), PODMAN, LAYER, status=400)
    log.fetch(50_002, node(2), PODMAN, LAYER, BASE)


# Small configs.

SMALL_CONFIG: Blob = ("small config", 180)


@story(pulls=7, builds=1)
def an_image_has_a_config_of_180_bytes(log: Registry) -> None:
    agents = (DOCKER, CONTAINERD, CRI_O, PODMAN, SKOPEO, CRANE, "python-requests/2.32.3")
    for number, agent in enumerate(agents):
        layers: list[Blob] = [BASE, ("small layer", 2000)]
        blobs = [*layers, SMALL_CONFIG] if agent == SKOPEO else [SMALL_CONFIG, *layers]
        log.fetch(number * HOURS, node(number), agent, *blobs)


@story(pulls=3, builds=1)
def containerd_alone_reads_a_config_of_180_bytes(log: Registry) -> None:
    for number in range(3):
        log.fetch(number * HOURS, node(number), CONTAINERD, SMALL_CONFIG, BASE)


@story(pulls=4, builds=1)
def an_attestation_has_a_statement_of_177_bytes(log: Registry) -> None:
    known(log)
    attestation: list[Blob] = [("attestation config", 167), ("statement", 177)]
    for number in range(2):
        at = 40_000 + number * HOURS
        log.fetch(at, node(number), DOCKER_29, CONFIG, *attestation, BASE, LAYER, every=0.01)
    log.fetch(80_000, node(5), "containerd/2.1.4+unknown", *attestation)


@story(pulls=6, builds=1)
def a_layer_of_a_hundred_bytes_overtakes_the_config(log: Registry) -> None:
    for number in range(6):
        blobs: list[Blob] = [("config", 1400), ("workdir", 121), BASE]
        if number == 0:
            blobs[:2] = blobs[1::-1]
        log.fetch(number * HOURS, node(number), DOCKER, *blobs)


# Builds that were read once.


@story(pulls=1, builds=1)
def a_layer_overtakes_the_config_of_a_build_that_is_read_once(log: Registry) -> None:
    log.fetch(0, node(1), CONTAINERD, ("layer", 500_000), ("config", 5200), BASE, every=0.02)


@story(pulls=6, builds=2)
def a_known_layer_comes_before_the_config_of_a_new_build(log: Registry) -> None:
    user: Blob = ("user", 395)
    for number in range(5):
        log.fetch(number * HOURS, node(number), DOCKER, CONFIG, user, BASE)
    log.fetch(40_000, node(9), DOCKER, user, BASE, ("new config", 4700), ("new layer", 3_000_000))


@story(pulls=1, builds=0)
def a_build_with_forty_layers_is_read_once(log: Registry) -> None:
    layers: list[Blob] = [(f"layer {number}", 300 + 700 * number) for number in range(40)]
    layers[3:3] = [("config", 21_000)]
    log.fetch(0, node(1), DOCKER, *layers, BASE, every=0.01)


# Artifacts and caches.


@story(pulls=0, builds=0)
def an_artifact_has_an_empty_config_and_two_files(log: Registry) -> None:
    empty: Blob = (EMPTY_CONFIG, 2)
    for number, agent in enumerate((CRI_O, PODMAN, CONTAINERD, DOCKER, "python-requests/2.32.3")):
        log.fetch(number * HOURS, node(number), agent, empty, BASE, ("readme", 2048))
    log.fetch(40_000, node(9), CRI_O, BASE, ("readme", 2048))


@story(pulls=0, builds=0)
def programs_read_artifacts_only(log: Registry) -> None:
    for number, agent in enumerate(("model-distribution", "oras-go", "Helm/3.16.2")):
        log.fetch(number * HOURS, node(number), agent, ("config", 412), ("weights", 90_000_000))


@story(pulls=3, builds=1)
def only_builders_read_the_cache_in_an_images_repository(log: Registry) -> None:
    known(log)
    log.fetch(40_000, node(7), "buildkit/v0.16.0", ("cache config", 9100), BASE, ("step", 700_000))


@story(pulls=2, builds=0)
def a_registry_that_caches_is_alone_with_an_image(log: Registry) -> None:
    blobs: list[Blob] = [CONFIG, BASE, LAYER, ("copy", 9000), ("user", 300)]
    log.fetch(
        0, node(1), "Go-http-client/1.1", *(twice for blob in blobs for twice in (blob, blob))
    )
    small: list[Blob] = [("small image", 1400), ("small layer", 2400)]
    log.fetch(
        9000, node(1), "Go-http-client/1.1", *(twice for blob in small for twice in (blob, blob))
    )


# Interrupted pulls.


@story(pulls=3, builds=1, incomplete=0)
def a_cut_pull_is_resumed_after_ten_minutes(log: Registry) -> None:
    known(log)
    log.read(40_000, node(1), DOCKER, CONFIG)
    log.read(40_001, node(1), DOCKER, LAYER, part=1_000_000, status=200)
    log.read(40_602, node(1), DOCKER, LAYER, part=LAYER[1] - 1_000_000)
    log.read(40_603, node(1), DOCKER, BASE)


@story(pulls=2, builds=1, incomplete=1)
def a_cut_pull_is_never_resumed(log: Registry) -> None:
    known(log)
    log.read(40_000, node(1), DOCKER, CONFIG)
    log.read(40_001, node(1), DOCKER, LAYER, part=1_000_000, status=200)
    log.read(40_602, node(1), DOCKER, LAYER, part=2_000_000)


@story(pulls=4, builds=1, incomplete=1)
def refused_attempts_are_one_incomplete_pull(log: Registry) -> None:
    known(log)
    for attempt in range(3):
        log.read(40_000 + 20 * attempt, node(1), CONTAINERD, CONFIG)
        log.read(40_001 + 20 * attempt, node(1), CONTAINERD, LAYER, status=429)
    for number in (2, 3):
        log.fetch(50_000 + number, node(number), CONTAINERD, CONFIG, BASE, LAYER)


def outcomes(folder: Path) -> list[Outcome]:
    """Tell all stories into one database, build it once, and ask for the pulls of each."""
    registries = []
    for number, each in enumerate(STORIES):
        registry = Registry(f"story-{number}-prod", each.host, each.image)
        each.tell(registry)
        registries.append(registry)
    (folder / "stories").mkdir()
    project = Project(folder / "stories")
    project.load([write(project.folder, registries)])
    project.dbt("seed")
    hosts = [registry.image.split("/")[0] for registry in registries if registry.is_own]
    project.dbt("run", "--vars", f"{{self_hosted_registries: {hosts}}}")
    found = {
        str(resource): (int(str(pulls)), int(str(builds)), int(str(incomplete)))
        for resource, pulls, builds, incomplete in project.query(
            "select resource_name, count(*) filter (is_complete), count(distinct image_id),"
            " count(*) filter (not is_complete) from pullstats.fct_image_pulls group by all"
        )
    }
    return [
        Outcome(story.name, story.expected, found.get(registry.bucket, (0, 0, 0)))
        for story, registry in zip(STORIES, registries, strict=True)
    ]

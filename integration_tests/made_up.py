"""Makes up what clients do at registries, as a bucket and Artifact Registry would log it.

`python -m integration_tests.made_up` counts it, and prints a table by kind of traffic.
"""

import json
import random
import tempfile
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from integration_tests import traffic
from integration_tests.accuracy import day_of, table
from integration_tests.project import Project
from integration_tests.traffic import FIRST_DAY, HOUR, SECOND, Blob, Registry

HOURS = HOUR // SECOND
METHODS = {"H": "HeadManifest", "G": "GetManifest", "B": "ServeBlob", "T": "GetTags"}
# Time between two pulls that a failure may part.
NEAR = 600 * SECOND


@dataclass(frozen=True)
class Program:
    """How a program pulls: `HG` asks for the tag with HEAD, then for its digest with GET."""

    agent: str
    asks: str = "HG"
    order: str = "config first"
    children: str = "one"
    reads_in_turn: bool = False
    keeps_layers: bool = True
    reads_config_again: bool = False


def copier(agent: str, asks: str = "G", order: str = "config first") -> Program:
    return Program(agent, asks, order, reads_in_turn=order != "mixed", keeps_layers=False)


DOCKER = Program("docker/27.5.1 go/go1.22.11 kernel/6.8.0 os/linux", order="config overtaken")
DOCKER_29 = Program("docker/29.1.3 go/go1.25.5 kernel/6.8.0 os/linux", children="attested")
CONTAINERD = Program("containerd/1.7.27")
CRI_O = Program("cri-o/1.33.1 go/go1.23.0 os/linux arch/amd64", "G", reads_config_again=True)
PODMAN = Program("libpod/5.4.2", "G", reads_config_again=True)
CONTAINERS = Program("containers/5.34.0 (github.com/containers/image)", "G")
BUILDKIT = Program("buildkit/v0.17.2")
BUILDAH = Program("Buildah/1.39.0", "G")
JIB = Program("jib 3.4.4 jib-maven-plugin Google-HTTP-Java-Client/1.42.3 (gzip)", "G")
KANIKO = copier("kaniko/v1.23.2", "GG")
SKOPEO = copier("skopeo/1.18.0", order="config last")
CRANE = copier("crane/v0.20.2 go-containerregistry/v0.20.2")
UNKNOWN = copier("acme-sync/0.3")
PYTHON = copier("python-requests/2.32.3")
RUNS = [DOCKER, DOCKER_29, CONTAINERD, Program("containerd/2.1.4"), CRI_O, PODMAN, CONTAINERS]
BUILDS = [BUILDKIT, BUILDAH, JIB, KANIKO, copier("ko/v0.17.1"), copier("Bazel/release 7.4.1")]
COPIES = [
    *(SKOPEO, CRANE, UNKNOWN, copier("go-containerregistry/v0.20.2")),
    *(copier("harbor-registry-client"), copier("regclient/regctl (v0.8.0)", "HG", "mixed")),
    copier("oras/1.3.3", order="mixed"),
]
OTHERS = [
    Program("Apptainer/1.4.5 (Linux x86_64)", "G", "config last", reads_in_turn=True),
    *(Program(agent, "G") for agent in ("enroot/3.5.0", "ch-image/0.38", "bootc/1.1.4")),
    *(Program(agent) for agent in ("Nexus/3.68.1-02 (PRO; Linux)", "Artifactory/7.77.5")),
    *(Program("Go-http-client/1.1", order="each twice"), PYTHON),
]


@dataclass
class Manifest:
    name: str
    config: Blob
    layers: list[Blob]


@dataclass
class Image:
    """What a tag names: a manifest, or an index of platforms, perhaps with attestations."""

    tag: str
    platforms: list[Manifest]
    attestations: list[Manifest] = field(default_factory=list)

    @property
    def is_index(self) -> bool:
        return len(self.platforms) + len(self.attestations) > 1

    @property
    def root(self) -> str:
        return f"{self.tag} index" if self.is_index else self.platforms[0].name


@dataclass(frozen=True)
class Client:
    address: str
    principal: str


class World(Registry):
    """A repository in a bucket and in Artifact Registry, and who pulled what of it, and when."""

    def __init__(self, kind: str, number: int, chance: random.Random) -> None:
        super().__init__(f"{kind}-{number}")
        self.kind, self.chance = kind, chance
        self.entries: list[dict[str, object]] = []
        self.pulls: list[tuple[int, set[str]]] = []
        self.clients = 0
        # configs of an image's tags differ little
        self.config_size = chance.randrange(1500, 9000)

    def client(self, principal: str = "nodes") -> Client:
        self.clients += 1
        return Client(f"198.51.{self.clients % 100}.{self.clients // 100 + 7}", principal)

    def build(
        self, tag: str, platforms: int = 1, base: Iterable[Blob] = (), *, is_attested: bool = False
    ) -> Image:
        image = Image(tag, [])
        # one Dockerfile makes all platforms: as many layers, of about the same size
        sizes = self.chance.choices([700, 40_000, 6_000_000], k=self.chance.randrange(1, 5))
        for number in range(platforms):
            name = f"{tag} platform {number}"
            layers = [
                (f"{name} layer {each}", size + each + size * number // 50)
                for each, size in enumerate(sizes)
            ]
            config = (f"{name} config", self.config_size + self.chance.randrange(40))
            image.platforms.append(Manifest(name, config, [*base, *layers]))
            if is_attested:
                proof = (f"{name} provenance", 9_000 + number)
                attestation = Manifest(f"{name} attestation", (f"{name} proof", 167), [proof])
                image.attestations.append(attestation)
        return image

    def builds(self, count: int, **more: bool) -> list[Image]:
        return [self.build(f"v{n}", self.chance.choice([1, 2]), **more) for n in range(count)]

    def ask(
        self,
        at: float,
        client: Client,
        agent: str,
        step: str,
        name: str = "",
        size: int = 0,
        tag: str = "",
        code: int = 0,
        *,
        is_range: bool = False,
    ) -> None:
        """Log one request in both logs; the bucket's log has reads of blobs alone."""
        sha = f"sha256:{self.blob_digest((name, 0))}"
        paths = {"T": "tags/list", "B": f"blobs/{sha}"}
        found = f"@{sha}" if step in "HG" else ""
        store = f"projects/{self.project}/locations/us/repositories/apps"
        time = datetime.fromtimestamp((FIRST_DAY + int(at * SECOND)) / SECOND, UTC)
        payload = {
            "serviceName": "artifactregistry.googleapis.com",
            "methodName": f"Docker-{METHODS[step]}",
            "resourceName": f"{store}/dockerImages/app{found}",
            "authenticationInfo": {
                "principalEmail": f"{client.principal}@{self.project}.iam.gserviceaccount.com"
            },
            "requestMetadata": {"callerIp": client.address, "callerSuppliedUserAgent": agent},
            "request": {
                "requestUrl": f"/v2/{self.project}/apps/app/"
                + paths.get(step, f"manifests/{tag or sha}")
            },
            "status": {"code": code} if code else {},
        }
        self.entries.append(
            {
                "logName": f"projects/{self.project}/logs/cloudaudit.googleapis.com%2Fdata_access",
                "insertId": f"{self.project}{len(self.entries)}",
                "timestamp": f"{time:%Y-%m-%dT%H:%M:%S.%f}000Z",
                "protoPayload": payload,
            }
        )
        if step == "B":
            status, part = 429 if code else None, size if is_range else None
            self.read(at + 0.02, client.address, agent, (name, size), part=part, status=status)

    def pull(
        self,
        at: float,
        client: Client,
        program: Program,
        image: Image,
        have: Iterable[Blob] = (),
        *,
        pool: list[Client] | None = None,
        refused: int | None = None,
        is_pull: bool = True,
    ) -> float:
        """Log a pull by a client that has some blobs; give when it ends."""
        start, blobs = at, 0
        for step, name, size, tag in self.steps(program, image, set(have)):
            blobs += step == "B"
            code = 8 if blobs and blobs - 1 == refused else 0
            who = self.chance.choice(pool) if pool else client
            self.ask(at, who, program.agent, step, name, size, tag, code)
            slowest = 1.5 if program.reads_in_turn else 0.25
            at += self.chance.uniform(0.02, slowest) + size / 6e6 * self.chance.uniform(0.2, 1)
            if code:
                break
        if is_pull:
            ids = {self.image_id(each.config) for each in children(program, image)}
            self.pulls.append((FIRST_DAY + int(start * SECOND), ids))
        return at

    def steps(
        self, program: Program, image: Image, had: set[Blob]
    ) -> Iterator[tuple[str, str, int, str]]:
        for step in program.asks:
            is_by_tag = step == "H" or "H" not in program.asks
            yield step, image.root, 0, image.tag if is_by_tag else ""
        wanted = children(program, image)
        for turn in [[each] for each in wanted] if program.reads_in_turn else [wanted]:
            if image.is_index:
                yield from (("G", each.name, 0, "") for each in turn)
            blobs = []
            for each in turn:
                layers = [layer for layer in each.layers if layer not in had]
                place = len(layers) if program.order == "config last" else 0
                # docker asks for the config and the first layers at once: 1 of 110 recorded pulls
                if program.order == "config overtaken" and self.chance.random() < 0.03:
                    place = 1
                blobs += [*layers[:place], each.config, *layers[place:]]
                had |= {*each.layers} if program.keeps_layers or len(wanted) > 1 else set()
            if program.order == "mixed":
                self.chance.shuffle(blobs)
            for blob in blobs:
                yield from [("B", *blob, "")] * (2 if program.order == "each twice" else 1)


def children(program: Program, image: Image) -> list[Manifest]:
    """Give the manifests that a program reads of an image."""
    if program.children == "all":
        return [*image.platforms, *image.attestations]
    return image.platforms[:1] + (image.attestations[:1] if program.children == "attested" else [])


Kind = Callable[[World], None]
KINDS: dict[str, Kind] = {}


def kind(tell: Kind) -> Kind:
    KINDS[tell.__name__.replace("_", "-")] = tell
    return tell


def pulls_by_many(log: World, images: list[Image], pool: list[Client] | None = None) -> None:
    programs = log.chance.choices(RUNS, k=9) + log.chance.choices(COPIES + OTHERS, k=3)
    for number, program in enumerate(programs):
        image = log.chance.choice(images)
        log.pull(number * HOURS, log.client(), program, image, pool=pool)


@kind
def plain(log: World) -> None:
    pulls_by_many(log, log.builds(3))


@kind
def small_configs(log: World) -> None:
    log.config_size = log.chance.randrange(100, 216)
    pulls_by_many(log, log.builds(2))


@kind
def attestations(log: World) -> None:
    pulls_by_many(log, log.builds(2, is_attested=True))


@kind
def pool(log: World) -> None:
    pulls_by_many(log, log.builds(2), [log.client() for _ in range(3)])


@kind
def warm(log: World) -> None:
    base = [("base 1", 30_000_000), ("base 2", 9_000_000)]
    images = [log.build(f"v{number}", 2, base) for number in range(3)]
    at = 0
    for program in log.chance.choices(RUNS, k=6) + log.chance.choices(COPIES + OTHERS, k=2):
        client, have = log.client(), set[Blob]()
        for image in images:
            log.pull(at, client, program, image, have)
            if program.keeps_layers:
                have |= {*image.platforms[0].layers}
            for later in (at + 600, at + 1200):
                if not program.keeps_layers or program.reads_config_again:
                    log.pull(later, client, program, image, have)
                else:
                    step, name, _, tag = next(log.steps(program, image, have))
                    log.ask(later, client, program.agent, step, name, tag=tag)
            at += HOURS


@kind
def one_address(log: World) -> None:
    image, other = log.build("v1", 2), log.build("v2", 2, is_attested=True)
    for number, program in enumerate(log.chance.sample(RUNS, 4)):
        client = log.client()
        for _ in range(log.chance.randrange(2, 8)):
            log.pull(number * HOURS + log.chance.uniform(0, 3), client, program, image)
            log.pull(number * HOURS + 1800 + log.chance.uniform(0, 3), client, program, other)


@kind
def sync(log: World) -> None:
    """Each day a program copies the tags that are new, and looks at the others."""
    program = replace(log.chance.choice(COPIES), children="all")
    client, platforms = log.client("sync"), log.chance.choice([1, 2])
    images = [log.build(f"v{number}", platforms) for number in range(8)]
    for day in range(3):
        at: float = day * 24 * HOURS
        log.ask(at, client, program.agent, "T")
        for number, image in enumerate(images[: 4 + 2 * day]):
            at += 0.5
            if day and number < 2 + 2 * day:
                log.ask(at, client, program.agent, program.asks[0], image.root, tag=image.tag)
            else:
                at = log.pull(at, client, program, image)
    log.pull(72 * HOURS, log.client(), CONTAINERD, images[0])


@kind
def builds(log: World) -> None:
    base = log.build("base", 2)
    for number, program in enumerate(log.chance.sample(BUILDS, 3)):
        client = log.client("builder")
        log.pull(number * HOURS, client, program, base)
        for later in range(3, 12, 3):
            at = (number + later) * HOURS
            if program is BUILDKIT:
                log.ask(at, client, program.agent, "H", base.root, tag="base")
            else:
                have = base.platforms[0].layers if program.keeps_layers else ()
                log.pull(at, client, program, base, have, is_pull=program is not JIB)


@kind
def refused(log: World) -> None:
    """A client that was refused a blob tries again: one pull."""
    image = log.build("v1", 2)
    for number, program in enumerate([CONTAINERD, *log.chance.sample(RUNS, 5)]):
        at, client = number * HOURS, log.client()
        if number:
            blob = log.chance.randrange(2)
            end = log.pull(at, client, program, image, refused=blob, is_pull=False)
            at = int(end) + log.chance.randrange(1, 200)
        log.pull(at, client, program, image)


@kind
def inspections(log: World) -> None:
    images = [log.build(f"v{number}", 2) for number in range(3)]
    for number, program in enumerate(log.chance.sample(RUNS, 3)):
        log.pull(number * HOURS, log.client(), program, images[0])
    for number, program in enumerate((SKOPEO, CRANE, PYTHON, UNKNOWN)):
        at: float = (number + 5) * HOURS
        client = log.client("watch")
        if program is not SKOPEO:
            log.ask(at, client, program.agent, "T")
        for image in images[: log.chance.choice([1, 3])]:
            have = image.platforms[0].layers
            at = log.pull(at + 1, client, program, image, have, is_pull=False)
        # skopeo inspects an image before it lists the tags
        if program is SKOPEO:
            log.ask(at + 1, client, program.agent, "T")
    looks = [("G", each.name, 0) for each in images[0].platforms]
    looks += [("B", *each.config) for each in images[0].platforms]
    client = log.client()
    for number, look in enumerate([("H", images[0].root, 0), ("G", images[0].root, 0), *looks]):
        log.ask(15 * HOURS + number / 20, client, "containerd/2.1.4+unknown", *look)


@kind
def lazy(log: World) -> None:
    images = [log.build(f"v{number}", 2) for number in range(3)]
    agents = ("Go-http-client/1.1", "soci-snapshotter/0.11.1", "nydusd/1.0.0")
    for number, (image, agent) in enumerate(zip(images, agents, strict=True)):
        log.pull(number * HOURS, log.client(), DOCKER, image)
        client, layers = log.client(), image.platforms[0].layers
        end = log.pull((number + 4) * HOURS, client, CONTAINERD, image, layers)
        if agent.startswith("soci"):
            log.ask(end + 0.1, client, agent, "G", "spans")
            log.ask(end + 0.2, client, agent, "B", "spans of a layer", 90_000)
        for count in range(12):
            name, size = log.chance.choice(layers)
            part = min(size, 50_000)
            log.ask(end + 1 + count * 30, client, agent, "B", name, part, is_range=True)


@kind
def artifacts(log: World) -> None:
    image = log.build("v1", 2)
    signature = f"sha256-{log.blob_digest((image.root, 0))}.sig"
    agents = ("cosign/v2.4.1 (linux; amd64) go-containerregistry/v0.20.2", "acme-admission/1.0")
    for number, program in enumerate((DOCKER, CONTAINERD, CRI_O)):
        at: float = number * HOURS
        for agent in agents:
            client = log.client()
            log.ask(at, client, agent, "H", image.root, tag="v1")
            log.ask(at + 1, client, agent, "G", "signature", tag=signature)
            log.ask(at + 2, client, agent, "B", "payload", 240)
        client = log.client()
        log.pull(at + 60, client, program, image)
        log.ask(at + 90, client, "Helm/3.16.2", "G", "chart", tag="chart-1")
        log.ask(at + 91, client, "Helm/3.16.2", "B", "chart of an app", 4_000)


def made_up(count: int, seed: int = 1) -> list[World]:
    found = []
    for name, tell in KINDS.items():
        for number in range(count):
            world = World(name, number, random.Random(f"{seed} {name} {number}"))
            tell(world)
            found.append(world)
    return found


def write(folder: Path, worlds: list[World]) -> list[Path]:
    logs = folder / "cloudaudit.googleapis.com/data_access/2026/03/02"
    logs.mkdir(parents=True)
    audit = logs / "00:00:00_00:59:59_S0.json"
    entries = [json.dumps(entry) + "\n" for each in worlds for entry in each.entries]
    audit.write_text("".join(entries), encoding="utf-8")
    return [traffic.write(folder, list(worlds)), audit]


@dataclass
class Figures:
    pulls: int = 0
    counted: int = 0
    wrong: int = 0
    ids_unknown: int = 0
    ids_wrong: int = 0
    certain: int = 0
    certain_wrong: int = 0

    @property
    def error(self) -> float:
        return self.wrong / self.pulls


def judge(project: Project, worlds: list[World]) -> dict[tuple[str, str], Figures]:
    """Compare each world's complete pulls with those that it made up, by kind and log."""
    rows: dict[tuple[str, str], list[tuple[int, object, bool]]] = defaultdict(list)
    # what is certain finds its pull first, then what has an image id
    for image, log, start, image_id, is_certain in project.query(
        "select image, log_source, epoch_us(started_at), image_id, count_confidence = 'certain'"
        " from pullstats.fct_image_pulls where is_complete"
        " order by 5 desc, image_id is null, started_at"
    ):
        rows[str(image).split("/")[1], str(log)].append(
            (int(str(start)), image_id, bool(is_certain))
        )
    found: dict[tuple[str, str], Figures] = defaultdict(Figures)
    for world in worlds:
        for log in ("gcs_usage", "cloud_audit"):
            figures, counted, left = (
                found[world.kind, log],
                rows[world.project, log],
                [*world.pulls],
            )
            days = Counter(day_of(start) for start, _ in left)
            counted_days = Counter(day_of(start) for start, _, _ in counted)
            figures.pulls += len(left)
            figures.counted += len(counted)
            figures.wrong += ((days - counted_days) + (counted_days - days)).total()
            for start, image_id, is_certain in counted:
                near = [pull for pull in left if abs(pull[0] - start) <= NEAR]
                is_pull = bool(near)
                has_id = [pull for pull in near if image_id in pull[1]]
                if near:
                    left.remove(min(has_id or near, key=lambda pull: abs(pull[0] - start)))
                is_wrong = is_pull and image_id is not None and not has_id
                figures.ids_unknown += image_id is None
                figures.ids_wrong += is_wrong
                figures.certain += is_certain
                figures.certain_wrong += is_certain and (is_wrong or not is_pull)
    return found


def report(figures: dict[tuple[str, str], Figures]) -> str:
    header = ("kind, log", "pulls", "counted", "wrong", "ids unknown", "wrong", "certain", "wrong")
    rows = []
    for (kind, log), each in figures.items():
        pulls = each.pulls, each.counted, f"{each.error:.1%}"
        ids = each.ids_unknown, each.ids_wrong
        rows.append((f"{kind}, {log}", *pulls, *ids, each.certain, each.certain_wrong))
    return table(header, rows)


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        project, worlds = Project(Path(folder)), made_up(12)
        project.load(write(Path(folder), worlds))
        project.run()
        print(report(judge(project, worlds)))


if __name__ == "__main__":
    main()

"""Where a tiny blob can be an image's config, a wrong image id is never certain."""

import random

from integration_tests import stories
from integration_tests.project import Project
from integration_tests.traffic import FIRST_DAY, HOUR, SECOND, Blob, Registry, write

CONFIG_FIRST = [
    *(stories.DOCKER, stories.DOCKER_29, stories.CONTAINERD, stories.CRI_O, stories.PODMAN),
    *("buildkit/0.13", "python-requests/2.32.3"),
]
CONFIG_LAST = [stories.SKOPEO, "apptainer/1.3.2"]


def pull_a_build(log: Registry, chance: random.Random) -> dict[tuple[str, int], str]:
    """Log pulls of one build by a few programs, and give its image id for each."""
    config: Blob = ("config", chance.choice([chance.randrange(100, 256), 700, 4200]))
    layers: list[Blob] = [("base", 24_000_000), ("workdir", chance.choice([97, 118, 150, 240]))]
    for number in range(chance.randrange(3)):
        size = chance.choice([180, 1200, 30_000, 6_000_000])
        layers.append((f"layer {number}", size + number))
    layers = chance.sample(layers, chance.randrange(1, len(layers) + 1))
    agents = chance.sample(CONFIG_FIRST + CONFIG_LAST, chance.choice([1, 2, 3]))
    expected = {}
    for number in range(chance.choice([2, 3, 6])):
        agent = chance.choice(agents)
        blobs = [*layers, config] if agent in CONFIG_LAST else [config, *layers]
        if chance.random() < 0.12:
            blobs[:2] = blobs[1::-1]
        at = number * HOUR // SECOND
        log.fetch(at, f"192.0.{number}.{chance.randrange(256)}", agent, *blobs)
        expected[log.bucket, FIRST_DAY + at * SECOND] = log.image_id(config)
    return expected


def test_no_wrong_image_id_is_certain(project: Project) -> None:
    chance = random.Random(1)
    logs = [Registry(f"tiny-{number}-prod") for number in range(250)]
    expected: dict[tuple[str, int], str] = {}
    for log in logs:
        expected |= pull_a_build(log, chance)
    project.load([write(project.folder, logs)])
    project.run()
    found = project.query(
        "select resource_name, epoch_us(started_at), image_id from pullstats.fct_image_pulls"
        " where count_confidence = 'certain'"
    )
    wrong = [(bucket, at, id) for bucket, at, id in found if expected.get((bucket, at)) != id]
    assert len(found) > len(expected) // 4
    assert not wrong

"""Registries that are made up: how many pulls are counted right, and no wrong one is certain."""

import random
from collections.abc import Callable

import pytest

from integration_tests import made_up, stories
from integration_tests.project import Project
from integration_tests.traffic import FIRST_DAY, HOUR, SECOND, Blob, Registry, write

CONFIG_FIRST = [
    *(stories.DOCKER, stories.DOCKER_29, stories.CONTAINERD, stories.CRI_O, stories.PODMAN),
    *("buildkit/0.13", "python-requests/2.32.3"),
]
CONFIG_LAST = [stories.SKOPEO, "apptainer/1.3.2"]
# What a bucket's log shows in part only. The limit of all others is 3%.
LIMITS = {
    ("sync", "gcs_usage"): 0.6,
    ("small-configs", "gcs_usage"): 0.1,
}


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


@pytest.fixture(scope="module")
def worlds() -> list[made_up.World]:
    return made_up.made_up(8)


@pytest.fixture(scope="module")
def tiny() -> tuple[list[Registry], dict[tuple[str, int], str]]:
    chance = random.Random(1)
    logs = [Registry(f"tiny-{number}-prod") for number in range(250)]
    expected: dict[tuple[str, int], str] = {}
    for log in logs:
        expected |= pull_a_build(log, chance)
    return logs, expected


@pytest.fixture(scope="module")
def built(
    tmp_path_factory: pytest.TempPathFactory,
    worlds: list[made_up.World],
    tiny: tuple[list[Registry], dict[tuple[str, int], str]],
) -> Project:
    folder = tmp_path_factory.mktemp("made_up")
    project = Project(folder)
    others = write(folder, tiny[0])
    others = others.rename(others.with_name(f"tiny_{others.name}"))
    project.load([*made_up.write(folder, worlds), others])
    project.run()
    return project


def test_pulls_of_each_kind_are_counted(
    built: Project, worlds: list[made_up.World], record_property: Callable[[str, object], None]
) -> None:
    figures = made_up.judge(built, worlds)
    record_property("made-up registries", "\n" + made_up.report(figures))
    wrong = {key: each for key, each in figures.items() if each.error > LIMITS.get(key, 0.03)}
    assert not wrong
    assert not [
        key
        for key, each in figures.items()
        if key not in LIMITS and (each.ids_wrong or each.certain_wrong)
    ]


def test_no_wrong_image_id_is_certain(
    built: Project, tiny: tuple[list[Registry], dict[tuple[str, int], str]]
) -> None:
    _, expected = tiny
    found = built.query(
        "select resource_name, epoch_us(started_at), image_id from pullstats.fct_image_pulls"
        " where count_confidence = 'certain' and resource_name like '%.tiny-%'"
    )
    wrong = [(bucket, at, id) for bucket, at, id in found if expected.get((bucket, at)) != id]
    assert len(found) > len(expected) // 4
    assert not wrong

"""What one network writes into a log changes nothing that several others have shown."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from integration_tests.project import Project
from integration_tests.stories import DOCKER, Tell
from integration_tests.traffic import EMPTY_CONFIG, HOUR, SECOND, Blob, Registry, write

DAY = 24 * HOUR // SECOND
CONFIG: Blob = ("config", 4200)
SMALL: Blob = ("small layer", 300_000)
SMALLEST: Blob = ("smallest layer", 9000)
LARGE: Blob = ("large layer", 9_000_000)
TINY: Blob = ("tiny layer", 150)
LIAR = "203.0.113.{}"


def honest(log: Registry) -> None:
    """Pulls of two networks on three days, of which a third names no image."""
    for number in range(12):
        address = f"{('192.0.2', '198.51.100')[number % 2]}.{number}"
        at = number % 3 * DAY + number * 1000
        log.fetch(at, address, DOCKER, CONFIG, SMALL, LARGE, names_image=number > 3)


def parts_under_many_names(log: Registry) -> None:
    for number in range(30):
        agent, at = f"docker/1.{number}", 5 * DAY + number * 1000
        log.read(at, LIAR.format(number), agent, SMALL, part=300)
        log.read(at + 2, LIAR.format(number), agent, CONFIG, part=1000)


def whole_blobs_in_a_wrong_order(log: Registry) -> None:
    for number in range(32):
        at = (5 + number % 8) * DAY + number * 1000
        log.fetch(at, LIAR.format(1), f"docker/1.{number}", SMALL, CONFIG)


def the_empty_config_beside_the_config(log: Registry) -> None:
    for number in range(32):
        at = (5 + number % 8) * DAY + number * 1000
        log.fetch(at, LIAR.format(1), f"docker/1.{number}", (EMPTY_CONFIG, 2), CONFIG)


def a_tiny_blob_before_the_config(log: Registry) -> None:
    for number in range(32):
        at = (5 + number % 8) * DAY + number * 1000
        log.fetch(at, LIAR.format(1), f"docker/1.{number}", TINY, CONFIG, SMALL)


def one_byte_under_another_image(log: Registry) -> None:
    other = Registry(log.project, image="other")
    for blob in (CONFIG, SMALL, LARGE):
        other.read(5 * DAY, LIAR.format(1), DOCKER, blob, part=1)
    log.rows += other.rows


def whole_blobs_under_another_image(log: Registry) -> None:
    other = Registry(log.project, image="other")
    for number in range(8):
        other.fetch((5 + number) * DAY, LIAR.format(1), DOCKER, CONFIG, SMALL, LARGE)
    log.rows += other.rows


def a_layer_read_as_a_config(log: Registry) -> None:
    """By a first client, as long as no others read it."""
    log.fetch(0, "192.0.2.1", DOCKER, SMALLEST, LARGE)


def the_layer_read_as_a_layer(log: Registry) -> None:
    other = Registry(log.project, image="other")
    for number in (1, 2):
        other.fetch(number * DAY, f"198.51.{number}.1", DOCKER, CONFIG, SMALLEST, LARGE)
    log.rows += other.rows


LIES: list[Tell] = [
    parts_under_many_names,
    whole_blobs_in_a_wrong_order,
    the_empty_config_beside_the_config,
    a_tiny_blob_before_the_config,
    one_byte_under_another_image,
    whole_blobs_under_another_image,
]
FLIPS = Registry("flip-prod")
Rows = list[tuple[object, ...]]


def registry(lie: Tell) -> Registry:
    return Registry(f"lie-{LIES.index(lie)}-prod")


def shown_by_others(project: Project, lie: Tell) -> tuple[Rows, Rows]:
    """Pulls of all but the liar, and the blobs that they read."""
    bucket = registry(lie).bucket
    pulls = project.query(
        "select columns(* exclude resource_name) from pullstats.fct_image_pulls where"
        f" client_network != '203.0.113.0/24' and resource_name = '{bucket}' order by all"
    )
    blobs = project.query(
        "select digest, blob_kind, image from pullstats.dim_blobs"
        f" where size_bytes > 1000 and bucket_name = '{bucket}' order by all"
    )
    return pulls, blobs


@dataclass
class LiedTo:
    project: Project
    logs: list[Path]
    before: dict[Tell, tuple[Rows, Rows]]


@pytest.fixture(scope="module")
def lied_to(tmp_path_factory: pytest.TempPathFactory) -> LiedTo:
    project = Project(tmp_path_factory.mktemp("lies"))
    logs = {lie: registry(lie) for lie in LIES}
    flips = Registry(FLIPS.project)
    for log in logs.values():
        honest(log)
    a_layer_read_as_a_config(flips)
    paths = [written(project.folder, "honest", [*logs.values(), flips])]
    project.load(paths)
    project.run()
    before = {lie: shown_by_others(project, lie) for lie in LIES}
    for lie, log in logs.items():
        log.rows.clear()
        lie(log)
    flips.rows.clear()
    the_layer_read_as_a_layer(flips)
    paths.append(written(project.folder, "lies", [*logs.values(), flips]))
    project.load(paths)
    project.run()
    return LiedTo(project, paths, before)


def written(folder: Path, name: str, logs: list[Registry]) -> Path:
    """Write a log object of its own name, which is its identity."""
    path = write(folder, logs)
    return path.rename(path.with_name(f"{name}_usage_2026_03_02_00_00_00_00aaaa_v0"))


@pytest.mark.parametrize("lie", LIES, ids=lambda lie: lie.__name__)
def test_one_network_changes_nothing_that_several_have_shown(lie: Tell, lied_to: LiedTo) -> None:
    pulls, blobs = lied_to.before[lie]
    assert len(pulls) == 12
    assert {row[1:] for row in blobs} == {
        ("config", registry(lie).image),
        ("layer", registry(lie).image),
    }
    assert shown_by_others(lied_to.project, lie) == (pulls, blobs)


@pytest.mark.parametrize(
    "lie", [parts_under_many_names, one_byte_under_another_image], ids=lambda lie: lie.__name__
)
def test_parts_of_a_config_make_no_complete_pull(lie: Tell, lied_to: LiedTo) -> None:
    found = lied_to.project.query(
        "select image, pulls, end_user_pulls, builds from pullstats.dim_images"
        f" where project_id = '{registry(lie).project}'"
    )
    assert found == [(registry(lie).image, 12, 12, 1)]


def test_what_lies_change_does_not_depend_on_their_arrival(
    lied_to: LiedTo, project: Project
) -> None:
    project.load(lied_to.logs)
    project.run()
    assert project.marts() == lied_to.project.marts()


@pytest.mark.parametrize(
    ("test", "column", "expected"),
    [
        ("assert_no_blob_changes_its_kind", "digest", FLIPS.image_id(SMALLEST)),
        ("assert_no_image_loses_its_pulls", "image", FLIPS.image),
    ],
)
def test_a_test_names_what_flipped(test: str, column: str, expected: str, lied_to: LiedTo) -> None:
    with pytest.raises(AssertionError, match=f"{test}.*Got 1 result"):
        lied_to.project.dbt("--warn-error", "test", "--select", test)
    lied_to.project.dbt("compile", "--select", test)
    sql = (lied_to.project.folder / f"target/compiled/pullstats/tests/{test}.sql").read_text()
    assert lied_to.project.query(f"select {column} from ({sql})") == [(expected,)]

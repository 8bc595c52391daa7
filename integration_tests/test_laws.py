"""Laws of counting: what may change in a bucket's log without a change of its pulls.

Each world is a recording under other project names, changed by one law, or a variant of the
recording. All worlds are built in one database, so that each of them also shows that it is counted
as if it were alone.
"""

import csv
import hashlib
import io
import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from integration_tests.accuracy import (
    PROGRAMS,
    Cell,
    Operations,
    day_of,
    image_of,
    is_observable_pull,
    program_logs,
    read_truth,
)
from integration_tests.project import EXAMPLES, Project, example_logs
from integration_tests.traffic import EMPTY_CONFIG
from integration_tests.variants import Operation, judge, variants
from pullstats.csv_log import USAGE_COLUMNS

Row = dict[str, str]
Change = Callable[[list[Row]], list[Row]]
Pull = tuple[object, ...]
HOUR = 3600 * 1_000_000
RECORDINGS = {
    "examples": (example_logs, EXAMPLES / "truth"),
    "programs": (program_logs, PROGRAMS),
}
# A pool of addresses: alone, the part of a pull that came by one of them looks like a small image.
POOL = re.compile(r"192[.]0[.]2[.]20\d")


@dataclass(frozen=True)
class Law:
    """What changes in the rows, and in the pulls: by how much later, and under which digests."""

    change: Change
    later: int = 0
    renames: bool = False


def moved(micros: int) -> Law:
    return Law(lambda rows: [later(row, micros) for row in rows], micros)


def later(row: Row, micros: int) -> Row:
    return row | {"time_micros": str(int(row["time_micros"]) + micros)}


def hashed(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def other_digests(text: str) -> str:
    return re.sub(
        "[0-9a-f]{64}",
        lambda found: found[0] if found[0] == EMPTY_CONFIG else hashed(found[0]),
        text,
    )


def other_names(rows: list[Row]) -> list[Row]:
    """Rename digests, request ids and addresses; clients stay apart."""
    return [
        {key: other_digests(value) for key, value in row.items()}
        | {
            "s_request_id": hashed(row["s_request_id"]),
            "c_ip": row["c_ip"] and "2001:db8::" + hashed(row["c_ip"])[:4],
        }
        for row in rows
    ]


def jittered(rows: list[Row]) -> list[Row]:
    """Move each request by a microsecond or none, by its id."""
    return [later(row, int(hashed(row["s_request_id"])[:2], 16) % 3 - 1) for row in rows]


LAWS = {
    "as-it-is": Law(lambda rows: rows),
    "a-day-later": moved(24 * HOUR),
    "a-year-later": moved(366 * 24 * HOUR),
    "five-hours-later": moved(5 * HOUR),
    "thirteen-hours-later": moved(13 * HOUR),
    "other-names": Law(other_names, renames=True),
    "a-microsecond": Law(jittered),
    "twice": Law(lambda rows: rows + rows),
}


def read(paths: list[Path]) -> list[Row]:
    """Read the rows of log objects, each row once."""
    found = {}
    for path in paths:
        with path.open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                found[tuple(row.values())] = row
    return list(found.values())


def in_world(rows: list[Row], world: str) -> list[Row]:
    """Put a prefix before each project."""
    return [
        row
        | {
            "cs_bucket": re.sub("artifacts[.]", f"artifacts.{world}-", row["cs_bucket"]),
            "cs_uri": re.sub("artifacts[.]", f"artifacts.{world}-", row["cs_uri"]),
            "cs_referer": re.sub(
                "(/v2/(?:[^/]*[.][^/]*/)?)", rf"\g<1>{world}-", row["cs_referer"], count=1
            ),
        }
        for row in rows
    ]


def client_of(row: Row) -> tuple[str, str]:
    return row["c_ip"], row["cs_user_agent"].removesuffix(",gzip(gfe)")


def clients(rows: list[Row]) -> Iterator[tuple[str, list[Row]]]:
    """Give each client that names images, with its requests; a pool of addresses is no client."""
    names = sorted({client_of(row) for row in rows if row["cs_referer"] and row["c_ip"]})
    for number, name in enumerate(names):
        if not POOL.fullmatch(name[0]):
            yield f"c{number}", [row for row in rows if client_of(row) == name]


def write(folder: Path, world: str, rows: list[Row]) -> Path:
    text = io.StringIO()
    writer = csv.DictWriter(text, list(USAGE_COLUMNS), quoting=csv.QUOTE_ALL)
    writer.writeheader()
    writer.writerows(rows)
    path = folder / f"{world}_usage_2030_01_01_00_00_00_00aaaa_v0"
    path.write_text(text.getvalue(), encoding="utf-8", newline="")
    return path


def at_address(row: Row, change: Callable[[str], str]) -> Row:
    return row | {"c_ip": row["c_ip"] and change(row["c_ip"])}


def operations(truth: Path, rows: list[Row]) -> list[Operation[Row]]:
    operation_of = {
        each["s_request_id"]: each["op"] for each in read_truth("truth_requests.csv", truth)
    }
    by_operation: dict[str, list[Row]] = {}
    for row in rows:
        by_operation.setdefault(operation_of.get(row["s_request_id"], ""), []).append(row)
    found = []
    for each in Operations(truth).all:
        image, start = image_of(each), int(each["log_first_micros"])
        pulled = (image, start) if is_observable_pull(each) else None
        found.append(Operation(day_of(start), {image}, by_operation[each["op"]], pulled))
    return found


@pytest.fixture(scope="module")
def truths() -> dict[str, Counter[Cell]]:
    """Give the pulls of the variants, which the worlds fill in."""
    return {}


@pytest.fixture(scope="module")
def worlds(
    tmp_path_factory: pytest.TempPathFactory,
    truths: dict[str, Counter[Cell]],
    request: pytest.FixtureRequest,
) -> Project:
    folder = tmp_path_factory.mktemp("worlds")
    paths: list[Path] = []

    def add(world: str, rows: list[Row]) -> None:
        paths.append(write(folder, world, in_world(rows, world)))

    seeds = 25 if request.config.getoption("--soak") else 7
    for recording, (logs, truth) in RECORDINGS.items():
        rows = read(logs())
        for name, law in LAWS.items():
            add(f"{recording}-{name}", law.change(rows))
        for name, own in clients(rows):
            add(f"{recording}-{name}-alone", own)
        for name, variant in variants(operations(truth, rows), later, at_address, seeds):
            add(f"{recording}-{name}", variant.records)
            truths[f"{recording}-{name}"] = variant.truth
    project = Project(folder)
    project.load(paths)
    project.run()
    return project


def pulls(project: Project, world: str, law: Law = LAWS["as-it-is"]) -> Counter[Pull]:
    """Count the pulls of a world, as they are without its law."""
    prefix = world and f"{world}-"
    found = project.query(
        f"select replace(resource_name, '{prefix}', ''), replace(image, '{prefix}', ''), image_id,"
        " client_tool, traffic_class, count_confidence, is_complete, epoch_us(started_at)"
        f" from pullstats.fct_image_pulls where resource_name like '%artifacts.{prefix}%'"
    )
    return Counter((*row[:-1], int(str(row[-1])) - law.later) for row in found)


@pytest.mark.parametrize("recording", RECORDINGS)
@pytest.mark.parametrize("name", list(LAWS)[1:])
def test_a_change_of_the_log_that_means_nothing_changes_no_pull(
    worlds: Project, recording: str, name: str
) -> None:
    law = LAWS[name]
    expected = pulls(worlds, f"{recording}-as-it-is")
    found = pulls(worlds, f"{recording}-{name}", law)
    if law.renames:
        expected = renamed(expected)
    if name == "a-microsecond":
        expected, found = to_the_second(expected), to_the_second(found)
    assert expected
    assert found == expected


def renamed(counted: Counter[Pull]) -> Counter[Pull]:
    return Counter(
        {
            (*pull[:2], pull[2] and other_digests(str(pull[2])), *pull[3:]): count
            for pull, count in counted.items()
        }
    )


def to_the_second(counted: Counter[Pull]) -> Counter[Pull]:
    """Leave out when pulls began."""
    found: Counter[Pull] = Counter()
    for pull, count in counted.items():
        found[pull[:-1]] += count
    return found


def test_worlds_together_are_counted_as_one_is_alone(worlds: Project, examples: Project) -> None:
    alone = pulls(examples, "")
    assert pulls(worlds, "examples-as-it-is") == alone


@pytest.mark.parametrize("recording", RECORDINGS)
def test_a_client_alone_counts_what_it_counts_among_others(worlds: Project, recording: str) -> None:
    """Or the count is not sure: its pulls of the image and day are ambiguous."""
    is_world = f"regexp_matches(bucket_name, '{recording}-(c[0-9]+-alone|as-it-is)-')"
    world = f"regexp_extract(bucket_name, '{recording}-(?:c[0-9]+-)?(alone|as-it-is)-', 1)"
    image = f"regexp_replace(image, '/{recording}-(c[0-9]+-alone|as-it-is)-', '/')"
    counted: dict[tuple[str, ...], dict[str, tuple[int, int]]] = {}
    for client, name, day, key, sure, ambiguous in worlds.query(
        f"select client_id, {image}, fetch_date, {world},"
        " count(*) filter (fetch_kind = 'pull' and count_confidence != 'ambiguous'),"
        " count(*) filter (fetch_kind = 'pull' and count_confidence = 'ambiguous')"
        f" from pullstats_intermediate.int_blob_fetches where is_complete and {is_world}"
        " group by all"
    ):
        cell = (str(client), str(name), str(day))
        counted.setdefault(cell, {})[str(key)] = (int(str(sure)), int(str(ambiguous)))
    alone = {cell[0] for cell, found in counted.items() if "alone" in found}
    wrong = {
        cell: found
        for cell, found in counted.items()
        if cell[0] in alone
        and sum(found.get("alone", (0, 0))) != sum(found.get("as-it-is", (0, 0)))
        and not found.get("alone", (0, 0))[1]
    }
    assert len(alone) > 20
    assert not wrong


def test_variants_are_counted_right(
    worlds: Project,
    truths: dict[str, Counter[Cell]],
    record_property: Callable[[str, object], None],
) -> None:
    judge(worlds.query, truths, record_property)

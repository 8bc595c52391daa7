"""Laws of counting: what may change in an audit log without a change of its pulls.

Each world is a recording under other project names and other digests, changed by one law, or a
variant of the recording. All worlds are built in one database, so that each also shows that it is
counted as if it were alone.
"""

import hashlib
import json
import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from integration_tests.accuracy import Cell, day_of
from integration_tests.accuracy_artifact_registry import (
    ARCHIVE,
    Recording,
    image_of,
    micros_of,
    unpack,
)
from integration_tests.project import EXAMPLES, Project
from integration_tests.traffic import EMPTY_CONFIG
from integration_tests.variants import Operation, judge, variants

Pull = tuple[object, ...]
Change = Callable[[str], str]
HOUR = 3600 * 1_000_000
TIME = re.compile(r'"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)[.](\d{6})(\d*)Z"')
DIGEST = re.compile("sha256:([0-9a-f]{64})")
ADDRESS = re.compile(r'"callerIp": ?"(\d[^"]*)"')
INSERT_ID = re.compile(r'"insertId": ?"([^"]*)"')
RECORDINGS = {"acme": ARCHIVE, "globex": EXAMPLES / "programs/audit_logs.tar.xz"}
# A pool of addresses: alone, the part of a pull that came by one of them is no pull.
POOL = re.compile("(192[.]0[.]2[.]20[0-3]|203[.]0[.]113[.]21[0-2])$")


@dataclass(frozen=True)
class Law:
    """What changes in the entries, and how much later the pulls are."""

    change: Change
    later: int = 0
    copies: int = 1


def hashed(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def later(entry: str, micros: int) -> str:
    def move(found: re.Match[str]) -> str:
        time = datetime.fromisoformat(f"{found[1]}.{found[2]}") + timedelta(microseconds=micros)
        return f'"{time.isoformat(timespec="microseconds")}{found[3]}Z"'

    return TIME.sub(move, entry)


def moved(micros: int) -> Law:
    return Law(lambda entry: later(entry, micros), micros)


def jittered(entry: str) -> str:
    """Move each request by a microsecond or none, by its id."""
    found = INSERT_ID.search(entry)
    assert found
    return later(entry, int(hashed(found[1])[:2], 16) % 3 - 1)


def other_names(entry: str) -> str:
    """Rename entries and addresses; clients, and networks, stay apart."""
    entry = INSERT_ID.sub(lambda found: f'"insertId":"{hashed(found[1])[:12]}"', entry)
    return at_address(entry, other_address)


def other_address(address: str) -> str:
    part = [int(hashed(address)[at : at + 2], 16) for at in (0, 2, 4)]
    if address.startswith("10."):
        return f"10.{part[0]}.{part[1]}.{part[2]}"
    network = re.split("[.:][^.:]*$", address)[0]
    return f"2001:db8:{hashed(network)[:4]}::{part[0]:x}{part[1]:02x}"


def at_address(entry: str, change: Change) -> str:
    return ADDRESS.sub(lambda found: f'"callerIp":"{change(found[1])}"', entry)


LAWS = {
    "as-it-is": Law(lambda entry: entry),
    "a-day-later": moved(24 * HOUR),
    "a-year-later": moved(366 * 24 * HOUR),
    "five-hours-later": moved(5 * HOUR),
    "thirteen-hours-later": moved(13 * HOUR),
    "other-names": Law(other_names),
    "a-microsecond": Law(jittered),
    "twice": Law(lambda entry: entry, copies=2),
}


def in_world(entry: str, world: str) -> str:
    """Give the entry a project, and digests, of the world alone."""
    entry = DIGEST.sub(lambda found: "sha256:" + digest_in(world, found[1]), entry)
    return re.sub("(projects/|/v2/)(?=[a-z])", rf"\g<1>{world}-", entry)


def digest_in(world: str, digest: str) -> str:
    return digest if digest == EMPTY_CONFIG else hashed(world + digest)


def clients(entries: list[str]) -> Iterator[tuple[str, list[str]]]:
    """Give each client, by address, program and principal, with its requests."""
    found: dict[str, list[str]] = {}
    for entry in entries:
        payload = json.loads(entry)["protoPayload"]
        caller = payload.get("requestMetadata", {})
        if POOL.match(caller.get("callerIp", "")):
            continue
        who = (caller, payload.get("authenticationInfo"))
        found.setdefault(json.dumps(who, sort_keys=True), []).append(entry)
    for number, name in enumerate(sorted(found)):
        yield f"c{number}", found[name]


def write(folder: Path, world: str, number: int, entries: list[str]) -> Path:
    path = folder / "cloudaudit.googleapis.com/data_access/2030/01/01"
    path.mkdir(parents=True, exist_ok=True)
    path /= f"00:00:00_00:59:59_S{number}.json"
    path.write_text("".join(in_world(entry, world) + "\n" for entry in entries), encoding="utf-8")
    return path


def operations(recording: Recording, entries: list[str]) -> list[Operation[str]]:
    by_id = {str(json.loads(entry)["insertId"]): entry for entry in entries}
    pulls = recording.pulls()
    return [
        Operation(
            day_of(micros_of(requests[0]["time"])),
            {image_of(each) for each in requests},
            [by_id[each["record_id"]] for each in requests],
            (image_of(pulls[op]), micros_of(pulls[op]["time"])) if op in pulls else None,
        )
        for op, requests in recording.by_operation.items()
        if op
    ]


@dataclass
class Worlds:
    project: Project
    digests: set[str] = field(default_factory=set)
    truths: dict[str, Counter[Cell]] = field(default_factory=dict)

    def pulls(self, recording: str, name: str) -> Counter[Pull]:
        """Count the pulls of a world, as they are without its law."""
        world = f"{recording}-{name}"
        original = {"sha256:" + digest_in(world, each): each for each in self.digests}
        found = self.project.query(
            f"select replace(image, '{world}-', ''), tag, client_tool, traffic_class,"
            " count_confidence, is_complete, index_digest, manifest_digest, image_id,"
            " epoch_us(started_at) from pullstats.fct_image_pulls"
            f" where resource_name like 'projects/{world}-%'"
        )
        return Counter(
            (
                *row[:6],
                *(original[str(digest)] if digest else None for digest in row[6:9]),
                int(str(row[9])) - LAWS[name].later,
            )
            for row in found
        )


@pytest.fixture(scope="module")
def worlds(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Worlds:
    folder = tmp_path_factory.mktemp("worlds")
    found = Worlds(Project(folder))
    paths: list[Path] = []

    def add(world: str, entries: list[str]) -> None:
        paths.append(write(folder / "worlds", world, len(paths), entries))

    seeds = 25 if request.config.getoption("--soak") else 7
    for name, packed in RECORDINGS.items():
        recording = unpack(folder, packed)
        # an entry that was delivered twice is there twice, at times of its own
        entries = sorted(
            {
                line
                for path in recording.logs.rglob("*.json")
                for line in path.read_text(encoding="utf-8").splitlines()
                if "Docker-" in line
            }
        )
        found.digests |= {each for entry in entries for each in DIGEST.findall(entry)}
        for law, how in LAWS.items():
            changed = [how.change(entry) for entry in entries for _ in range(how.copies)]
            add(f"{name}-{law}", changed)
        for client, own in clients(entries):
            add(f"{name}-{client}-alone", own)
        recorded = operations(recording, entries)
        for each, variant in variants(recorded, later, at_address, seeds):
            add(f"{name}-{each}", variant.records)
            found.truths[f"{name}-{each}"] = variant.truth
    found.project.load(paths)
    found.project.run()
    return found


@pytest.mark.parametrize("recording", RECORDINGS)
@pytest.mark.parametrize("name", list(LAWS)[1:])
def test_a_change_of_the_log_that_means_nothing_changes_no_pull(
    worlds: Worlds, recording: str, name: str
) -> None:
    expected, found = worlds.pulls(recording, "as-it-is"), worlds.pulls(recording, name)
    if name == "a-microsecond":
        expected, found = to_the_second(expected), to_the_second(found)
    assert expected
    assert found == expected


def to_the_second(counted: Counter[Pull]) -> Counter[Pull]:
    """Leave out when pulls began."""
    found: Counter[Pull] = Counter()
    for pull, count in counted.items():
        found[pull[:-1]] += count
    return found


@pytest.mark.parametrize("recording", RECORDINGS)
def test_a_client_alone_counts_what_it_counts_among_others(worlds: Worlds, recording: str) -> None:
    counted: dict[bool, Counter[tuple[object, ...]]] = {True: Counter(), False: Counter()}
    own = f"/{recording}-(c[0-9]+-alone|as-it-is)-"
    for is_alone, image, client, principal, count in worlds.project.query(
        "select resource_name like '%-alone-%',"
        f" regexp_replace(image, '{own}', '/'), client_id, principal_id,"
        " count(*) from pullstats.fct_image_pulls"
        f" where is_complete and regexp_matches(resource_name, '{own}')"
        " and client_id in (select client_id from pullstats_intermediate.int_registry_requests"
        " where resource_name like '%-alone-%') group by all"
    ):
        counted[bool(is_alone)][image, client, principal] = int(str(count))
    assert len({client for _, client, _ in counted[True]}) > 20
    assert counted[True] == counted[False]


def test_variants_are_counted_right(
    worlds: Worlds, record_property: Callable[[str, object], None]
) -> None:
    judge(worlds.project.query, worlds.truths, record_property)

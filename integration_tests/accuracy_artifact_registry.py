"""Compares what is counted of Artifact Registry's audit log with the truth of a recording.

`make accuracy` prints it for the recording in the examples; `python -m
integration_tests.accuracy_artifact_registry FOLDER` for another one.
"""

import csv
import json
import sys
import tarfile
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path

from integration_tests.accuracy import COUNTING, Cell, Query, Tally, day_of, kind_of, tally_table
from integration_tests.project import EXAMPLES, Project

ARCHIVE = EXAMPLES / "artifact_registry.tar.gz"
BEGIN = "<!-- made by make accuracy: Artifact Registry -->\n"
END = "<!-- end: Artifact Registry -->\n"
REQUESTS = "pullstats_intermediate.int_artifact_registry_requests"
NO_OPERATION = {"client_kind": "none", "action": "none", "result": "ok"}
Row = dict[str, str]


@dataclass
class Recording:
    """Audit logs and the client operations that left them."""

    folder: Path

    @property
    def logs(self) -> Path:
        found = self.folder / "logs"
        return found if found.exists() else self.folder / "logs_ar"

    def truth(self, name: str) -> list[Row]:
        path = self.folder / "truth" / name
        with (path if path.exists() else self.folder / name).open(encoding="utf-8") as file:
            return list(csv.DictReader(file))

    @cached_property
    def operations(self) -> dict[str, Row]:
        return {each["op"]: each for each in self.truth("truth_pulls.csv")}

    @cached_property
    def requests(self) -> list[Row]:
        """Answered requests to Docker repositories, in order."""
        return [
            each
            for each in self.truth("truth_requests.csv")
            if each.get("log", "ar") == "ar"
            and each["operation"].startswith("Docker-")
            and each["status"] in ("", "0")
        ]

    @cached_property
    def by_operation(self) -> dict[str, list[Row]]:
        found: dict[str, list[Row]] = defaultdict(list)
        for each in self.requests:
            found[each["op"]].append(each)
        return found

    def pulls(self) -> dict[str, Row]:
        """Give the requests that started pulls: a program wanted the image, and got a blob of it.

        A client that has the image already asks for a manifest alone: that is a check.
        """
        found = {}
        for op, requests in self.by_operation.items():
            operation = self.operations.get(op)
            if operation and (operation["is_pull"], operation["result"]) == ("1", "ok"):
                own = [each for each in requests if image_of(each) == operation["image_full"]]
                if any(each["operation"] == "Docker-ServeBlob" for each in own):
                    found[op] = own[0]
        return found

    def checks(self) -> Iterable[Row]:
        """Give the HEAD requests that no other request of their operation followed up."""
        for op, requests in self.by_operation.items():
            followed = {
                image_of(each)
                for each in requests
                if each["operation"] in ("Docker-ServeBlob", "Docker-PutManifest")
            } | {
                (image_of(each), each["digest"])
                for each in requests
                if each["operation"] == "Docker-GetManifest"
            }
            for each in requests if op in self.operations else ():
                names = {image_of(each), (image_of(each), each["digest"])}
                if each["operation"] == "Docker-HeadManifest" and not names & followed:
                    yield each

    def callers(self) -> Iterable[tuple[int, str, str | None]]:
        """Give time, principal's kind and class of entries; no class if the program decides."""
        known = {each["principal"]: each for each in self.truth("principals.csv")}
        for path in self.logs.rglob("*.json"):
            for line in path.read_text(encoding="utf-8").splitlines():
                entry = json.loads(line)
                who = entry["protoPayload"].get("authenticationInfo", {})
                name = who.get("principalEmail") or who.get("principalSubject")
                rule = known.get(name, {"principal_kind": "anonymous", "traffic_class": ""})
                micros = micros_of(entry["timestamp"])
                yield micros, rule["principal_kind"], rule["traffic_class"] or None


@dataclass
class Accuracy:
    entries: int
    overall: Tally
    by_program: dict[str, Tally]
    by_kind: dict[str, Tally]
    checks: Tally
    tags: Counter[str] = field(default_factory=Counter)
    digests: Counter[str] = field(default_factory=Counter)
    image_ids: Counter[str] = field(default_factory=Counter)
    pushes: Counter[str] = field(default_factory=Counter)
    callers: Counter[str] = field(default_factory=Counter)


def unpack(folder: Path, packed: Path = ARCHIVE) -> Recording:
    with tarfile.open(packed) as archive:
        archive.extractall(folder, filter="data")
    return Recording(folder / packed.name.split(".")[0])


def micros_of(timestamp: str) -> int:
    """Cut nanoseconds, as the staging model does."""
    seconds, _, fraction = timestamp.removesuffix("Z").partition(".")
    time = datetime.fromisoformat(seconds).replace(tzinfo=UTC) - datetime.fromtimestamp(0, UTC)
    return time // timedelta(microseconds=1) + int(fraction[:6].ljust(6, "0"))


def image_of(request: Row) -> str:
    parts = [request["host"], request["project"], request["repository"], request["image"]]
    if parts[2] == parts[0]:  # a repository of the gcr.io family is named like its host
        del parts[2]
    return "/".join(parts)


def cell_of(request: Row) -> Cell:
    return image_of(request), day_of(micros_of(request["time"]))


def verdict(found: object, true: str) -> str:
    return "none" if found is None else "right" if found == true else "wrong"


def measure(query: Query, recording: Recording) -> Accuracy:
    pulls = recording.pulls()
    at = {(image_of(each), micros_of(each["time"])): each["op"] for each in recording.requests}
    ((entries,),) = query(f"select count(*) from {REQUESTS}")
    result = Accuracy(int(str(entries)), Tally(), {}, {}, Tally())
    for op in recording.by_operation:
        operation = recording.operations.get(op)
        if not operation:
            continue
        for tallies, key in (
            (result.by_program, operation["client_kind"]),
            (result.by_kind, kind_of(operation)),
        ):
            tally = tallies.setdefault(key, Tally())
            tally.operations += 1
            if op in pulls:
                tally.truth[cell_of(pulls[op])] += 1
        result.overall.operations += 1
        if op in pulls:
            result.overall.truth[cell_of(pulls[op])] += 1
    taken = set()
    for image, tag, digest, image_id, started, day in query(
        "select image, tag, manifest_digest, image_id, epoch_us(started_at), pull_date"
        " from pullstats.fct_image_pulls where log_source = 'cloud_audit' order by started_at"
    ):
        op = at[str(image), int(str(started))]
        operation = recording.operations.get(op, NO_OPERATION)
        for tally in (
            result.overall,
            result.by_program.setdefault(operation["client_kind"], Tally()),
            result.by_kind.setdefault(kind_of(operation), Tally()),
        ):
            tally.counted[(str(image), day)] += 1  # type: ignore[index]
        if op in pulls and op not in taken:
            taken.add(op)
            if operation["asked_by"] == "tag":
                result.tags[verdict(tag, operation["ref_asked"])] += 1
            else:
                result.tags["right" if tag is None else "wrong"] += 1
            result.digests[verdict(digest, operation["manifest_digest"])] += 1
            result.image_ids[verdict(image_id, operation["config_digest"])] += 1
    for each in recording.checks():
        result.checks.truth[cell_of(each)] += 1
    for image, day, checks in query(
        "select image, pull_date, sum(checks) from pullstats.fct_image_pulls_daily"
        " group by all having sum(checks) > 0"
    ):
        result.checks.counted[(str(image), day)] += int(str(checks))  # type: ignore[index]
    result.pushes = judge_pushes(query, recording)
    result.callers = judge_callers(query, recording)
    return result


def judge_pushes(query: Query, recording: Recording) -> Counter[str]:
    """How many tags were set to the manifests that clients set them to, when they did."""
    written = [each for each in recording.requests if each["operation"] == "Docker-PutManifest"]
    expected = Counter(
        (image_of(each), each["reference"], each["digest"], micros_of(each["time"]))
        for each in written
        if not each["reference"].startswith("sha256:")
    )
    found = Counter(
        query(
            "select image, tags, manifest_digest, epoch_us(ended_at)"
            " from pullstats.fct_image_pushes where log_source = 'cloud_audit' and tags is not null"
        )
    )
    return Counter(
        right=(found & expected).total(),
        wrong=(found - expected).total(),
        missing=(expected - found).total(),
    )


def judge_callers(query: Query, recording: Recording) -> Counter[str]:
    """How many requests have the principal's kind and, if the principal decides it, the class."""
    expected = {micros: (kind, who) for micros, kind, who in recording.callers()}
    verdicts: Counter[str] = Counter()
    for micros, kind, traffic_class, operation in query(
        "select started_micros, principal_kind, traffic_class, operation"
        f" from {REQUESTS} where package_format = 'docker'"
    ):
        true_kind, true_class = expected[int(str(micros))]
        if operation == "list":
            true_class = "admin"
        is_right = kind == true_kind and traffic_class == (true_class or traffic_class)
        verdicts["right" if is_right else "wrong"] += 1
    return verdicts


def report(result: Accuracy, without_blobs: Accuracy) -> str:
    """Return the figures as Markdown."""
    truth, counted, over, under = result.overall.row
    _, other_counted, other_over, other_under = without_blobs.overall.row
    checks = result.checks.row
    return "\n".join(
        [
            f"The recording holds {result.entries:,} log entries of {result.overall.operations}"
            f" client operations. {truth} of these are pulls, {counted} are counted: {over} too"
            f" many and {under} too few, summed over image and day, an error of"
            f" **{(over + under) / truth:.1%}**. Without `Docker-ServeBlob` in the log"
            f" {other_counted} are counted, an error of"
            f" **{(other_over + other_under) / truth:.1%}**.\n",
            f"Tags of the pulls: {result.tags['right']} right, {result.tags['none']} unknown,"
            f" {result.tags['wrong']} wrong. Manifest digests: {result.digests['right']} right,"
            f" {result.digests['none']} unknown, {result.digests['wrong']} wrong. Image ids:"
            f" {result.image_ids['right']} right, {result.image_ids['none']} unknown,"
            f" {result.image_ids['wrong']} wrong."
            f" Checks: {checks[1]} of {checks[0]}, {checks[2]} too many and {checks[3]} too few."
            f" Tags pushed: {result.pushes['right']} right, {result.pushes['wrong']} wrong,"
            f" {result.pushes['missing']} missing. Principal's kind and class of the requests:"
            f" {result.callers['right']:,} right, {result.callers['wrong']} wrong.\n",
            tally_table("client program", result.by_program),
            tally_table("what the client did", result.by_kind),
        ]
    )


def build(folder: Path, logs: Iterable[Path], *variables: str) -> Project:
    folder.mkdir(parents=True, exist_ok=True)
    project = Project(folder)
    project.load(logs)
    project.dbt("build", "--exclude-resource-type", "test", "unit_test", *variables)
    return project


def both(recording: Recording, folder: Path) -> tuple[Accuracy, Accuracy]:
    """Measure with the blobs that were served, and as if nobody had exported these entries."""
    whole = build(folder / "whole", [recording.logs])
    slim = folder / "without_blobs/cloudaudit.googleapis.com/data_access"
    for path in recording.logs.rglob("*.json"):
        copy = slim / Path(*path.parts[-4:])
        copy.parent.mkdir(parents=True, exist_ok=True)
        lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
        copy.write_text(
            "".join(line for line in lines if "Docker-ServeBlob" not in line), encoding="utf-8"
        )
    variables = ("--vars", "{audit_log_has_blobs: false}")
    other = build(folder / "other", [slim.parent.parent], *variables)
    return measure(whole.query, recording), measure(other.query, recording)


def documented() -> str:
    return COUNTING.read_text(encoding="utf-8").split(BEGIN)[1].split(END)[0]


def main(arguments: list[str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        own = Path(folder)
        recording = Recording(Path(arguments[0])) if arguments else unpack(own)
        text = report(*both(recording, own))
    print(text)
    if not arguments:
        before, rest = COUNTING.read_text(encoding="utf-8").split(BEGIN)
        COUNTING.write_text(before + BEGIN + text + END + rest.split(END)[1], encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])

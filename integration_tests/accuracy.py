"""Compares pulls as counted with the truth: `make accuracy`, and the thresholds of the tests.

Three sources: the examples, more programs (`examples/programs`) and integration_tests/stories.py.
"""

import csv
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path

from integration_tests.project import EXAMPLES, ROOT, Project, example_logs
from integration_tests.stories import Outcome, outcomes

COUNTING = ROOT / "docs/counting.md"
PROGRAMS = EXAMPLES / "programs"
BEGIN, END = "<!-- made by make accuracy -->\n", "<!-- end -->\n"

Query = Callable[[str], list[tuple[object, ...]]]
Cell = tuple[str, date]


@dataclass
class Tally:
    """Pulls per image and day, in truth and as counted; their difference is the error."""

    operations: int = 0
    truth: Counter[Cell] = field(default_factory=Counter)
    counted: Counter[Cell] = field(default_factory=Counter)

    @property
    def over(self) -> int:
        return (self.counted - self.truth).total()

    @property
    def under(self) -> int:
        return (self.truth - self.counted).total()

    @property
    def row(self) -> tuple[int, int, int, int]:
        return self.truth.total(), self.counted.total(), self.over, self.under


@dataclass
class Accuracy:
    """What is right and wrong in a database that holds the examples and nothing else."""

    requests: int
    invisible_pulls: int
    overall: Tally
    by_program: dict[str, Tally]
    image_ids: Counter[str]
    confidence: Counter[str]
    agents: Counter[str]


def read_truth(name: str, folder: Path = EXAMPLES / "truth") -> list[dict[str, str]]:
    with (folder / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def program_logs() -> list[Path]:
    return sorted((PROGRAMS / "logs").glob("*_v0"))


def day_of(micros: int) -> date:
    return datetime.fromtimestamp(micros / 1e6, UTC).date()


def image_of(operation: dict[str, str]) -> str:
    return f"{operation['host']}/{operation['project']}/{operation['image']}"


def is_observable_pull(operation: dict[str, str]) -> bool:
    keys = ("is_pull", "result", "observable_in_log")
    return tuple(operation[key] for key in keys) == ("1", "ok", "1")


def kind_of(operation: dict[str, str]) -> str:
    result = "" if operation["result"] == "ok" else f", {operation['result']}"
    return operation["action"] + result


class Operations:
    """The client operations that left something in the log, to be found by what they left."""

    def __init__(self, folder: Path) -> None:
        everything = read_truth("truth_pulls.csv", folder)
        self.all = [each for each in everything if each["log_first_micros"]]
        self.taken: set[str] = set()
        self.invisible = sum(
            (each["is_pull"], each["result"], each["observable_in_log"]) == ("1", "ok", "0")
            for each in everything
        )

    def take(self, image: object, start: int, end: int) -> dict[str, str] | None:
        """Return the operation that left a pull: one on its image in its time, each pull once.

        Of several an observable pull comes first, then the one whose first request is the pull's.
        """
        during = [
            each
            for each in self.all
            if image_of(each) == image
            and int(each["log_first_micros"]) <= end
            and int(each["log_last_micros"]) >= start
        ]
        best = min(
            during,
            key=lambda each: (
                each["op"] in self.taken,
                not is_observable_pull(each),
                int(each["log_first_micros"]) != start,
            ),
            default=None,
        )
        if best:
            self.taken.add(best["op"])
        return best


def measure(query: Query, folder: Path = EXAMPLES / "truth") -> Accuracy:
    operations = Operations(folder)
    overall = Tally(len(operations.all))
    programs: dict[str, Tally] = {}
    for each in operations.all:
        programs.setdefault(each["client_kind"], Tally()).operations += 1
        if is_observable_pull(each):
            cell = (image_of(each), day_of(int(each["log_first_micros"])))
            for tally in (overall, programs[each["client_kind"]]):
                tally.truth[cell] += 1
    image_ids: Counter[str] = Counter()
    for image, day, start, end, image_id in query(
        "select image, pull_date, epoch_us(started_at), epoch_us(ended_at), image_id"
        " from pullstats.fct_image_pulls where is_complete order by started_at, pull_id"
    ):
        assert isinstance(start, int)
        assert isinstance(end, int)
        assert isinstance(day, date)
        operation = operations.take(image, start, end)
        found = operation["client_kind"] if operation else "none"
        for tally in (overall, programs.setdefault(found, Tally())):
            tally.counted[(str(image), day)] += 1
        if operation and is_observable_pull(operation):
            is_right = image_id == operation["config_digest"]
            image_ids["none" if image_id is None else "right" if is_right else "wrong"] += 1
    ((requests,),) = query("select count(*) from pullstats_intermediate.int_gcs_requests")
    assert isinstance(requests, int)
    confidence = Counter(
        {
            str(confidence): int(str(count))
            for confidence, count in query(
                "select count_confidence, count(*) from pullstats.fct_image_pulls"
                " where is_complete group by all"
            )
        }
    )
    agents = judge_agents(query) if folder == EXAMPLES / "truth" else Counter[str]()
    return Accuracy(
        *(requests, operations.invisible, overall, programs, image_ids, confidence, agents)
    )


def judge_agents(query: Query) -> Counter[str]:
    """How many requests have tool, version and class as in the truth for their user agent."""
    known = {each["user_agent"]: each for each in read_truth("user_agents.csv")}
    expected: Counter[tuple[object, ...]] = Counter()
    for agent, operation, address, count in query(
        "select coalesce(cs_user_agent, ''), coalesce(cs_operation, ''), c_ip, count(*)"
        " from (select distinct * exclude (_partitiontime) from storageanalysis.usage) group by all"
    ):
        assert isinstance(count, int)
        rule = known.get(str(agent).removesuffix(",gzip(gfe)"))
        tool, version = (rule["client_tool"], rule["client_version"]) if rule else ("none", "")
        traffic_class = rule["client_class"] if rule else "unknown"
        if str(operation).endswith((".list", "GET_Bucket")) or "buckets" in str(operation):
            traffic_class = "admin"
        elif not address and traffic_class == "unknown":
            traffic_class = "housekeeping"
        expected[(tool, version, traffic_class)] += count
    actual = Counter(
        {
            tuple(key): int(str(count))
            for *key, count in query(
                "select client_tool, coalesce(client_version, ''), traffic_class, count(*)"
                " from pullstats_intermediate.int_gcs_requests group by all"
            )
        }
    )
    return Counter(right=(actual & expected).total(), wrong=(actual - expected).total())


def table(header: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    names = list(header)
    lines = [names, ["---", *["---:"] * (len(names) - 1)], *([*map(str, row)] for row in rows)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def report(examples: Accuracy, programs: Accuracy, stories: list[Outcome]) -> str:
    """Return the figures as Markdown."""
    agents = examples.agents
    right = sum(each.is_right for each in stories)
    return "\n".join(
        [
            f"The examples hold {summary(examples)} {examples.invisible_pulls} more pulls left"
            " nothing in the log, since the clients had everything already. Tool, version and class"
            f" of the requests: {agents['right']:,} right, {agents['wrong']} wrong.\n",
            tally_table("client program", examples.by_program),
            f"`examples/programs` holds {summary(programs)}\n",
            tally_table("client program", programs.by_program),
            f"Of {len(stories)} stories made after reports of other people's traffic {right} are"
            " counted right.\n",
        ]
    )


def summary(result: Accuracy) -> str:
    truth, counted, over, under = result.overall.row
    ids, sure = result.image_ids, result.confidence
    return (
        f"{result.requests:,} requests of {result.overall.operations} client operations. {truth} of"
        f" these are pulls that the log shows, {counted} are counted: {over} too many and {under}"
        f" too few, summed over image and day, an error of **{(over + under) / truth:.1%}**. Image"
        f" ids: {ids['right']} right, {ids['none']} unknown, {ids['wrong']} wrong. Confidence:"
        f" {sure['certain']} certain, {sure['inferred']} inferred, {sure['ambiguous']} ambiguous."
    )


def tally_table(title: str, tallies: dict[str, Tally]) -> str:
    """Return a row for each tally with an error, and a sentence with the others."""
    wrong, right = [], []
    for name, each in sorted(tallies.items(), key=lambda item: item[0].lower()):
        if any(each.row[2:]):
            wrong.append((name, each.operations, *each.row))
        else:
            right.append(f"{name} ({each.row[0]})")
    header = (title, "operations", "pulls", "counted", "too many", "too few")
    sentence = f"Counted right, with the number of pulls: {', '.join(right)}.\n"
    return "\n".join([table(header, wrong), sentence] if wrong else [sentence])


def documented() -> str:
    """Return the figures of docs/counting.md."""
    return COUNTING.read_text(encoding="utf-8").split(BEGIN)[1].split(END)[0]


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        measured = []
        for name, logs, truth in (
            ("examples", example_logs(), EXAMPLES / "truth"),
            ("programs", program_logs(), PROGRAMS),
        ):
            (Path(folder) / name).mkdir()
            project = Project(Path(folder) / name)
            project.load(logs)
            project.run()
            measured.append(measure(project.query, truth))
        text = report(*measured, outcomes(Path(folder)))
    print(text)
    before, rest = COUNTING.read_text(encoding="utf-8").split(BEGIN)
    COUNTING.write_text(before + BEGIN + text + END + rest.split(END)[1], encoding="utf-8")


if __name__ == "__main__":
    main()

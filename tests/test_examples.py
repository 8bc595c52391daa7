"""The examples' marts against their truth, and the questions that people ask."""

import csv
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.conftest import EXAMPLES, ROOT, Project

QUESTIONS = sorted(path.name for path in (ROOT / "analyses").glob("*.sql"))


def true_pulls() -> list[dict[str, str]]:
    with (EXAMPLES / "truth/truth_pulls.csv").open() as file:
        return [
            pull
            for pull in csv.DictReader(file)
            if (pull["is_pull"], pull["result"], pull["observable_in_log"]) == ("1", "ok", "1")
        ]


def image_of(pull: dict[str, str]) -> str:
    return f"{pull['host']}/{pull['project']}/{pull['image']}"


def test_pulls_per_image_and_day_match_the_truth(
    examples: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    truth = Counter(
        (image_of(pull), datetime.fromtimestamp(int(pull["log_first_micros"]) / 1e6, UTC).date())
        for pull in true_pulls()
    )
    counted: Counter[object] = Counter()
    for image, day, pulls in examples.query(
        "select image, pull_date, sum(pulls)::bigint from pullstats.fct_image_pulls_daily"
        " where image is not null group by all"
    ):
        counted[(image, day)] = pulls
    over = sum((counted - truth).values())
    under = sum((truth - counted).values())
    with capsys.disabled():
        print(f"\nsummed error over image and day: {over + under} of {truth.total()} observable")
    assert over + under <= 9, f"{over} too many, {under} too few"


def test_image_ids_are_the_config_digests_or_unknown(examples: Project) -> None:
    configs = {
        (image_of(pull), int(pull["log_first_micros"])): pull["config_digest"]
        for pull in true_pulls()
    }
    found = {
        (image, start): image_id
        for image, start, image_id in examples.query(
            "select image, epoch_us(started_at), image_id from pullstats.fct_image_pulls"
        )
    }
    matched = [(configs[key], found[key]) for key in configs.keys() & found.keys()]
    assert len(matched) > 290
    assert not [pair for pair in matched if pair[1] and pair[0] != pair[1]]
    assert sum(pair[0] == pair[1] for pair in matched) >= 0.95 * len(matched)


def test_every_recorded_agent_has_a_tool_of_the_seed(examples: Project) -> None:
    unknown = examples.query(
        "select distinct client_tool from pullstats.dim_clients where client_tool not in"
        " (select tool from pullstats_seeds.user_agents)"
    )
    assert unknown == [("none",)]


def test_no_mart_holds_an_address_or_a_signature(examples: Project) -> None:
    addresses = {
        address
        for (address,) in examples.query("select distinct c_ip from storageanalysis.usage")
        if address
    }
    values = {
        value
        for rows in examples.marts().values()
        for row in rows
        for value in row
        if isinstance(value, str)
    }
    assert addresses
    assert not addresses & values
    assert not [value for value in values if "Signature=" in value]


@pytest.fixture(scope="module")
def compiled(examples: Project) -> Path:
    examples.dbt("compile", "--select", "resource_type:analysis")
    return examples.folder / "target/compiled/pullstats/analyses"


@pytest.mark.parametrize("question", QUESTIONS)
def test_every_question_has_an_answer(question: str, compiled: Path, examples: Project) -> None:
    sql = (compiled / question).read_text()
    assert (ROOT / "analyses" / question).read_text().startswith("-- ")
    rows = examples.query(sql)
    # the article's own image is not in the examples: see test_article.py
    assert rows or question == "article_3_reads_of_an_image_id.sql"

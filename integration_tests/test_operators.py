"""What warns the operator: hours and days that are not like those before."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest

from integration_tests.project import Project
from pullstats import csv_log
from tests.test_rows import COLUMNS, changed

MONDAY = datetime(2024, 4, 29, tzinfo=UTC)
DAYS = 37
HOURS, VOLUME = "assert_no_silent_hour", "assert_volume_like_that_of_the_weekday"


def usual(day: int, hour: int) -> int:
    """Requests of an hour: few before noon, half as many at weekends."""
    if hour < 12:
        return 3
    return 25 if day % 7 >= 5 else 50


def silent_for_an_hour(day: int, hour: int) -> int:
    return 0 if (day, hour) in {(33, 14), (35, 3)} else usual(day, hour)


def silent_for_a_day(day: int, hour: int) -> int:
    return 0 if day == 31 else usual(day, hour)


def busy_for_a_day(day: int, hour: int) -> int:
    return usual(day, hour) * (3 if day == 32 else 1)


def silent_long_ago(day: int, hour: int) -> int:
    return 0 if day == 20 else usual(day, hour)


def growing(day: int, hour: int) -> int:
    return usual(day, hour) * (100 + 2 * day) // 100


def late_at_the_end(day: int, hour: int) -> int:
    return 0 if day == DAYS - 1 and hour > 18 else usual(day, hour)


def new(day: int, hour: int) -> int:
    return usual(day, hour) if day > 30 else 0


def begin(day: int, hour: int = 0) -> datetime:
    return MONDAY.replace(tzinfo=None) + timedelta(days=day, hours=hour)


Traffic = Callable[[int, int], int]
EXPECTED: list[tuple[Traffic, list[datetime], list[tuple[object, ...]]]] = [
    (usual, [], []),
    (growing, [], []),
    (silent_long_ago, [], []),
    (late_at_the_end, [], []),
    (new, [], []),
    (silent_for_an_hour, [begin(33, 14)], []),
    (silent_for_a_day, [begin(31, hour) for hour in range(12, 24)], [(begin(31).date(), 0)]),
    (busy_for_a_day, [], [(begin(32).date(), 3 * 636)]),
]


def requests(traffic: Traffic) -> Iterator[list[str]]:
    for day in range(DAYS):
        for hour in range(24):
            start = MONDAY + timedelta(days=day, hours=hour)
            for number in range(traffic(day, hour)):
                yield changed(
                    time_micros=f"{int(start.timestamp()) * 10**6 + number}",
                    cs_bucket=traffic.__name__,
                )


@pytest.fixture(scope="module")
def warned(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[tuple[object, ...]]]:
    """The rows that each test warns of, from five weeks of made-up traffic, a bucket for each."""
    project = Project(tmp_path_factory.mktemp("operators"))
    records = [record for traffic, _, _ in EXPECTED for record in requests(traffic)]
    log = project.folder / "log_usage_2024_06_04_23_00_00_00ab_v0"
    log.write_bytes(csv_log.write(records, list(COLUMNS)))
    project.load([log])
    models = "+fct_registry_requests_daily"
    project.dbt("build", "--select", models, "--exclude-resource-type", "test", "unit_test")
    project.dbt("compile", "--select", HOURS, VOLUME)
    compiled = project.folder / "target/compiled/pullstats/tests"
    return {name: project.query((compiled / f"{name}.sql").read_text()) for name in (HOURS, VOLUME)}


@pytest.mark.parametrize(("traffic", "hours", "days"), EXPECTED)
def test_only_what_is_unlike_the_weeks_before_warns(
    traffic: Traffic,
    hours: list[datetime],
    days: list[tuple[object, ...]],
    warned: dict[str, list[tuple[object, ...]]],
) -> None:
    silent = [start for bucket, start, _ in warned[HOURS] if bucket == traffic.__name__]
    unusual = [tuple(row[1:3]) for row in warned[VOLUME] if row[0] == traffic.__name__]
    assert sorted(silent) == hours
    assert unusual == days

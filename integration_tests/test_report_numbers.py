"""Every distinct count and every average of the report against SQL over the marts.

Under no filter, and under each choice of each filter alone; on logs with a gap, with clients of two
classes and a client in two networks, so that nothing adds up that must not be added up.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import Any

import duckdb
import pytest
from playwright.sync_api import Browser, Page

from integration_tests import browser
from integration_tests.project import Project, copied
from integration_tests.test_report_page import TOTALS

PULLS = "pullstats.fct_image_pulls"
NEWEST_COMPLETE_DATE = "2025-01-01"
AT_MOST = 12  # choices of each filter
FILTERS = ("source", "host", "project", "image", "class", "tool", "period")
CLOUDS = {"gcp": "Google Cloud", "aws": "AWS"}
HOUR = timedelta(hours=1)
# the columns of a choice: the page has it as the row of a mart
COLUMNS = {
    "source": ["log_source"],
    "host": ["registry_host"],
    "project": ["registry_host", "project_id"],
    "image": ["image"],
    "class": ["traffic_class"],
    "tool": ["traffic_class", "client_tool"],
}
# more than the page lists by default
VARS = "{report_rows: 1000, report_images: 1000}"


@pytest.fixture(scope="module")
def logs(demo: Project, tmp_path_factory: pytest.TempPathFactory) -> Project:
    project = copied(demo, tmp_path_factory.mktemp("numbers"))
    with duckdb.connect(str(project.database)) as connection:
        connection.execute(f"use {project.database.stem}")
        connection.execute(
            f"update {PULLS} set client_cloud = 'gcp', client_cloud_region = client_tool"
            " where client_network like '192.%'"
        )
        connection.execute(
            f"update {PULLS} set client_cloud = 'aws' where client_network like '198.%'"
        )
        connection.execute(
            f"update {PULLS} set client_id = (select max(client_id) from {PULLS}"
            "   where client_network = '203.0.113.0/24') "
            " where client_network = '192.0.2.0/24' and traffic_class = 'end_user'"
        )
    (several,) = project.query(
        f"select max(networks), max(classes) from (select count(distinct client_network)"
        f" as networks, count(distinct traffic_class) as classes from {PULLS} group by client_id)"
    )
    assert several[0] == several[1] == 2
    return project


@pytest.fixture(scope="module")
def page(logs: Project, chromium: Browser) -> Iterator[Page]:
    address = logs.report(VARS).as_uri() + "?period=all"
    with logs.frozen(), browser.opened(chromium, address) as (found, faults):
        found.wait_for_selector("body[data-ready]")
        yield found
        assert not faults


def sql(value: object) -> str:
    return "null" if value is None else f"'{value}'"


def where(conditions: dict[str, str], *left_out: str) -> str:
    return " and ".join(
        ["true", *(text for name, text in conditions.items() if name not in left_out)]
    )


def conditions_of(page: Page, name: str, value: str) -> dict[str, str]:
    """By the filters that they come from: a program is one of a class."""
    if name == "period":
        return {name: in_period(value)}
    row = page.evaluate(f"choices['{name}'].get({value!r})")
    found = {
        column: f"{column} is not distinct from {sql(row[column])}" for column in COLUMNS[name]
    }
    if name == "tool":
        return {"class": found["traffic_class"], "tool": found["client_tool"]}
    return {name: " and ".join(found.values())}


def in_period(value: str) -> str:
    if value == "all":
        return "true"
    if value[0] == "2":
        return f"date_trunc('month', pull_date) = date '{value}'"
    days = value.split("_")[1]
    last = f"date '{NEWEST_COMPLETE_DATE}'"
    return f"pull_date between {last} - ({days} - 1)::int and {last}"


def shown(page: Page, table: str, *columns: str) -> list[tuple[Any, ...]]:
    """Exact numbers, all else as it is written."""
    found = page.eval_on_selector_all(
        f"#{table} tbody tr",
        "(rows, columns) => rows.map(row => columns.map(name => {"
        " const cell = row.querySelector(`[data-column=${name}]`);"
        " return cell.dataset.value === undefined ? cell.textContent"
        "   : Number(cell.dataset.value); }))",
        columns,
    )
    return [tuple(each) for each in found]


def counted(logs: Project, by: str, conditions: str, count: str = "client_id") -> set[Any]:
    return set(
        logs.query(
            f"select {by}, count(distinct {count}) from {PULLS} where {conditions} group by all"
        )
    )


def covered_hours(logs: Project, sources: list[Any]) -> set[datetime]:
    """The hours between records that are less than a day apart."""
    hours = set()
    for source in sources:
        found = [
            hour
            for (hour,) in logs.query(
                "select log_hour::timestamp from pullstats.fct_log_hours"
                f" where log_source = '{source}' and log_hour > '1971-01-01' order by 1"
            )
        ]
        hours |= set(found)
        for first, second in pairwise(found):
            if second - first <= timedelta(hours=24):
                steps = (second - first) // HOUR
                hours |= {first + step * HOUR for step in range(steps)}
    return hours


def averages(logs: Project, conditions: dict[str, str], classes: str) -> dict[int, float]:
    """By hour of the week, on complete days; without the hours that no log covers."""
    place = where(conditions, "class", "tool", "period")
    sources = [
        source for (source,) in logs.query(f"select distinct log_source from {PULLS} where {place}")
    ]
    times: dict[int, int] = defaultdict(int)
    days = {
        day
        for (day,) in logs.query(
            "select calendar_date from pullstats.dim_dates where calendar_date"
            f" <= date '{NEWEST_COMPLETE_DATE}' and calendar_date >= date '2024-05-29'"
            f" and {conditions.get('period', 'true').replace('pull_date', 'calendar_date')}"
        )
    }
    for hour in covered_hours(logs, sources):
        if hour.date() in days:
            times[hour.weekday() * 24 + hour.hour] += 1
    pulls = dict(
        logs.query(
            "select (isodow(pull_date) - 1) * 24 + hour(started_at), count_if(is_complete)"
            f" from {PULLS} where {where(conditions, 'class', 'tool')} and {classes}"
            f" and pull_date <= date '{NEWEST_COMPLETE_DATE}' group by all"
        )
    )
    return {hour: int(str(pulls.get(hour, 0))) / count for hour, count in times.items()}


def check(page: Page, logs: Project, conditions: dict[str, str]) -> None:
    everything = where(conditions)
    (totals,) = logs.query(f"select {TOTALS} from {PULLS} where {everything}")
    assert page.eval_on_selector_all(
        "#totals dd", "all => all.map(each => Number(each.dataset.value ?? 0))"
    ) == [int(str(value)) for value in totals]
    # each step counts its clients once; a step without a log has no number
    steps = dict(
        logs.query(
            f"select date_trunc('{page.evaluate('selection().unit')}', pull_date)::date,"
            f" count(distinct client_id) from {PULLS} where {where(conditions, 'period')}"
            " group by 1"
        )
    )
    plotted = page.eval_on_selector_all(
        "#chart-clients tbody tr",
        "rows => rows.map(row => [row.querySelector('th').textContent,"
        " row.querySelector('td').dataset.value])",
    )
    assert plotted
    for start, value in plotted:
        clients = steps.get(start_of(start), 0)
        assert value == str(clients) or (value is None and not clients), start
    place = page.evaluate("(at => [at.host, at.project].filter(Boolean))(selection())")
    assert set(shown(page, "images", "image", "clients")) == {
        each
        for each in counted(logs, "image", where(conditions, "image") + " and image is not null")
        # beside an image the page lists the others of its project
        if "image" not in conditions or each[0].startswith("/".join(place) + "/")
    }
    program = (
        "case client_tool when 'none' then 'No user agent' else client_tool end"
        " || coalesce(' ' || client_version, '')"
    )
    by_class = page.evaluate(
        "Object.fromEntries(data.quality.length ? [...new Set(data.pulls.map("
        "row => row.traffic_class))].filter(Boolean).map(name => [words(name), name]) : [])"
    )
    assert {
        (name, by_class[words], clients)
        for name, words, clients in shown(
            page, "programs", "client_program", "traffic_class", "clients"
        )
    } == counted(logs, f"{program}, traffic_class", everything)
    assert set(shown(page, "networks", "client_network", "clients")) == counted(
        logs, "coalesce(client_network, 'Not known')", everything
    )
    of_class = where(conditions, "tool")
    assert {
        (by_class[words], clients)
        for words, clients in shown(page, "classes", "traffic_class", "clients")
    } == counted(logs, "traffic_class", of_class)
    cloud = "case client_cloud when 'gcp' then 'Google Cloud' when 'aws' then 'AWS'"
    region = "case when client_cloud is not null then coalesce(client_cloud_region, 'Not known')"
    assert set(shown(page, "egress-regions", "cloud", "region", "clients")) == counted(
        logs, f"{cloud} else 'Elsewhere' end, {region} else '' end", of_class
    )
    is_of_end_users = "end_user" in conditions.get("class", "")
    averaged = "traffic_class = 'end_user'" if is_of_end_users else "true"
    expected = averages(logs, conditions, averaged)
    cells = page.eval_on_selector_all(
        "#chart-hours td.number", "all => all.map(each => each.dataset.value)"
    )
    assert page.is_visible("#chart-hours .plot") == bool(expected)
    assert not expected or len(cells) == 168
    for at, value in enumerate(cells if expected else []):
        hour = at % 7 * 24 + at // 7
        assert (None if value is None else float(value)) == (
            pytest.approx(expected[hour]) if hour in expected else None
        ), hour
    if "image" in conditions:
        check_image(page, logs, conditions)


def start_of(step: str) -> date:
    """The first day of a step, as the table of a plot writes it."""
    text = step.removesuffix(" (not complete)")
    return datetime.strptime(text, "%Y-%m-%d" if text[0] == "2" else "%B %Y").date()


def check_image(page: Page, logs: Project, conditions: dict[str, str]) -> None:
    digest = "coalesce(coalesce(image_id, manifest_digest)[:19], 'Not known')"
    assert set(shown(page, "builds", "build_digest", "clients")) == counted(
        logs, digest, where(conditions, "class", "tool")
    )
    (facts,) = logs.query(
        f"select pulls, builds, clients from pullstats.dim_images where {conditions['image']}"
    )
    assert page.eval_on_selector_all(
        "#image-facts dd", "all => all.slice(0, 3).map(each => Number(each.dataset.value))"
    ) == list(facts)


def options(page: Page, name: str) -> list[str]:
    found: list[str] = page.eval_on_selector_all(
        f"#{name} option", "all => all.map(each => each.value).filter(Boolean)"
    )
    return found


@pytest.fixture
def chosen(page: Page) -> Iterator[Callable[[str, str], None]]:
    def choose(name: str, value: str) -> None:
        page.select_option(f"#{name}", value)

    page.click("button[type=reset]")
    page.evaluate("for (const state of tableStates.values()) state.all = true")
    choose("period", "all")
    yield choose


def test_no_filter_adds_up_what_must_not_be_added_up(
    page: Page, logs: Project, chosen: Callable[[str, str], None]
) -> None:
    check(page, logs, {})


@pytest.mark.parametrize("name", FILTERS)
def test_each_choice_of_a_filter_counts_each_client_once(
    name: str, page: Page, logs: Project, chosen: Callable[[str, str], None]
) -> None:
    values = options(page, name)
    assert len(values) > 1
    for value in values[:: len(values) // AT_MOST + 1]:
        chosen(name, value)
        check(page, logs, conditions_of(page, name, value))


def test_a_class_and_a_place_together(
    page: Page, logs: Project, chosen: Callable[[str, str], None]
) -> None:
    for name, value in (("host", "gcr.io"), ("class", "ci"), ("period", "2024-12-01")):
        chosen(name, value)
    check(
        page,
        logs,
        {
            "host": "registry_host = 'gcr.io'",
            "class": "traffic_class = 'ci'",
            "period": "pull_date between '2024-12-01' and '2024-12-31'",
        },
    )


def test_days_without_a_log_are_compared_with_nothing(
    page: Page, chosen: Callable[[str, str], None]
) -> None:
    """No whole period has a log here, so no change is shown, and each gap is named."""
    for value in options(page, "period"):
        chosen("period", value)
        assert page.locator(".change").count() == 0
        has_gap = value not in ("2024-05-01", "2025-01-01")
        assert ("The log covers" in page.inner_text("#selection")) == has_gap
        assert page.locator("#chart-pulls .plot svg").count() == 1, value


def test_an_image_of_a_year_ago_shows_its_pulls(
    page: Page, chosen: Callable[[str, str], None]
) -> None:
    chosen("image", "gcr.io/globex-prod/web")
    browser.settled(page)
    assert page.is_visible("#chart-pulls .plot")
    assert "Shown by week" in page.inner_text("#selection")


def test_no_guard_of_a_division_is_shown(page: Page, chosen: Callable[[str, str], None]) -> None:
    """The days shown hold no pull of the image: the highest of them is 0, not 1."""
    chosen("period", "last_30_days")
    tops = page.evaluate(
        "(() => {"
        " const spark = sparkline([{ name: 'a', value: 0 }, { name: 'b', value: 0 }], count);"
        " const invalid = spark.querySelectorAll('[style*=NaN]').length;"
        " return [spark.textContent, invalid, share(0, 0)]; })()"
    )
    assert tops[0].endswith("max. 0")
    assert tops[1:] == [0, "\N{EN DASH}"]

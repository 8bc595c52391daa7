"""The report and the docs page, opened from disk by a browser without a network."""

import shutil
from collections.abc import Iterator

import duckdb
import pytest
from playwright.sync_api import Browser, Page

from tests import browser
from tests.conftest import ROOT, Project
from tests.screenshots import LINEAGE

SCREENSHOTS = ROOT / "target/screenshots"
TOTALS = (
    "count_if(is_complete), count_if(is_complete and traffic_class = 'end_user'),"
    " count(distinct client_id),"
    " count(distinct case when traffic_class = 'end_user' then client_id end),"
    " coalesce(sum(served_bytes), 0)::bigint, count_if(not is_complete)"
)
LEAST_DRAWN_PIXELS = 2000


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with browser.started() as found:
        yield found


@pytest.fixture(scope="module")
def report(examples: Project) -> str:
    return examples.report().as_uri()


@pytest.fixture
def page(chromium: Browser, report: str) -> Iterator[Page]:
    with browser.opened(chromium, report) as (found, faults):
        browser.settled(found)
        choose(found, "period", "All time")
        yield found
        assert not faults


def choose(page: Page, name: str, text: str) -> None:
    page.select_option(f"#{name}", label=text)
    browser.settled(page)


def values(page: Page, selector: str) -> list[int]:
    found = page.eval_on_selector_all(selector, "all => all.map(each => each.dataset.value)")
    return [int(each) for each in found]


def rows(page: Page, table: str, *columns: str) -> set[tuple[str, ...]]:
    """The cells of a table by column: numbers exact, all else as it is shown."""
    more = page.locator(f"#{table} .more")
    if more.count() and "all" in more.inner_text():
        more.click()
    found = page.eval_on_selector_all(
        f"#{table} tbody tr",
        "(rows, columns) => rows.map(row => columns.map(name => {"
        " const cell = row.querySelector(`[data-column=${name}]`);"
        " return cell.dataset.value ?? cell.textContent; }))",
        columns,
    )
    return {tuple(each) for each in found}


def expected(project: Project, sql: str) -> set[tuple[str, ...]]:
    return {tuple(str(value) for value in row) for row in project.query(sql)}


def plotted(page: Page, name: str) -> str:
    return page.inner_html(f"#chart-{name} .plot svg")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", ["desktop", "phone"])
def test_the_report_opens_without_a_network_and_fits(
    size: str, scheme: str, chromium: Browser, report: str
) -> None:
    with browser.opened(chromium, report, size, scheme) as (page, faults):
        browser.settled(page)
        page.screenshot(path=SCREENSHOTS / f"report-{size}-{scheme}.png", full_page=True)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert page.locator(".plot svg").count() == 5  # the examples have no storage logs
    assert not faults


@pytest.mark.parametrize(
    ("choices", "where"),
    [
        ({}, "true"),
        ({"period": "Last 7 days"}, "true"),
        ({"period": "May 2024"}, "pull_date < '2024-06-01'"),
        ({"host": "eu.gcr.io"}, "registry_host = 'eu.gcr.io'"),
        (
            {"host": "gcr.io", "project": "globex-prod", "class": "ci"},
            "registry_host = 'gcr.io' and project_id = 'globex-prod' and traffic_class = 'ci'",
        ),
        (
            {"tool": "docker (end_user)", "period": "June 2024"},
            "client_tool = 'docker' and traffic_class = 'end_user' and pull_date >= '2024-06-01'",
        ),
        (
            {"image": "gcr.io/globex-prod/web", "tool": "containerd (end_user)"},
            "image = 'gcr.io/globex-prod/web' and client_tool = 'containerd'",
        ),
    ],
)
def test_totals_are_those_of_the_pulls_chosen(
    choices: dict[str, str], where: str, page: Page, examples: Project
) -> None:
    for name, text in choices.items():
        choose(page, name, text)
    (totals,) = examples.query(f"select {TOTALS} from pullstats.fct_image_pulls where {where}")
    assert values(page, "#totals dd") == list(totals)
    assert totals[0] > 0


@pytest.mark.parametrize(
    ("unit", "start"), [("Days", "pull_date"), ("Weeks", "week"), ("Months", "month")]
)
def test_each_step_counts_its_clients_once(
    unit: str, start: str, page: Page, examples: Project
) -> None:
    choose(page, "unit", unit)
    step = start if start == "pull_date" else f"date_trunc('{start}', pull_date)"
    counted = examples.query(
        f"select {step} as step, count(distinct client_id),"
        " count(distinct case when traffic_class = 'end_user' then client_id end)"
        " from pullstats.fct_image_pulls group by step order by step desc"
    )
    shown = values(page, "#chart-clients td.number")
    assert shown == [number for _, *both in counted for number in both]


def test_filters_change_plots_and_tables(page: Page) -> None:
    names = ("pulls", "clients", "classes", "pushes", "served")
    before = {name: plotted(page, name) for name in names}
    images = rows(page, "images", "image")
    choose(page, "host", "eu.gcr.io")
    assert all(plotted(page, name) != before[name] for name in names)
    assert rows(page, "images", "image") < images
    page.click("button[type=reset]")
    browser.settled(page)
    assert page.input_value("#host") == ""
    assert rows(page, "images", "image") == images


def test_an_image_shows_its_builds_and_callers(page: Page, examples: Project) -> None:
    page.click("#images button.link >> text=gcr.io/globex-prod/web")
    browser.settled(page)
    assert page.inner_text("#h-image") == "Image gcr.io/globex-prod/web"
    of_image = "from pullstats.fct_image_pulls where image = 'gcr.io/globex-prod/web'"
    numbers = "count_if(is_complete), count(distinct client_id), sum(served_bytes)::bigint"
    columns = ("pulls", "clients", "served_bytes")
    assert rows(page, "builds", "image_id", *columns) == expected(
        examples,
        f"select coalesce(image_id[:19], 'not told'), {numbers} {of_image} group by image_id",
    )
    assert rows(page, "programs", "client_program", *columns) == expected(
        examples,
        f"select client_tool || coalesce(' ' || client_version, '') as program, {numbers}"
        f" {of_image} group by program, traffic_class",
    )
    assert rows(page, "networks", "client_network", *columns) == expected(
        examples, f"select client_network, {numbers} {of_image} group by client_network"
    )


def test_tables_are_those_of_the_marts(page: Page, examples: Project) -> None:
    assert rows(page, "images", "image", "pulls", "end_user_pulls") == expected(
        examples, "select image, pulls, end_user_pulls from pullstats.dim_images where pulls > 0"
    )
    assert rows(page, "requests", "traffic_class", "operation", "requests", "errors") == expected(
        examples,
        "select traffic_class, operation, sum(requests), sum(errors)"
        " from pullstats.fct_registry_requests_daily group by all",
    )
    assert rows(page, "pushes", "image", "pushes", "written_bytes") == expected(
        examples,
        "select coalesce(image, 'not told') as name, count(*), sum(written_bytes)"
        " from pullstats.fct_image_pushes group by name",
    )
    page.fill("#idle-days", "1")
    assert rows(page, "idle", "image", "idle") == expected(
        examples,
        "select image, date_diff('day', last_pulled_at, timestamp '2024-06-03') as days"
        " from pullstats.dim_images where days >= 1",
    )


def test_the_health_of_the_data_is_that_of_the_log(page: Page, examples: Project) -> None:
    ((received, distinct),) = examples.query(
        "select count(*), (select count(*) from pullstats_intermediate.int_gcs_requests)"
        " from storageanalysis.usage"
    )
    health = page.inner_text("#health")
    assert "2024-06-03 21:00 UTC" in health
    assert f"{int(str(received)) - int(str(distinct))} of {received:,}" in health
    assert page.inner_text("#counting-error") == "0.0%"


def test_the_keyboard_reaches_and_sorts(page: Page) -> None:
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.focus("#images th:nth-child(6) button")
    page.keyboard.press("Enter")
    assert page.get_attribute("#images th:nth-child(6)", "aria-sort") == "descending"
    served = values(page, "#images [data-column=served_bytes]")
    assert served == sorted(served, reverse=True)
    assert page.evaluate("document.activeElement.textContent") == "Bytes served"


def test_paper_gets_numbers_and_no_controls(page: Page) -> None:
    page.emulate_media(media="print", color_scheme="dark")
    assert not page.is_visible("#filters")
    assert page.is_visible("#totals")
    assert page.evaluate("getComputedStyle(document.body).color") == "rgb(0, 0, 0)"


def changed_copy(examples: Project, project: Project, verb: str, condition: str) -> str:
    """The report of the examples' database with some of its tables and views emptied or dropped."""
    shutil.copy(examples.database, project.database)
    found = project.query(
        "select if(table_type = 'VIEW', 'view', 'table'), table_schema, table_name"
        f" from information_schema.tables where {condition}"
    )
    with duckdb.connect(str(project.database)) as connection:
        for kind, schema, name in found:
            what = f"{kind} " if verb == "drop" else ""
            connection.execute(f"{verb} {what}{project.database.stem}.{schema}.{name}")
    return project.report().as_uri()


@pytest.mark.parametrize(
    ("verb", "notice"),
    [("drop", "Not built yet: dim_images"), ("truncate", "The tables are there but hold no pulls")],
)
def test_tables_that_are_empty_or_missing_give_a_page_that_says_so(
    verb: str, notice: str, examples: Project, project: Project, chromium: Browser
) -> None:
    what = "table_schema = 'pullstats'" if verb == "drop" else "table_type = 'BASE TABLE'"
    with browser.opened(chromium, changed_copy(examples, project, verb, what)) as (page, faults):
        assert page.inner_text("#notice").startswith(notice)
        assert "nothing has landed" in page.inner_text("#health")
        assert values(page, "#totals dd") == [0] * 6
        assert page.locator(".plot svg").count() == 0
    assert not faults


def test_marts_that_are_missing_leave_the_others_to_be_seen(
    examples: Project, project: Project, chromium: Browser
) -> None:
    missing = "table_schema = 'pullstats' and table_name != 'fct_registry_requests_daily'"
    report = changed_copy(examples, project, "drop", missing)
    with browser.opened(chromium, report) as (page, faults):
        assert "dim_images" in page.inner_text("#notice")
        assert "fct_registry_requests_daily" not in page.inner_text("#notice")
        choose(page, "period", "All time")
        assert rows(page, "requests", "traffic_class", "operation", "requests") == expected(
            examples,
            "select traffic_class, operation, sum(requests)"
            " from pullstats.fct_registry_requests_daily group by all",
        )
    assert not faults


def test_the_docs_page_opens_without_a_network_and_draws_the_lineage(
    chromium: Browser, examples: Project
) -> None:
    docs = examples.docs().as_uri()
    with browser.opened(chromium, docs) as (page, faults):
        page.wait_for_selector("h1", state="attached")
        page.screenshot(path=SCREENSHOTS / "docs.png")
    assert not faults
    with browser.opened(chromium, docs + LINEAGE) as (page, faults):
        assert browser.lineage(page) > LEAST_DRAWN_PIXELS
        page.screenshot(path=SCREENSHOTS / "lineage.png")
    assert not faults

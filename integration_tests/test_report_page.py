"""The report, opened from disk by a browser without a network."""

import csv
import shutil
from collections.abc import Iterator

import duckdb
import pytest
from playwright.sync_api import Browser, Page

from integration_tests import browser
from integration_tests.project import SCREENSHOTS, Project

TOTALS = (
    "count_if(is_complete), count_if(is_complete and traffic_class = 'end_user'),"
    " count(distinct client_id),"
    " count(distinct case when traffic_class = 'end_user' then client_id end),"
    " coalesce(sum(served_bytes), 0)::bigint, count_if(not is_complete)"
)


@pytest.fixture(scope="module")
def report(examples: Project) -> str:
    return examples.report().as_uri()


@pytest.fixture(scope="module")
def opened(chromium: Browser, report: str) -> Iterator[tuple[Page, list[str]]]:
    with browser.opened(chromium, report) as found:
        browser.settled(found[0])
        yield found


@pytest.fixture
def page(opened: tuple[Page, list[str]]) -> Iterator[Page]:
    """The page with nothing chosen but all time."""
    found, faults = opened
    found.click("button[type=reset]")
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


@pytest.mark.parametrize("size", ["desktop", "phone"])
def test_the_report_opens_without_a_network_and_fits(
    size: str, chromium: Browser, report: str
) -> None:
    with browser.opened(chromium, report, size) as (page, faults):
        browser.settled(page)
        assert browser.fits(page, SCREENSHOTS / f"report-{size}")
        assert (
            page.locator(".plot svg").count() == 8
        )  # the examples have no storage logs and no networks
    assert not faults


@pytest.mark.parametrize(
    ("choices", "where"),
    [
        ({}, "true"),
        ({"period": "Last 7 complete days"}, "pull_date < '2024-06-03'"),
        ({"period": "May 2024"}, "pull_date < '2024-06-01'"),
        ({"host": "eu.gcr.io"}, "registry_host = 'eu.gcr.io'"),
        (
            {"host": "gcr.io", "project": "globex-prod", "class": "CI and builds"},
            "registry_host = 'gcr.io' and project_id = 'globex-prod' and traffic_class = 'ci'",
        ),
        (
            {"tool": "docker (End users)", "period": "June 2024"},
            "client_tool = 'docker' and traffic_class = 'end_user' and pull_date >= '2024-06-01'",
        ),
        (
            {"image": "gcr.io/globex-prod/web", "tool": "containerd (End users)"},
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
    ("unit", "start"), [("Day", "pull_date"), ("Week", "week"), ("Month", "month")]
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
    choose(page, "period", "All time")
    assert page.input_value("#host") == ""
    assert rows(page, "images", "image") == images


def test_a_section_says_which_filters_it_does_not_follow(page: Page) -> None:
    assert page.locator(".unfiltered:visible").count() == 0
    choose(page, "image", "gcr.io/globex-prod/web")
    assert "Not filtered by image" in page.inner_text("#requests-section .unfiltered")
    choose(page, "tool", "docker (End users)")
    assert "Not filtered by program" in page.inner_text("#egress-section > .unfiltered")
    assert "Not filtered by program" in page.inner_text("#tags-section .unfiltered")
    assert not page.is_visible("#callers-section .unfiltered")


def test_the_address_keeps_what_is_chosen(page: Page) -> None:
    choose(page, "project", "globex-prod on gcr.io")
    choose(page, "class", "CI and builds")
    choose(page, "tool", "skopeo")
    page.fill("#idle-days", "1")
    totals = values(page, "#totals dd")
    assert "period=all" in page.url
    page.reload()
    browser.settled(page)
    assert values(page, "#totals dd") == totals
    assert page.inner_text("#selection").startswith("globex-prod on gcr.io, CI and builds, skopeo,")
    assert page.input_value("#idle-days") == "1"


def test_the_address_keeps_the_order_and_search_of_each_table(page: Page) -> None:
    page.click("#images th button >> text=Bytes served")
    page.click("#images th button >> text=Bytes served")
    page.fill("#images input", "gcr.io/Globex")
    page.click("#pushes th button >> text=Image")
    page.click("#chart-pulls summary")
    page.fill("#chart-pulls input", "2024-06")

    def shown() -> list[list[str]]:
        tables = ("#images", "#pushes", "#chart-pulls")
        return [page.locator(f"{table} tbody th").all_text_contents() for table in tables]

    tables = shown()
    assert len(tables[0]) > 2
    assert len(tables[2]) == 3
    served = values(page, "#images [data-column=served_bytes]")
    assert served == sorted(served)
    page.click("#images a >> text=gcr.io/globex-prod/web")
    page.go_back()
    browser.settled(page)
    assert shown() == tables
    page.reload()
    browser.settled(page)
    assert shown() == tables
    assert page.input_value("#images input") == "gcr.io/Globex"
    page.click("button[type=reset]")
    assert "?" not in page.url
    assert page.input_value("#images input") == ""


def test_each_figure_has_the_sql_behind_it(page: Page, examples: Project) -> None:
    figures = "figure, .table[id], .tiles, .facts"
    unlinked = (
        "all => all.filter(each => !each.querySelector('.sql a')"
        " && !each.nextElementSibling.matches('.sql')).map(each => each.id)"
    )
    assert page.eval_on_selector_all(figures, unlinked) == []
    assert page.locator(".sql a").count() > 25
    linked = page.eval_on_selector_all(".sql a", "all => all.map(each => each.hash.slice(5))")
    queries = dict(
        page.eval_on_selector_all(
            "#sql-section pre",
            "all => all.map(each => [each.previousElementSibling.id.slice(4), each.textContent])",
        )
    )
    assert set(linked) | {"extent"} == set(queries)
    for name, sql in queries.items():
        rows = page.evaluate(f"data.{name}.length")
        (dates,) = examples.query(
            f"select count(*) filter ({'log_date' if name == 'log_days' else 'null'}"
            f" <= '1970-01-01') from ({sql}) as query"
        )
        assert examples.query(f"select count(*) from ({sql}) as query") == [(rows + int(dates[0]),)]


def test_durations_are_those_of_the_pulls(page: Page, examples: Project) -> None:
    for name, text, where in (
        ("period", "All time", "true"),
        ("class", "CI and builds", "traffic_class = 'ci'"),
        ("image", "gcr.io/globex-prod/web", "image = 'gcr.io/globex-prod/web'"),
    ):
        page.click("button[type=reset]")
        choose(page, "period", "All time")
        choose(page, name, text)
        counts = dict.fromkeys((1, 2, 5, 10, 20, 30, 60, 120, 300, 600, None), 0)
        for (millis,) in examples.query(
            f"select duration_millis from pullstats.fct_image_pulls where is_complete and {where}"
        ):
            steps = [step for step in counts if step and int(str(millis)) <= step * 1000]
            counts[min(steps, default=None)] += 1
        assert values(page, "#durations [data-column=pulls]") == [n for n in counts.values() if n]
        assert values(page, "#durations [data-column=up_to]")[-1] == sum(counts.values())
        assert "Half of these pulls took up to" in page.inner_text("#durations-hint")


def test_an_image_is_a_link_to_its_builds_and_callers(page: Page, examples: Project) -> None:
    page.click("#images a >> text=gcr.io/globex-prod/web")
    browser.settled(page)
    assert page.inner_text("#h-image") == "gcr.io/globex-prod/web"
    assert "image=gcr.io%2Fglobex-prod%2Fweb" in page.url
    for period, where in {"All time": "true", "June 2024": "pull_date >= '2024-06-01'"}.items():
        choose(page, "period", period)
        of_image = (
            f"from pullstats.fct_image_pulls where image = 'gcr.io/globex-prod/web' and {where}"
        )
        numbers = "count_if(is_complete), count(distinct client_id), sum(served_bytes)::bigint"
        columns = ("pulls", "clients", "served_bytes")
        assert rows(page, "builds", "build_digest", *columns) == expected(
            examples,
            f"select coalesce(image_id[:19], 'Not known'), {numbers} {of_image} group by image_id",
        )
        assert rows(page, "programs", "client_program", *columns) == expected(
            examples,
            f"select client_tool || coalesce(' ' || client_version, '') as program, {numbers}"
            f" {of_image} group by program, traffic_class",
        )
        assert rows(page, "networks", "client_network", *columns) == expected(
            examples, f"select client_network, {numbers} {of_image} group by client_network"
        )
    page.go_back()
    browser.settled(page)
    assert not page.is_visible("#one-image")


def test_tables_are_those_of_the_marts(page: Page, examples: Project) -> None:
    assert rows(page, "images", "image", "pulls", "end_user_pulls") == expected(
        examples, "select image, pulls, end_user_pulls from pullstats.dim_images where pulls > 0"
    )
    assert {number for _, number in rows(page, "classes", "traffic_class", "pulls")} == {
        number
        for (number,) in expected(
            examples,
            "select count_if(is_complete) from pullstats.fct_image_pulls group by traffic_class",
        )
    }
    ((requests,),) = examples.query(
        "select sum(requests) from pullstats.fct_registry_requests_daily"
    )
    assert sum(values(page, "#requests [data-column=requests]")) == requests
    assert rows(page, "pushes", "image", "pushes", "written_bytes") == expected(
        examples,
        "select coalesce(image, 'Not known') as name, count(*), sum(written_bytes)"
        " from pullstats.fct_image_pushes group by name",
    )
    page.fill("#idle-days", "1")
    assert rows(page, "idle", "image", "unused_days") == expected(
        examples, "select image, unused_days from pullstats.dim_images where unused_days >= 1"
    )


def test_a_day_that_is_not_complete_is_marked_and_left_out_of_trends(page: Page) -> None:
    assert "Jun 3, 2024 is not complete" in page.inner_text("#selection")
    bars = page.locator("#chart-served .plot .mark-rect path")
    opacities = [bar.get_attribute("opacity") for bar in bars.all()]
    assert opacities == ["1"] * 5 + ["0.4"]
    points = page.locator("#chart-pulls .plot .mark-symbol path")
    whole = [point.get_attribute("fill") != "var(--page)" for point in points.all()]
    assert whole == [True] * 5 + [False] + [True] * 5 + [False]  # of all, and of end users
    trend = page.locator("#images .spark").first
    assert [str(bar.get_attribute("title")).split(":")[0] for bar in trend.locator("i").all()] == [
        *("Wed, May 29, 2024", "Thu, May 30, 2024", "Fri, May 31, 2024"),
        *("Sat, Jun 1, 2024", "Sun, Jun 2, 2024"),
    ]


def test_bars_and_lines_stand_on_the_same_marks(page: Page) -> None:
    page.reload()  # labels that a filter brings back are the last, wherever they stand
    browser.settled(page)

    def ticks(name: str) -> list[str]:
        return page.locator(f"#chart-{name} .role-axis-label text").all_text_contents()[:6]

    days = ["May 29", "May 30", "May 31", "Jun 1", "Jun 2", "Jun 3"]
    assert [ticks(name) for name in ("pulls", "classes", "pushes", "served")] == [days] * 4


def test_a_table_can_be_searched_and_saved(page: Page, examples: Project) -> None:
    page.fill("#images input", "GLOBEX-eu")
    assert rows(page, "images", "image") == {("eu.gcr.io/globex-eu/shop",)}
    page.fill("#images input", "")
    with page.expect_download() as saved:
        page.click("#images .csv")
    found = list(csv.DictReader(saved.value.path().open(newline="")))
    assert {(row["Image"], row["Pulls"], row["Bytes served"]) for row in found} == expected(
        examples,
        "select image, count_if(is_complete), sum(served_bytes)::bigint"
        " from pullstats.fct_image_pulls group by image",
    )


@pytest.mark.parametrize(
    "text",
    [
        *("=1+1", "+1", "-1", "@a", "\t=1", "a;=1", "a;\t=1", 'a;"=1', "a\n=1", "a\r\n;@a"),
        *("a; =1", "a\t=1", ";;=1", "a,=1", 'x",=1', "'=1", '";"=1'),
    ],
)
def test_a_saved_text_is_no_formula(text: str, opened: tuple[Page, list[str]]) -> None:
    cell = str(opened[0].evaluate("text => csvCell(text)", text))
    for separator in ",;\t":
        lines = csv.reader(f"x{separator}{cell}".splitlines(), delimiter=separator)
        for each in (each.strip(' "\t') for line in lines for each in line):
            assert not each.startswith(("=", "+", "-", "@")), each
    ((saved,),) = csv.reader([cell], strict=True)
    assert saved.replace("'", "") == text.replace("'", "")


def test_the_quality_of_the_data_is_that_of_the_log(page: Page, examples: Project) -> None:
    ((received, distinct),) = examples.query(
        "select count(*), (select count(*) from pullstats_intermediate.int_gcs_requests)"
        " from storageanalysis.usage"
    )
    quality = page.inner_text("#quality")
    assert "2024-06-03 21:00 UTC" in quality
    assert f"{int(str(received)) - int(str(distinct))} of {received:,}" in quality
    ((missing,),) = examples.query(
        "select sum(missing_hours_before) from pullstats.fct_log_hours"
        " where log_source = 'gcs_usage'"
    )
    assert f"{missing}; quiet hours" in quality
    assert page.inner_text("#counting-error") == "0.0%"


@pytest.mark.parametrize(
    ("choices", "where"),
    [
        ({}, "true"),
        ({"period": "May 2024", "class": "End users"}, "{0} < '2024-06-01' and {1} = 'end_user'"),
        ({"image": "gcr.io/globex-prod/web"}, "image = 'gcr.io/globex-prod/web'"),
        ({"project": "globex-prod on gcr.io"}, "project_id = 'globex-prod'"),
    ],
)
def test_failures_are_those_of_the_marts(
    choices: dict[str, str], where: str, page: Page, examples: Project
) -> None:
    for name, text in choices.items():
        choose(page, name, text)
    requests = f"fct_failed_requests_daily where {where.format('request_date', 'traffic_class')}"
    pulls = (
        f"fct_image_pulls where not is_complete and {where.format('pull_date', 'traffic_class')}"
    )
    found = expected(
        examples,
        "select coalesce(image, 'Not known'), client_tool, status_code, sum(failed_requests)"
        f" from pullstats.{requests} group by image, client_tool, status_code",
    )
    columns = ("image", "program", "status_code", "failed_requests")
    assert rows(page, "failed-requests", *columns) == found
    assert sum(values(page, "#failure-reasons [data-column=failed_requests]")) == sum(
        int(number) for *_, number in found
    )
    assert rows(page, "failed-pulls", "image", "program", "incomplete_pulls") == expected(
        examples,
        f"select image, client_tool, count(*) from pullstats.{pulls} group by image, client_tool",
    )
    (total,) = values(page, "#totals div:last-child dd")
    assert sum(values(page, "#chart-incomplete td.number")) == total
    shown = values(page, "#chart-failed td.number")
    assert sum(shown) == sum(int(number) for *_, number in found)


def test_clouds_are_not_known_without_networks(page: Page, examples: Project) -> None:
    assert "pullstats networks" in page.inner_text("#egress-unknown")
    assert not page.is_visible("#chart-egress")
    assert rows(page, "egress-clouds", "cloud", "served_bytes") == expected(
        examples, "select 'Not known', sum(served_bytes)::bigint from pullstats.fct_image_pulls"
    )
    assert "No tags are known" in page.inner_text("#tags-hint")


@pytest.fixture(scope="module")
def richer(examples: Project, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The examples with clouds and tags, as lists of networks and an inventory give them."""
    project = Project(tmp_path_factory.mktemp("richer"))
    shutil.copy(examples.database, project.database)
    with duckdb.connect(str(project.database)) as connection:
        connection.execute(f"use {project.database.stem}.pullstats")
        connection.execute(
            "update fct_image_pulls set client_cloud = 'gcp', client_cloud_region = 'us-east1'"
            " where client_network like '192.%'"
        )
        connection.execute(
            "update fct_image_pulls set client_cloud = 'aws' where client_network like '198.%'"
        )
        connection.execute("update fct_image_pulls set egress_cost_nanos = 111 * served_bytes")
        connection.execute(
            "insert into dim_image_tags by name select image, registry_host, project_id, tag,"
            " platform, image_id, 3 as tag_pulls, 10 as build_pulls, tags.unused_days"
            " from dim_images, (values ('linux/amd64', 'a'), ('linux/arm64', 'b'))"
            " as platforms (platform, image_id),"
            " (values ('new', 2), ('old', 30), ('stale', 99)) as tags (tag, unused_days)"
        )
    return project


@pytest.fixture(scope="module")
def richer_report(richer: Project) -> str:
    return richer.report().as_uri()


@pytest.mark.parametrize("size", ["desktop", "phone"])
def test_the_report_with_clouds_and_tags_fits(
    size: str, chromium: Browser, richer_report: str
) -> None:
    with browser.opened(chromium, richer_report, size) as (page, faults):
        choose(page, "period", "All time")
        assert browser.fits(page, SCREENSHOTS / f"richer-{size}")
        # tables fit; on a phone their first three columns do
        tables = page.eval_on_selector_all(
            ".table[id] .scroll",
            "all => all.map(each => ({ width: each.clientWidth, all: each.scrollWidth,"
            " main: (cell => cell.offsetLeft + cell.offsetWidth)(each.querySelector('tr').cells[2])"
            " }))",
        )
        assert len(tables) > 10
        key = "all" if size == "desktop" else "main"
        assert [each for each in tables if each[key] > each["width"]] == []
        # no label of a filter is cut, with its arrow
        for period in ("Last 30 complete days", "All time"):
            choose(page, "period", period)
            choose(page, "image", "gcr.io/globex-prod/web")
            cut = page.eval_on_selector_all(
                "#filters select",
                "all => all.filter(each => each.offsetParent && (() => {"
                " const pen = document.createElement('canvas').getContext('2d');"
                " pen.font = getComputedStyle(each).font;"
                " return pen.measureText(each.selectedOptions[0].textContent).width + 30"
                " > each.clientWidth; })()).map(each => each.id)",
            )
            assert cut == []
    assert not faults


def test_clouds_and_tags_are_those_of_the_marts(
    chromium: Browser, richer: Project, richer_report: str
) -> None:
    with browser.opened(chromium, richer_report) as (page, faults):
        choose(page, "period", "All time")
        cloud = "case client_cloud when 'gcp' then 'Google Cloud' when 'aws' then 'AWS'"
        counted = (
            f"select {cloud} else 'Elsewhere' end as cloud, {{}} sum(served_bytes)::bigint,"
            " count_if(is_complete), sum(egress_cost_nanos)::bigint"
            " from pullstats.fct_image_pulls where {} group by all"
        )
        columns = ("served_bytes", "pulls", "egress_cost_nanos")
        assert rows(page, "egress-clouds", "cloud", *columns) == expected(
            richer, counted.format("", "true")
        )
        region = (
            "case when client_cloud is null then ''"
            " else coalesce(client_cloud_region, 'Not known') end as region,"
        )
        assert rows(page, "egress-regions", "cloud", "region", *columns) == expected(
            richer, counted.format(region, "true")
        )
        ((served,),) = richer.query(
            "select sum(served_bytes)::bigint from pullstats.fct_image_pulls"
        )
        assert sum(values(page, "#chart-egress td.number")) == served
        assert not page.is_visible("#egress-unknown")
        assert rows(page, "tags", "image", "tag", "use", "tag_pulls", "build_pulls") == expected(
            richer,
            "select distinct image, tag, case tag when 'new' then 'Used' else 'Unused' end, 3, 20"
            " from pullstats.dim_image_tags",
        )
        page.fill("#idle-days", "31")
        assert {tag for tag, use in rows(page, "tags", "tag", "use") if use == "Unused"} == {
            "stale"
        }
        choose(page, "image", "gcr.io/globex-prod/web")
        assert rows(page, "egress-clouds", "cloud", *columns) == expected(
            richer, counted.format("", "image = 'gcr.io/globex-prod/web'")
        )
        assert "Not filtered by image" in page.inner_text("#chart-egress .unfiltered")
        page.fill("#tags input", "stale")
        assert rows(page, "tags", "image", "tag") == {("gcr.io/globex-prod/web", "stale")}
    assert not faults


def test_sources_and_periods_are_compared(
    examples: Project, project: Project, chromium: Browser
) -> None:
    """With a second source a week before, of which every second pull is left out."""
    shutil.copy(examples.database, project.database)
    with duckdb.connect(str(project.database)) as connection:
        connection.execute(f"use {project.database.stem}.pullstats")
        connection.execute(
            "insert into fct_image_pulls select * replace ('cloud_audit' as log_source,"
            " 'a' || pull_id as pull_id, pull_date - 5 as pull_date) from fct_image_pulls"
            " qualify row_number() over (order by pull_id) % 2 = 0"
        )
        connection.execute("truncate fct_log_hours")
        connection.execute(
            "insert into fct_log_hours by name"
            " select log_source, log_hour, 1 as received_rows, 0 as redelivered_rows,"
            " 0 as late_rows, 0 as missing_hours_before"
            " from (values ('gcs_usage'), ('cloud_audit')) as sources (log_source),"
            " range(timestamp '2024-05-10', timestamp '2024-06-03 22:00', interval 1 hour)"
            " as hours (log_hour)"
        )
    with browser.opened(chromium, project.report().as_uri()) as (page, faults):
        choose(page, "period", "Last 7 complete days")
        now = "pull_date between '2024-05-27' and '2024-06-02'"
        then = "pull_date between '2024-05-20' and '2024-05-26'"
        count = f"select count_if(is_complete and {now}), count_if(is_complete and {then})"
        ((pulls, before),) = project.query(f"{count} from pullstats.fct_image_pulls")
        percent = round(100 * (int(str(pulls)) - int(str(before))) / int(str(before)))
        assert page.inner_text("#totals dd >> nth=0").split() == [str(pulls), "▲", f"{percent}%"]
        assert "Changes are against May 20, 2024 to May 26, 2024" in page.inner_text("main")
        choose(page, "source", "Cloud Audit Logs")
        ((pulls, _),) = project.query(
            f"{count} from pullstats.fct_image_pulls where log_source = 'cloud_audit'"
        )
        assert values(page, "#totals dd")[0] == pulls
        assert "source=cloud_audit" in page.url
    assert not faults


def test_the_keyboard_reaches_and_sorts(page: Page) -> None:
    page.reload()
    browser.settled(page)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.focus("#images th button >> text=Bytes served")
    page.keyboard.press("Enter")
    assert page.locator("#images th[aria-sort=descending]").inner_text() == "Bytes served"
    served = values(page, "#images [data-column=served_bytes]")
    assert served == sorted(served, reverse=True)
    assert page.evaluate("document.activeElement.textContent") == "Bytes served"


def test_paper_gets_numbers_and_no_controls(page: Page) -> None:
    page.emulate_media(media="print", color_scheme="dark")
    assert not page.is_visible("#filters")
    assert page.is_visible("#totals")
    assert page.evaluate("getComputedStyle(document.body).color") == "rgb(0, 0, 0)"
    page.emulate_media(media="screen", color_scheme="light")


def test_tables_without_rows_give_a_page_that_says_so(
    examples: Project, project: Project, chromium: Browser
) -> None:
    shutil.copy(examples.database, project.database)
    tables = project.query(
        "select table_schema || '.' || table_name from information_schema.tables"
        " where table_type = 'BASE TABLE'"
    )
    with duckdb.connect(str(project.database)) as connection:
        for (table,) in tables:
            connection.execute(f"truncate {project.database.stem}.{table}")
    with browser.opened(chromium, project.report().as_uri()) as (page, faults):
        page.wait_for_selector("body[data-ready]")
        assert page.inner_text("#notice").startswith("No pulls yet")
        assert "No logs are loaded" in page.inner_text("#quality")
        assert values(page, "#totals dd") == [0] * 6
        assert page.locator(".plot svg").count() == 0
    assert not faults

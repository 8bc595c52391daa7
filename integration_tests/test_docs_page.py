"""dbt's page and the reference, opened from disk by a browser without a network."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser

from integration_tests import browser
from integration_tests.project import SCREENSHOTS, Project
from integration_tests.screenshots import LINEAGE

LEAST_DRAWN_PIXELS = 2000


@pytest.fixture(scope="module")
def docs(examples: Project) -> Path:
    return examples.docs()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", ["desktop", "phone"])
def test_the_reference_finds_and_links_columns(
    size: str, scheme: str, chromium: Browser, docs: Path
) -> None:
    place = docs.with_name("reference.html").as_uri()
    with browser.opened(chromium, f"{place}#fct_image_pulls.image_id", size, scheme) as (
        page,
        faults,
    ):
        page.screenshot(path=SCREENSHOTS / f"reference-{size}-{scheme}.png")
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert page.locator("[id='fct_image_pulls.image_id']").is_visible()
        columns = page.locator(".entry tbody tr").count()
        page.fill("#search", "first_pulled_at")
        assert page.locator("[id='dim_images.first_pulled_at']").is_visible()
        assert not page.locator("[id='dim_images.image']").is_visible()
        assert 0 < page.locator(".entry tbody tr:visible").count() < columns / 10
    assert not faults


def test_the_docs_page_opens_without_a_network_and_draws_the_lineage(
    chromium: Browser, docs: Path
) -> None:
    with browser.opened(chromium, docs.as_uri()) as (page, faults):
        page.wait_for_selector("h1", state="attached")
        page.screenshot(path=SCREENSHOTS / "docs.png")
    assert not faults
    with browser.opened(chromium, docs.as_uri() + LINEAGE) as (page, faults):
        assert browser.lineage(page) > LEAST_DRAWN_PIXELS
        page.screenshot(path=SCREENSHOTS / "lineage.png")
    assert not faults

"""The documentation's site, opened from disk by a browser without a network."""

import json
import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from integration_tests import browser
from integration_tests.project import MARTS, ROOT, SCREENSHOTS, Project
from scripts import lineage


@pytest.fixture(scope="module")
def site(examples: Project) -> Path:
    return examples.docs()


@pytest.mark.parametrize("size", ["desktop", "phone"])
def test_a_link_leads_to_a_column_and_its_whole_description(
    size: str, chromium: Browser, site: Path
) -> None:
    place = f"{(site / 'reference/marts.html').as_uri()}#fct_image_pulls.image_id"
    with browser.opened(chromium, place, size) as (page, faults):
        assert browser.fits(page, SCREENSHOTS / f"reference-{size}", is_site=True)
        assert page.locator("[id='fct_image_pulls.image_id']").is_visible()
        description = page.locator("tr:has([id='fct_image_pulls.image_id']) td").last.bounding_box()
        assert description
        assert description["x"] + description["width"] <= browser.SIZES[size][0]
    assert not faults


def test_the_search_knows_each_column_of_each_mart(examples: Project, site: Path) -> None:
    entries = json.loads((site / "search.json").read_text())["items"]
    found = {
        each["location"].split("#")[-1]: each["text"]
        for each in entries
        if each["location"].startswith("reference/marts.html#")
    }
    for mart in MARTS:
        columns = examples.query(f"select column_name from (describe pullstats.{mart})")
        assert not [name for (name,) in columns if str(name) not in found[mart]]


def test_each_link_of_a_page_leads_somewhere() -> None:
    pages = {path: path.read_text() for path in (*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"))}
    anchors = {
        path: {
            re.sub(r"[^\w -]", "", heading).strip().lower().replace(" ", "-")
            for heading in re.findall(r"^#+ (.+)$", text, re.MULTILINE)
        }
        for path, text in pages.items()
    }
    lost = []
    for path, text in pages.items():
        for target, anchor in re.findall(r"\]\((?!https?:)([^)#\s]*)#?([^)\s]*)\)", text):
            file = (path.parent / target).resolve() if target else path
            is_made = target.startswith("reference/") or target == "lineage.html"
            if not is_made and (not file.exists() or anchor not in anchors.get(file, {""}) | {""}):
                lost.append((path.name, target, anchor))
    assert not lost


def test_each_page_is_in_the_index_and_the_navigation() -> None:
    index, navigation = (ROOT / "docs/index.md").read_text(), (ROOT / "mkdocs.yml").read_text()
    for path in ROOT.glob("docs/*.md"):
        assert path.name == "index.md" or f"({path.name})" in index, path
        assert f": {path.name}\n" in navigation, path


def test_readme_draws_the_lineage_of_this_project(site: Path) -> None:
    manifest = json.loads((ROOT / "target/manifest.json").read_text())
    _, rest = (ROOT / "README.md").read_text().split(lineage.BEGIN)
    drawn, _ = rest.split(lineage.END)
    assert drawn == lineage.draw(manifest), "run make screenshots"
    assert sum("[" in line for line in drawn.splitlines()) <= 20


def test_the_lineage_is_beside_the_pages(site: Path) -> None:
    assert "int_image_fetches" in (site / "lineage.html").read_text()
    assert 'href="lineage.html"' in (site / "index.html").read_text()


def test_the_site_shows_which_registries_work(site: Path) -> None:
    about = (site / "about.html").read_text()
    assert "public repositories" in about
    assert "mermaid" not in about

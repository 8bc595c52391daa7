"""Makes docs/report.png and docs/lineage.png from the examples: `make screenshots`."""

import tempfile
from pathlib import Path

from integration_tests import browser
from integration_tests.project import MARTS, ROOT, Project, example_logs

# All models, without the tests and analyses that would bury them; dim_dates is joined to nothing.
SHOWN = "%20".join(f"%2B{mart}" for mart in MARTS if mart != "dim_dates")
LINEAGE = f"#!/overview?g_v=1&g_i={SHOWN}"


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, browser.started() as chromium:
        project = Project(Path(folder))
        project.load(example_logs())
        project.run()
        report = project.report()
        with browser.opened(chromium, f"{report.as_uri()}?period=all", "picture") as (page, _):
            browser.settled(page)
            page.screenshot(path=ROOT / "docs/report.png")
        lineage = (project.docs() / "lineage.html").as_uri() + LINEAGE
        with browser.opened(chromium, lineage, "wide") as (page, _):
            browser.lineage(page)
            page.screenshot(path=ROOT / "docs/lineage.png", clip=browser.drawn_area(page))
    for name in ("report.png", "lineage.png"):
        print(f"docs/{name}: {(ROOT / 'docs' / name).stat().st_size:,} bytes")


if __name__ == "__main__":
    main()

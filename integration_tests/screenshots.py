"""Makes docs/report.png from the examples: `make screenshots`."""

import tempfile
from pathlib import Path

from integration_tests import browser
from integration_tests.project import ROOT, Project, example_logs


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, browser.started() as chromium:
        project = Project(Path(folder))
        project.load(example_logs())
        project.run()
        report = project.report()
        with browser.opened(chromium, f"{report.as_uri()}?period=all", "picture") as (page, _):
            browser.settled(page)
            page.screenshot(path=ROOT / "docs/report.png")
    print(f"docs/report.png: {(ROOT / 'docs/report.png').stat().st_size:,} bytes")


if __name__ == "__main__":
    main()

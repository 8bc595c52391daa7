"""A browser without a network: Debian's headless Chromium, or the machine's own."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

PATIENCE_SECONDS = 120  # other tests may have all cores
UNPACKED = Path(__file__).parent.parent / ".venv/browser"
SIZES = {"desktop": (1440, 900), "phone": (390, 844), "picture": (1440, 1400), "wide": (2000, 700)}


def executable() -> Path:
    unpacked = UNPACKED / "usr/lib/chromium/chromium-headless-shell"
    found = shutil.which("chromium") or shutil.which("google-chrome")
    if not unpacked.exists() and not found:
        raise FileNotFoundError("no Chromium: make .venv/browser/.ready")
    return unpacked if unpacked.exists() else Path(str(found))


@contextmanager
def started() -> Iterator[Browser]:
    libraries = ("usr/lib/*-linux-gnu", "lib/*-linux-gnu", "usr/lib/*-linux-gnu/pulseaudio")
    paths = [path for pattern in libraries for path in UNPACKED.glob(pattern)]
    environment = os.environ | {"LD_LIBRARY_PATH": os.pathsep.join(map(str, paths))}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=executable(),
            env=environment,
            # containers run as root, which its sandbox refuses; it opens our own files only
            args=["--no-sandbox"],
        )
        yield browser
        browser.close()


@contextmanager
def opened(
    browser: Browser, address: str, size: str = "desktop"
) -> Iterator[tuple[Page, list[str]]]:
    """Open a page offline; what it complains of or asks the network for is in the list."""
    across, down = SIZES[size]
    context = browser.new_context(
        offline=True,
        viewport={"width": across, "height": down},
        timezone_id="America/New_York",
    )
    context.set_default_timeout(PATIENCE_SECONDS * 1000)
    page = context.new_page()
    faults: list[str] = []
    page.on("console", lambda said: said.type == "error" and faults.append(said.text))
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on(
        "request",
        lambda asked: asked.url.startswith(("file:", "data:", "blob:")) or faults.append(asked.url),
    )
    page.goto(address)
    yield page, faults
    context.close()


def fits(page: Page, picture: Path, is_site: bool = False) -> bool:
    """Whether a page is as wide as its window, light and dark; both are kept as pictures."""
    fit = []
    for scheme in ("dark", "light"):
        page.emulate_media(color_scheme=scheme)
        if is_site:  # it keeps the scheme of its first page, and its pages are long
            page.evaluate("localStorage.clear()")
            page.reload()
        page.screenshot(path=f"{picture}-{scheme}.png", full_page=not is_site)
        fit.append(page.evaluate("document.documentElement.scrollWidth <= innerWidth"))
    return all(fit)


def settled(page: Page) -> None:
    """Wait until every plot that is to be seen has been drawn, after what the last change did."""
    page.wait_for_selector("body[data-ready]")
    page.evaluate(
        "Promise.all([...views.values()].map(async view => { await (await view).runAsync(); }))"
    )
    page.wait_for_function(
        "[...document.querySelectorAll('.plot')].every(plot => plot.hidden"
        " || plot.querySelector('svg'))"
    )

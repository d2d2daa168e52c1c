"""A headless Chromium of the machine, for tests that look at a page as a reader does."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

NEEDED = "TRADELAKE_NEEDS_BROWSER"
NAMES = ("chromium", "chromium-browser", "google-chrome")
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)
WAIT_MS = 20_000


@dataclass
class Visit:
    """A page that is open: what it asked for, and what it complained about."""

    page: Page
    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)


@contextmanager
def chromium() -> Iterator[Browser]:
    """Yield a browser; where the machine has none the test is skipped, or fails if TRADELAKE_NEEDS_BROWSER is set."""
    program = next(filter(None, map(shutil.which, NAMES)), None)
    if program is None:
        reason = f"no browser: none of {', '.join(NAMES)} is installed (apt-get install chromium)"
        if os.environ.get(NEEDED):
            pytest.fail(f"{reason}, and {NEEDED} is set")
        pytest.skip(reason)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=list(ARGUMENTS), timeout=WAIT_MS)
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def visit(browser: Browser, path: Path, *, width: int = 1280, dark: bool = False) -> Iterator[Visit]:
    """Open the file at *path* in a window of *width* pixels, and record its requests, errors and messages."""
    with watched(browser, width=width, dark=dark, offline=True) as seen:
        seen.page.goto(path.as_uri())
        yield seen


@contextmanager
def watched(browser: Browser, *, width: int = 1280, dark: bool = False, offline: bool = False) -> Iterator[Visit]:
    """Yield an empty page in a window of *width* pixels whose requests, errors and messages are recorded."""
    context = browser.new_context(
        viewport={"width": width, "height": 900}, color_scheme="dark" if dark else "light", offline=offline
    )
    context.set_default_timeout(WAIT_MS)
    page = context.new_page()
    seen = Visit(page)
    page.on("request", lambda request: seen.requests.append(request.url))
    page.on("console", lambda message: seen.complaints.append(f"{message.type}: {message.text}"))
    page.on("pageerror", lambda error: seen.complaints.append(str(error)))
    try:
        yield seen
    finally:
        context.close()

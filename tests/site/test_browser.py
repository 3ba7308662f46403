"""Every page in a real browser: light and dark, wide and narrow."""

from __future__ import annotations

import functools
import http.server
import shutil
import threading

import pytest
from migration_runbooks.paths import DOCS

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
ADDRESSES = sorted(
    page.relative_to(DOCS).with_suffix("").as_posix().removesuffix("index") for page in DOCS.rglob("*.md")
)
BACKGROUNDS = {"light": "rgb(255, 255, 255)", "dark": "rgb(17, 22, 29)"}


class Silent(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def base(site):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Silent, directory=site))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()


@pytest.fixture(scope="module")
def browser():
    program = next(filter(None, map(shutil.which, BROWSERS)), None)
    if not program:
        pytest.skip("no Chromium here, so no page was opened in a browser; on Debian: apt-get install chromium")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=QUIET)
        yield browser
        browser.close()


@pytest.fixture(
    scope="module",
    params=[("light", 1280), ("light", 360), ("dark", 1280), ("dark", 360)],
    ids=lambda p: f"{p[0]}-{p[1]}",
)
def window(request, browser):
    scheme, width = request.param
    context = browser.new_context(color_scheme=scheme, viewport={"width": width, "height": 800})
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    yield context
    context.close()


@pytest.fixture
def tab(window, base):
    """A new tab that notes what goes wrong in `tab.troubles`."""
    tab = window.new_page()
    tab.troubles = []
    tab.on("console", lambda message: message.type in ("error", "warning") and tab.troubles.append(message.text))
    tab.on("pageerror", lambda error: tab.troubles.append(str(error)))
    tab.on("response", lambda reply: reply.ok or tab.troubles.append(f"{reply.status} {reply.url}"))
    tab.on("request", lambda request: is_own(request.url, base) or tab.troubles.append(f"left the site: {request.url}"))
    yield tab
    tab.close()


def is_own(address: str, base: str) -> bool:
    return address.startswith((base, "data:", "blob:"))


@pytest.mark.parametrize("address", ADDRESSES, ids=lambda address: address or "home")
def test_page_is_quiet_and_fits(tab, base, address):
    tab.goto(base + address, wait_until="networkidle")
    assert not tab.troubles
    assert tab.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), "the page scrolls sideways"


def test_colours_follow_the_system(tab, base, window, request):
    tab.goto(base)
    scheme = request.node.callspec.params["window"][0]
    assert tab.evaluate("getComputedStyle(document.body).backgroundColor") == BACKGROUNDS[scheme]


def test_copy_button_copies_the_command(tab, base):
    tab.goto(base)
    block = tab.locator('.block[data-run="bash"]').first
    block.hover()
    block.locator("button.md-code__button[data-md-type=copy]").click()
    assert tab.evaluate("navigator.clipboard.readText()").startswith("runbook explain - <<'ERROR'\ndjango.db.")


def test_search_finds_an_error_by_its_words(tab, base):
    tab.goto(base)
    tab.keyboard.press("/")
    tab.keyboard.type("inconsistent migration history")
    first = tab.locator(".md-search-result__link").first
    first.wait_for()
    assert "inconsistent-migration-history" in first.get_attribute("href")
    assert not tab.troubles

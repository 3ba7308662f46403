"""Every page in a real browser: light and dark, wide and narrow."""

from __future__ import annotations

import functools
import http.server
import json
import re
import threading
from pathlib import Path

import pytest
from chromium import open_browser
from migration_runbooks.paths import CHECKOUT, DOCS

PAGES = sorted(page.relative_to(DOCS).with_suffix("").as_posix() for page in DOCS.rglob("*.md"))
WIDE, NARROW = 1280, 360
LOOKS = ((WIDE, "light"), (WIDE, "dark"), (NARROW, "dark"), (NARROW, "light"))
"""In this order only two steps change the colours, which styles the whole page anew."""

BACKGROUNDS = {"light": "rgb(255, 255, 255)", "dark": "rgb(17, 22, 29)"}


WITHOUT_INDEX = "without-index/"
"""Below it lies the whole site, with an empty search index: each page builds that of all pages anew."""


class Server(http.server.SimpleHTTPRequestHandler):
    """Serves the site, of which a browser may keep every file: a route of Playwright would forbid that."""

    def __init__(self, *args, empty_index: Path, **options):
        self.empty_index = str(empty_index)
        super().__init__(*args, **options)

    def translate_path(self, path: str) -> str:
        if path == f"/{WITHOUT_INDEX}search/search_index.json":
            return self.empty_index
        return super().translate_path(path.removeprefix(f"/{WITHOUT_INDEX}"))

    def end_headers(self):
        self.send_header("Cache-Control", "max-age=3600")
        super().end_headers()

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def base(site, tmp_path_factory):
    empty_index = tmp_path_factory.mktemp("search") / "search_index.json"
    index = json.loads((site / "search" / "search_index.json").read_text())
    empty_index.write_text(json.dumps(index | {"docs": []}))
    serve = functools.partial(Server, directory=site, empty_index=empty_index)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), serve)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()


@pytest.fixture(scope="module")
def browser():
    with open_browser("no page was opened in a browser") as browser:
        yield browser


@pytest.fixture(scope="module")
def only_tab(browser, base):
    """The tab of all tests: a new one is a new window, whose frame Chromium renders anew, and has nothing cached."""
    tab = browser.new_page()
    tab.context.grant_permissions(["clipboard-read", "clipboard-write"])
    tab.troubles = []
    tab.on("console", lambda message: message.type in ("error", "warning") and tab.troubles.append(message.text))
    tab.on("pageerror", lambda error: tab.troubles.append(str(error)))
    tab.on("response", lambda reply: reply.status < 400 or tab.troubles.append(f"{reply.status} {reply.url}"))
    tab.on("request", lambda request: is_own(request.url, base) or tab.troubles.append(f"left the site: {request.url}"))
    return tab


@pytest.fixture
def tab(only_tab):
    """A tab that shows nothing yet and notes what goes wrong in `tab.troubles`."""
    only_tab.goto("about:blank")
    only_tab.troubles.clear()
    only_tab.set_viewport_size({"width": WIDE, "height": 800})
    only_tab.emulate_media(color_scheme="light", reduced_motion="no-preference")
    return only_tab


def is_own(address: str, base: str) -> bool:
    return address.startswith((base, "about:", "data:", "blob:"))


@pytest.mark.parametrize("page", PAGES)
def test_page_is_quiet_and_fits(tab, base, page):
    tab.goto(base + WITHOUT_INDEX + re.sub(r"(^|/)index/$", r"\1", f"{page}/"))
    assert not tab.troubles
    tab.locator(".md-code__nav").or_(tab.locator("h1")).first.wait_for()
    for width, scheme in LOOKS:
        tab.set_viewport_size({"width": width, "height": 800})
        tab.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # colours change at once
        tab.wait_for_function(
            "colour => getComputedStyle(document.body).backgroundColor === colour", arg=BACKGROUNDS[scheme]
        )
        assert tab.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), f"scrolls at {width} px"
    assert not tab.troubles


def test_copy_button_copies_the_command(tab, base):
    tab.goto(base)
    block = tab.locator('.block[data-run="bash"]').first
    block.hover()
    block.locator("button.md-code__button[data-md-type=copy]").click()
    assert tab.evaluate("navigator.clipboard.readText()").startswith("runbook explain - <<'ERROR'\ndjango.db.")


FIRST_IS = "page => document.querySelector('.md-search-result__link')?.getAttribute('href').includes(page)"


def wordings() -> list[tuple[str, str]]:
    lines = (CHECKOUT / "tests/explain/wordings.tsv").read_text().splitlines()
    return [(slug, text.replace("\\n", "\n")) for slug, text in (line.split("\t") for line in lines) if slug != "none"]


@pytest.mark.parametrize("how", ["pasted", "typed"])
def test_search_finds_the_page_of_each_message_first(tab, base, how):
    from playwright.sync_api import TimeoutError

    tab.goto(base)
    tab.keyboard.press("/")
    field, results = tab.get_by_role("textbox", name="Search"), tab.locator(".md-search-result__link")
    field.fill("migration")
    results.first.wait_for()  # the index is built
    missed = []
    for slug, text in wordings():
        if how == "typed" and "\n" in text:
            continue  # nobody types several lines into a field of one
        field.fill("")
        field.press("End")
        results.first.wait_for(state="detached")
        if how == "pasted":
            tab.evaluate("text => navigator.clipboard.writeText(text)", text)
            field.press("Control+v")
        else:
            field.fill(text)
            field.press("End")
        try:
            tab.wait_for_function(FIRST_IS, arg=f"/errors/{slug}/", timeout=5000)
        except TimeoutError:
            missed.append(f"{text} -> {results.first.get_attribute('href') if results.count() else 'nothing'}")
    assert not missed, "\n".join(missed)
    assert not tab.troubles


def test_search_finds_an_error_by_its_words(tab, base):
    tab.goto(base)
    tab.keyboard.press("/")
    tab.keyboard.type("inconsistent migration history")
    first = tab.locator(".md-search-result__link").first
    first.wait_for()
    assert "inconsistent-migration-history" in first.get_attribute("href")
    assert not tab.troubles

"""The model of the copy button, proven against the real one: Chromium clicks every button and the clipboard is read."""

from __future__ import annotations

from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
from built_site import built
from chromium import open_browser
from migration_runbooks.pages.copied import copied_blocks

PAGE = "runbooks/repair-migration-history/index.html"


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def site():
    return built().whatever_warnings()


@pytest.fixture(scope="module")
def address(site):
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(site)))
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def page(address):
    with open_browser("no copy button was clicked") as browser:
        context = browser.new_context()
        context.grant_permissions(["clipboard-read", "clipboard-write"], origin=address.rstrip("/"))
        page = context.new_page()
        page.goto(address + PAGE)
        page.wait_for_selector("[data-md-type=copy]")
        yield page


def test_every_button_copies_what_the_site_check_compares(site, page):
    blocks = copied_blocks((site / PAGE).read_text(encoding="utf-8"))
    due = [block.text for block in blocks if block.has_button]
    buttons = page.locator("[data-run] button[data-md-type=copy]")
    assert buttons.count() == len(due) > 3
    for number, text in enumerate(due):
        page.evaluate("navigator.clipboard.writeText('nothing copied')")
        buttons.nth(number).dispatch_event("click")
        page.wait_for_function("navigator.clipboard.readText().then(text => text !== 'nothing copied')")
        assert page.evaluate("navigator.clipboard.readText()") == text


def test_output_blocks_have_no_button(page):
    assert page.locator("[data-run=output]").count() > 0
    assert page.locator("[data-run=output] button[data-md-type=copy]").count() == 0

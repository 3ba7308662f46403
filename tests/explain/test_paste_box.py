"""The paste box as a reader uses it, opened from the file system as well."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from chromium import open_browser
from migration_runbooks.explain.browser import catalogue_script
from migration_runbooks.paths import DOCS

FIXTURES = Path(__file__).parent / "fixtures"
PAGE = '<!doctype html><title>x</title><div class="paste-box"></div><script src="../assets/explain-loader.js"></script><script src="../assets/paste-box.js"></script>'


@pytest.fixture(scope="module")
def browser():
    with open_browser("the paste box was not tried") as browser:
        yield browser


@pytest.fixture
def page(browser, tmp_path: Path):
    shutil.copytree(DOCS / "assets", tmp_path / "assets")
    (tmp_path / "assets" / "catalogue.js").write_text(catalogue_script())
    (tmp_path / "errors").mkdir()
    (tmp_path / "errors" / "index.html").write_text(PAGE)
    page = browser.new_page()
    page.goto((tmp_path / "errors" / "index.html").as_uri())
    yield page
    page.close()


def test_pasted_log_leads_to_its_page(page, tmp_path: Path):
    page.get_by_label("Paste the error").fill((FIXTURES / "inconsistent-history-sqlite.txt").read_text())
    link = page.locator(".paste-box li a")
    link.first.wait_for()
    assert link.first.text_content() == "Inconsistent migration history"
    target = tmp_path / "errors" / "inconsistent-migration-history" / "index.html"
    assert link.first.evaluate("link => link.href") == target.as_uri()
    assert "APP=loans" in page.locator(".paste-box__result").text_content()


def test_other_text_gets_a_plain_answer(page):
    page.get_by_label("Paste the error").fill("<img src=x onerror=alert(1)> connection refused")
    page.locator(".paste-box__result p").wait_for()
    assert "No known migration error" in page.locator(".paste-box__result").text_content()
    assert page.locator(".paste-box img").count() == 0


def test_markup_in_a_text_stays_text(page):
    page.get_by_label("Paste the error").fill("CircularDependencyError: <img src=x>a.b, <i>c.d")
    page.locator(".paste-box li").first.wait_for()
    assert page.locator(".paste-box img, .paste-box i").count() == 0

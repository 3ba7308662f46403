"""The paste box runs docs/assets/explain.js: in a real Chromium it must say exactly what `runbook explain` says."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import pytest
from chromium import open_browser
from disguises import DISGUISES
from migration_runbooks.explain import explain
from migration_runbooks.explain.browser import catalogue_script
from migration_runbooks.paths import DOCS

HERE = Path(__file__).parent
FIXTURES = [file.read_text() for file in sorted((HERE / "fixtures").glob("*.txt"))]
WORDINGS = [line.split("\t")[1].replace("\\n", "\n") for line in (HERE / "wordings.tsv").read_text().splitlines()]


@pytest.fixture(scope="module")
def page():
    with open_browser("the paste box was not tried") as browser:
        page = browser.new_page()
        page.add_script_tag(content=catalogue_script())
        page.add_script_tag(content=(DOCS / "assets" / "explain.js").read_text())
        yield page


@pytest.mark.parametrize("disguise", [*DISGUISES, "wordings"])
def test_browser_says_the_same(page, disguise: str):
    texts = WORDINGS if disguise == "wordings" else [DISGUISES[disguise](text) for text in FIXTURES]
    expected = [[asdict(match) | {"runbooks": list(match.runbooks)} for match in explain(text)] for text in texts]
    answers = page.evaluate("texts => texts.map((text) => explain(text, catalogue))", texts)
    without_titles = [[{k: v for k, v in match.items() if k != "title"} for match in answer] for answer in answers]
    assert without_titles == expected
    assert any(expected)

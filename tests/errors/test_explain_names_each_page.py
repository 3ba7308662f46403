"""`runbook explain` names the page on which a text stands, for every text that the page shows."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from advice import page_of
from click.testing import CliRunner
from migration_runbooks.catalogue.errors import all_errors
from migration_runbooks.cli import main
from migration_runbooks.pages.blocks import read_page
from migration_runbooks.paths import DOCS

PLACEHOLDERS = {"table": "fees_invoice", "key": "3", "column": "student_id", "value": "99", "app": "fees", "alias": "default", "module": "<module>"}
HERE = Path(__file__).parent
HERE_ITSELF = "explain-names-each-page"
SHOWN = [
    pytest.param(error.slug, message.text, id=f"{error.slug}-{index}")
    for error in all_errors()
    for index, message in enumerate(error.messages)
]
PRINTED = [
    pytest.param(error.slug, block.text, id=f"{error.slug}-line-{block.line}")
    for error in all_errors()
    for block in read_page(page_of(error.slug)).blocks
    if block.fence.kind == "output" and re.search(r"^django\.\S+: ", block.text, re.MULTILINE)
]


def filled(text: str) -> str:
    """The text with a name in the place of every `<placeholder>`."""
    return re.sub(r"<([\w ]+)>", lambda found: PLACEHOLDERS.get(found[1], found[1].replace(" ", "_")), text)


@pytest.mark.parametrize("slug, text", [*SHOWN, *PRINTED])
def test_explain_names_the_page(slug, text):
    done = CliRunner().invoke(main, ["explain", "--json"], input=filled(text))
    assert done.exit_code == 0, done.output
    best = json.loads(done.stdout)["matches"][0]
    assert best["error"] == slug
    assert best["url"].rstrip("/").removesuffix(".html").endswith(f"errors/{slug}")


def test_catalogue_pages_and_tests_name_the_same_errors():
    slugs = {error.slug for error in all_errors()}
    assert {page.stem for page in DOCS.glob("errors/*.md")} - {"index"} == slugs
    assert {file.stem.removeprefix("test_").replace("_", "-") for file in HERE.glob("test_*.py")} - {HERE_ITSELF} == slugs
    assert {each.values[0] for each in SHOWN} == slugs
    assert PRINTED

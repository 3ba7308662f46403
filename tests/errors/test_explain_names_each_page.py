"""`runbook explain` names the page on which a text stands, for every text that the page shows."""

from __future__ import annotations

import json
import re
import subprocess

import pytest
from advice import page_of
from migration_runbooks.catalogue.errors import all_errors
from migration_runbooks.pages.blocks import read_page

PLACEHOLDERS = {"table": "fees_invoice", "key": "3", "column": "student_id", "value": "99", "app": "fees", "alias": "default", "module": "<module>"}
SHOWN = [
    pytest.param(error.slug, message.text, id=f"{error.slug}-{index}")
    for error in all_errors()
    if page_of(error.slug).exists()
    for index, message in enumerate(error.messages)
]
PRINTED = [
    pytest.param(error.slug, block.text, id=f"{error.slug}-line-{block.line}")
    for error in all_errors()
    if page_of(error.slug).exists()
    for block in read_page(page_of(error.slug)).blocks
    if block.fence.kind == "output" and re.search(r"^django\.\S+: ", block.text, re.MULTILINE)
]


def filled(text: str) -> str:
    """The text with a name in the place of every `<placeholder>`."""
    return re.sub(r"<([\w ]+)>", lambda found: PLACEHOLDERS.get(found[1], found[1].replace(" ", "_")), text)


@pytest.mark.parametrize("slug, text", [*SHOWN, *PRINTED])
def test_explain_names_the_page(slug, text):
    done = subprocess.run(["runbook", "explain", "--json"], input=filled(text), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    best = json.loads(done.stdout)["matches"][0]
    assert best["error"] == slug
    assert best["url"].rstrip("/").removesuffix(".html").endswith(f"errors/{slug}")


def test_there_are_texts_of_every_page():
    assert {each.values[0] for each in SHOWN} >= {"circular-dependency", "foreign-key-violation", "inconsistent-migration-history"}
    assert PRINTED

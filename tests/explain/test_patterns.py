"""The patterns of the catalogue: each compiles, keeps to what JavaScript knows too, and finds its own message."""

from __future__ import annotations

import re

import pytest
from migration_runbooks.catalogue.errors import all_errors
from migration_runbooks.explain import explain
from migration_runbooks.explain.clean import FLAGS, rules
from migration_runbooks.explain.patterns import literal

CLUES = [(error.slug, clue) for error in all_errors() for clue in (*error.messages, *error.clues)]
MESSAGES = [(error.slug, message) for error in all_errors() for message in error.messages]
PATTERNS = [clue.pattern for _slug, clue in CLUES] + [rule["pattern"] for rule in rules()["cleaning"]]
UNKNOWN_TO_JAVASCRIPT = re.compile(r"\(\?[aiLmsux]|\(\?<|\(\?P=|\(\?#|\(\?\(|\\[AZ]|[*+?}]\+")


@pytest.mark.parametrize("pattern", PATTERNS)
def test_pattern_means_the_same_in_javascript(pattern: str):
    re.compile(pattern, FLAGS)
    assert not UNKNOWN_TO_JAVASCRIPT.search(pattern)


@pytest.mark.parametrize(("slug", "message"), MESSAGES)
def test_message_that_the_page_shows_leads_to_the_page(slug: str, message):
    example = re.sub(r"<([a-z ]+)>", lambda name: name[1].replace(" ", "_"), message.text)
    assert re.search(message.pattern, example, FLAGS), f"{slug}: {example}"
    if not message.needs:
        assert explain(example)[0].error in {owner for owner, other in MESSAGES if other.text == message.text}


@pytest.mark.parametrize(("slug", "clue"), CLUES)
def test_names_and_weights_are_known(slug: str, clue):
    contexts = rules()["contexts"]
    assert 0 < clue.weight <= 1
    assert {clue.needs, clue.unless} - {""} <= contexts.keys()
    assert all(re.fullmatch(r"[A-Z_]+", name) for name in re.compile(clue.pattern).groupindex)


@pytest.mark.parametrize(
    ("pattern", "words"),
    [
        (r"relation \"(\w+)\" already exists", '" already exists'),
        (r"\(1050, ", "(1050, "),
        (r"\bDuplicateTable\b", "DuplicateTable"),
        (r"one|other", ""),
        (r"colou?rs? of", "colo"),
        (r"a(b|c)?def*g", "de"),
        (r"[xyz]{2}tail{3}", "tai"),
    ],
)
def test_literal_is_what_every_match_holds(pattern: str, words: str):
    assert literal(pattern) == words

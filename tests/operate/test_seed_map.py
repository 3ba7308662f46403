"""docs/contributing/seed-map.md: every topic has a verdict, and every target exists, its heading too."""

from __future__ import annotations

import re

import pytest
from markdown.extensions.toc import slugify
from migration_runbooks.paths import DOCS

PAGE = DOCS / "contributing/seed-map.md"
LINK = re.compile(r"\[[^\]]+\]\(([^)#]+)(?:#([^)]+))?\)")
NOT_YET = re.compile(r"`([\w/-]+\.md)`")
VERDICT = re.compile(r"kept(, .+)?|(corrected|dropped): .+")
HEADING = re.compile(r"^#+ (.+?)\s*$", re.MULTILINE)


def entries() -> list[tuple[str, str, str]]:
    rows = [line.strip("| ").split(" | ") for line in PAGE.read_text().splitlines() if line.startswith("| ")]
    return [tuple(row) for row in rows if row[0] != "Topic of the first text"]


@pytest.mark.parametrize(("topic", "targets", "verdict"), entries(), ids=lambda value: value[:40])
def test_every_topic_has_a_verdict_and_targets_that_exist(topic, targets, verdict):
    assert VERDICT.fullmatch(verdict)
    links, not_yet = LINK.findall(targets), NOT_YET.findall(targets)
    assert links or not_yet
    for path, anchor in links:
        page = (PAGE.parent / path).resolve()
        assert page.is_file(), f"{path} is missing"
        assert not anchor or anchor in anchors(page.read_text()), f"{path} has no heading #{anchor}"
    missing = [path for path in not_yet if not (DOCS / path).is_file()]
    landed = [path for path in not_yet if path not in missing]
    assert not missing, f"still to be written: {', '.join(missing)}"
    assert not landed, f"there now, so link it: {', '.join(landed)}"


def anchors(text: str) -> set[str]:
    return {slugify(re.sub(r"`", "", heading), "-") for heading in HEADING.findall(text)}

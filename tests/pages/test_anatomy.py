"""Every page of an error and of a runbook has the same headings in the same order, none of them empty."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from migration_runbooks.catalogue.runbooks import RISKS
from migration_runbooks.pages.blocks import Page, read_page
from migration_runbooks.paths import DOCS

ERROR = [
    "Is it this?",
    "Do this first",
    "Find the cause",
    "Fix",
    "Check it worked",
    "Undo",
    "Why it happens",
    "Stop it happening again",
    "Tested with",
]
RUNBOOK = [
    "When to use it",
    "When not to",
    "Before you start",
    "1. Diagnose",
    "2. Read the plan",
    "3. Apply",
    "4. Verify",
    "Undo",
    "What it does and why it is safe",
    "Tested with",
]
MOST_WORDS = 400
HEADING = re.compile(r"(#+) (.+)")
WORD = re.compile(r"\w[\w'’.-]*")
LINK = re.compile(r"\]\([^)]*\)")


def pages(folder: str) -> list:
    return [pytest.param(path, id=path.stem) for path in sorted((DOCS / folder).glob("*.md")) if path.stem != "index"]


def prose(page: Page) -> list[str]:
    """The page's lines without its front matter and the content of its blocks."""
    inside = {index for block in page.blocks for index in range(block.first, block.last + 1)}
    return [str(line) for index, line in enumerate(page.lines) if index >= page.body and index not in inside]


def sections(page: Page) -> list[tuple[int, str, list[str]]]:
    """(level, title, lines of text) of each heading; a block counts as a line of its section."""
    starts = {block.first for block in page.blocks}
    inside = {index for block in page.blocks for index in range(block.first, block.last + 1)}
    found: list[tuple[int, str, list[str]]] = []
    for index, line in enumerate(page.lines[page.body :], page.body):
        heading = HEADING.fullmatch(str(line).rstrip()) if index not in inside else None
        if heading:
            found.append((len(heading[1]), heading[2], []))
        elif found and line.strip() and (index not in inside or index in starts):
            found[-1][2].append(str(line))
    return found


def titles(page: Page, level: int) -> list[str]:
    return [title for found, title, _ in sections(page) if found == level]


def subsections(page: Page, title: str) -> dict[str, list[str]]:
    """The H3s below an H2, with their lines."""
    found, above = {}, ""
    for level, heading, lines in sections(page):
        above = heading if level == 2 else above
        if level == 3 and above == title:
            found[heading] = lines
    return found


def words(lines: list[str]) -> int:
    """How many words a reader reads: tables and text, without blocks, directives and the targets of links."""
    read = [LINK.sub("]", line) for line in lines if not line.startswith("::: ")]
    return sum(len(WORD.findall(line)) for line in read)


def empty_sections(page: Page) -> list[str]:
    """Headings with nothing under them; one with headings of its own below is not empty."""
    found = sections(page)
    followers = [*found[1:], (0, "", [])]
    return [title for (level, title, lines), (below, _, _) in zip(found, followers, strict=True) if not lines and below <= level]


@pytest.mark.parametrize("path", pages("errors"))
def test_error_page_has_its_headings_in_order(path):
    page = read_page(path)
    assert titles(page, 2) == ERROR
    assert len(titles(page, 1)) == 1 and titles(page, 1)[0].startswith("`"), "the title is the error's text, as code"


@pytest.mark.parametrize("path", pages("runbooks"))
def test_runbook_page_has_its_headings_in_order(path):
    page = read_page(path)
    assert titles(page, 2) == RUNBOOK
    assert len(titles(page, 1)) == 1 and "`" not in titles(page, 1)[0]
    assert f"::: runbook-facts {path.stem}" in page.lines


@pytest.mark.parametrize("path", [*pages("errors"), *pages("runbooks")])
def test_no_section_is_empty(path):
    assert empty_sections(read_page(path)) == []


@pytest.mark.parametrize("path", pages("errors"))
def test_error_page_says_what_to_do_in_few_words(path):
    lines = prose(read_page(path))
    assert words(lines[: lines.index("## Why it happens")]) < MOST_WORDS


@pytest.mark.parametrize("path", pages("errors"))
def test_error_page_shows_every_text_and_names_a_risk_for_every_cause(path):
    page = read_page(path)
    assert f"::: error-messages {path.stem}" in page.lines
    assert "### Advice that costs data" in page.lines
    causes = subsections(page, "Fix")
    assert causes
    assert [title for title, lines in causes.items() if not lines[0].lstrip("*").startswith(RISKS)] == []


def page_from(tmp_path: Path, text: str) -> Page:
    file = tmp_path / "page.md"
    file.write_text(f"---\ntitle: x\n---\n{text}")
    return read_page(file, root=tmp_path)


def test_empty_section_and_words_of_a_page_are_seen(tmp_path):
    page = page_from(tmp_path, "# A\n\nTwo words\n\n## B\n\n## C\n\n### D\n\n```text\n# not a heading\n```\n\n## E\n")
    assert empty_sections(page) == ["B", "E"]
    assert [title for _, title, _ in sections(page)] == ["A", "B", "C", "D", "E"]
    assert words(["Two [linked words](../a/b.md), and `code`", "::: tested-with"]) == 5


def test_subsections_are_those_of_one_heading(tmp_path):
    page = page_from(tmp_path, "## Fix\n\n### One\n\na\n\n### Two\n\nb\n\n## Why\n\n### Three\n\nc\n")
    assert subsections(page, "Fix") == {"One": ["a"], "Two": ["b"]}

"""Read the tables of a page."""

from __future__ import annotations

import re

from migration_runbooks.paths import DOCS

LINK = re.compile(r"\[([^\]]+)\]\([^)]+\)")


def rows(page: str, first_column: str, number: int = 1) -> list[list[str]]:
    """The rows of the page's nth table whose first column has that title, links as their text, the titles first."""
    text = (DOCS / page).read_text()
    beginning = text.split(f"\n| {first_column} |")
    assert len(beginning) > number, f"{page} has no {number} tables that begin with '{first_column}'"
    table = f"| {first_column} |{beginning[number]}".split("\n\n")[0]
    titles, _, *others = table.splitlines()
    return [cells(line) for line in (titles, *others)]


def cells(line: str) -> list[str]:
    return [
        LINK.sub(r"\1", cell).replace("`", "").strip()
        for cell in line.strip().removeprefix("|").removesuffix("|").split("|")
    ]

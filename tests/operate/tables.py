"""Read the tables of a page."""

from __future__ import annotations

import re

from migration_runbooks.paths import DOCS

LINK = re.compile(r"\[([^\]]+)\]\([^)]+\)")


def rows(page: str, first_column: str) -> list[list[str]]:
    """The rows of the page's table whose first column has that title, links as their text, the titles first."""
    lines = iter((DOCS / page).read_text().splitlines())
    for line in lines:
        if line.startswith(f"| {first_column} |"):
            next(lines)
            found = [cells(line)]
            for row in lines:
                if not row.startswith("|"):
                    return found
                found.append(cells(row))
    raise AssertionError(f"{page} has no table that begins with '{first_column}'")


def cells(line: str) -> list[str]:
    return [LINK.sub(r"\1", cell).replace("`", "").strip() for cell in line.strip("|").split("|")]

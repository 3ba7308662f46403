"""Compare what a block printed with the output block below it, and bring an output block up to date."""

from __future__ import annotations

import re
from functools import cache

ANY_LINES = "..."
ANY_TEXT = "[..]"


def matches(expected: str, printed: str) -> bool:
    """Whether a text matches an output block.

    A line `...` stands for any lines, `[..]` for any text within a line; all else is exact, but for blanks at the
    ends of lines and empty lines at the end, which nobody sees.
    """
    patterns, lines = visible(expected), visible(printed)
    reached = {0}
    for pattern in patterns:
        if pattern.strip() == ANY_LINES:
            reached = set(range(min(reached), len(lines) + 1))
        else:
            reached = {at + 1 for at in reached if at < len(lines) and line_matches(pattern, lines[at])}
        if not reached:
            return False
    return len(lines) in reached


def first_difference(expected: str, printed: str) -> int:
    """The index of the first line of an output block beyond which nothing matches."""
    lines = visible(expected)
    for count in range(1, len(lines) + 1):
        if not matches("\n".join([*lines[:count], ANY_LINES]), printed):
            return count - 1
    return max(len(lines) - 1, 0)


def promote(expected: str, printed: str) -> str:
    """Return the output block that matches what was printed and keeps every wildcard that still can stand."""
    if matches(expected, printed):
        return expected
    return "\n".join(_cheapest(visible(expected), visible(printed))) + "\n"


def visible(text: str) -> list[str]:
    """The lines of a text without what nobody sees: blanks at their ends, empty lines after the last."""
    return [line.rstrip() for line in text.rstrip().split("\n")] if text.strip() else []


def line_matches(pattern: str, line: str) -> bool:
    return re.fullmatch(".*".join(map(re.escape, pattern.split(ANY_TEXT))), line) is not None


def _cheapest(patterns: list[str], lines: list[str]) -> list[str]:
    """Align old and new as an edit distance in which `...` takes any line for nothing."""

    @cache
    def cost(old: int, new: int) -> tuple[int, str]:
        choices = []
        if old == len(patterns) and new == len(lines):
            return 0, "end"
        if old < len(patterns) and patterns[old].strip() == ANY_LINES:
            choices.append((cost(old + 1, new)[0], "keep"))
            if new < len(lines):
                choices.append((cost(old, new + 1)[0], "skip"))
        elif old < len(patterns):
            choices.append((cost(old + 1, new)[0] + 2, "drop"))
            if new < len(lines):
                same = line_matches(patterns[old], lines[new])
                choices.append((cost(old + 1, new + 1)[0] + (-3 if same else 1), "match" if same else "replace"))
        if new < len(lines):
            choices.append((cost(old, new + 1)[0] + 1, "insert"))
        return min(choices)

    # Filled from the end, so that no recursion goes deep.
    for old in range(len(patterns), -1, -1):
        for new in range(len(lines), -1, -1):
            cost(old, new)
    return list(_rewritten(patterns, lines, cost))


def _rewritten(patterns: list[str], lines: list[str], cost):
    old = new = 0
    while (step := cost(old, new)[1]) != "end":
        if step in ("keep", "match"):
            yield patterns[old]
        if step in ("replace", "insert"):
            yield lines[new]
        old += step in ("keep", "match", "drop", "replace")
        new += step in ("skip", "match", "replace", "insert")

"""Why the command does not begin, or does not go on."""

from __future__ import annotations

DONE, REFUSED, BAD_INPUT, STOPPED_HALF_WAY = range(4)
"""What the command exits with. A plan that would be refused is REFUSED too."""


class Refused(Exception):
    """One line a reason, each with what to do about it."""

    status = REFUSED

    def __init__(self, *lines: str) -> None:
        super().__init__("\n".join(lines))
        self.lines = lines


class BadInput(Refused):
    """What was asked for names nothing that can be reset."""

    status = BAD_INPUT


class NothingToDo(Exception):
    """The history is as short as it can be. The message says so."""

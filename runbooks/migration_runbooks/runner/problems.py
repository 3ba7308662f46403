"""What stops a run, in words: what is wrong, what was left unchanged, the next command."""

from __future__ import annotations

# What `runbook run`, `resume` and `undo` exit with.
HEALTHY, NOT_REPAIRED, COULD_NOT_TELL, STOPPED_HALF_WAY = range(4)


class Stop(Exception):
    """End the command with this message and exit status."""

    def __init__(self, message: str, status: int = COULD_NOT_TELL) -> None:
        super().__init__(message)
        self.status = status

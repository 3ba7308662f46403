"""What a check found."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from migration_runbooks.paths import RUNBOOKS

LEVELS = ("info", "warning", "error")


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong. `id` never changes once published; `object` names it in the reader's own words."""

    id: str
    level: str
    app: str
    object: str
    message: str
    hint: str
    """What to do next: a command where there is one."""
    runbook: str | None = None
    """The slug of the runbook that repairs it."""
    file: Path | None = None
    """The file that it is about, for formats that show findings beside the code."""

    @property
    def rank(self) -> tuple:
        return -LEVELS.index(self.level), self.app, self.id, self.object


def known_runbook(slug: str | None) -> str | None:
    """Return the slug if the catalogue has that runbook, else None."""
    return slug if slug and (RUNBOOKS / slug / "runbook.toml").is_file() else None


class Unreadable(Exception):
    """A source that can't be read. `source` is its name in the reader's words, the message says why."""

    def __init__(self, source: str, reason: object) -> None:
        text = f"{type(reason).__name__}: {reason}" if isinstance(reason, BaseException) else str(reason)
        super().__init__(" ".join(text.split()))
        self.source = source

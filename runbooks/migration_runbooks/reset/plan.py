"""Everything that will be done, written down before the first change: enough to finish it or to take it back."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path

from migration_runbooks.integrity.sources.history import Record


@dataclass(frozen=True)
class Plan:
    alias: str
    apps: list[str]
    files: dict[str, tuple[str | None, str | None]]
    """The text of each file before and after, by path; None where there is no such file."""
    removed: list[tuple[int, str, str, str]]
    """Rows of django_migrations: id, app, name, time."""
    added: list[tuple[str, str]]
    carried: list[str] = field(default_factory=list)
    """Sentences on operations that only a person can write."""
    notes: list[str] = field(default_factory=list)
    others: list[str] = field(default_factory=list)
    """Aliases of this project's other databases that have the old history."""

    @property
    def records(self) -> list[Record]:
        return [Record(number, app, name, datetime.fromisoformat(applied)) for number, app, name, applied in self.removed]

    def paths(self, *, before: bool, after: bool) -> list[str]:
        """Return the files that are there before, and after, or not."""
        return [path for path, (old, new) in sorted(self.files.items()) if (old is not None, new is not None) == (before, after)]

    def keep(self, folder: Path) -> None:
        """Write it whole or not at all."""
        part = folder / "plan.json.part"
        with open(part, "w") as file:
            json.dump(asdict(self), file, indent=1)
            file.flush()
            os.fsync(file.fileno())
        part.replace(folder / "plan.json")

    @classmethod
    def kept(cls, folder: Path) -> Plan | None:
        """Return the plan of a run; None if it was killed before it was written."""
        try:
            found = json.loads((folder / "plan.json").read_text())
        except FileNotFoundError:
            return None
        found["files"] = {path: tuple(texts) for path, texts in found["files"].items()}
        for name in ("removed", "added"):
            found[name] = [tuple(each) for each in found[name]]
        return cls(**found)


def row(record: Record) -> tuple[int, str, str, str]:
    return record.id, record.app, record.name, record.applied.isoformat()

"""The page of a runbook that has an undo ends as it began: no row, no column and no file may differ."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from migration_runbooks.catalogue.runbooks import all_runbooks
from migration_runbooks.paths import DOCS

from .blocks import Page


@dataclass(frozen=True)
class Beginning:
    """The database and the files of a sandbox before the first block of a page."""

    rows: Any
    files: dict[str, str]

    @classmethod
    def of(cls, page: Page, database: str | None, sandbox: Any) -> Beginning | None:
        """Return it for a page that must end so, None for any other."""
        return cls(sandbox.snapshot(), sandbox.files()) if undoes(page, database) else None

    def differences(self, sandbox: Any) -> list[str]:
        """Return what is not as it was, a line each."""
        files = sandbox.files()
        names = sorted(name for name in self.files.keys() | files.keys() if self.files.get(name) != files.get(name))
        return [*self.rows.difference(sandbox.snapshot()), *(f"file {name}" for name in names)]


def undoes(page: Page, database: str | None) -> bool:
    """Whether the page is that of a runbook which has an undo on this database."""
    slugs = [each.slug for each in all_runbooks() if each.script("undo", database or "")]
    return page.path.parent == DOCS / "runbooks" and page.path.stem in slugs

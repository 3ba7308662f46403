"""The ledger: what became of every block, on which database and versions."""

from __future__ import annotations

import json
import platform
import shutil
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from .blocks import Page, read_page
from .run_page import Result
from .runs import ledger_rows, page_name

Key = tuple[str, int, str | None]
"""Page, ordinal of the block, database."""


@dataclass
class Ledger:
    """The part of the ledger that one process writes: `folder`/`worker`.jsonl, one JSON object a block and database.

    `root` is the folder to which the paths in it are relative. A block of a page that names no databases (so that
    nothing on it is run) has the database null.
    """

    folder: Path
    root: Path
    worker: str = "main"

    def write(self, result: Result, server: str = "") -> None:
        block = result.block
        file, line = block.origin[0]
        row = {
            "page": page_name(block.page.path, self.root / "docs"),
            "ordinal": block.ordinal,
            "database": result.database,
            "kind": block.fence.kind,
            "text": block.text,
            "file": self._path(file),
            "line": line,
            "result": result.result,
            "reason": result.reason,
            "seconds": result.seconds,
            "django": version("django"),
            "python": platform.python_version(),
            "server": server,
        }
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / f"{self.worker}.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps(row, ensure_ascii=False) + "\n")

    def _path(self, path: Path) -> str:
        path = Path(path).absolute()
        return (path.relative_to(self.root) if path.is_relative_to(self.root) else path).as_posix()


def clear(folder: Path) -> None:
    """Forget the run before; until `close`, the ledger says that it is not complete."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    _describe(folder, {"complete": False, "passed": False, "why": "the run has not ended", "pages": [], "absent": {}})


def close(folder: Path, root: Path, absent: dict[str, str], changed: bool) -> dict:
    """Write run.json, which says whether the ledger holds every block of every page below `root`/docs.

    `absent` tells for each database why it was not there, `changed` whether the run rewrote pages. Returns what it wrote.
    """
    found = list(ledger_rows(folder))
    missing = expected(root) - {(row["page"], row["ordinal"], row["database"]) for row in found}
    pages = sorted({page for page, _, _ in missing})
    more = f" and {len(pages) - 3} more pages" if len(pages) > 3 else ""
    why = f"blocks not met: {len(missing)}, on {', '.join(pages[:3])}{more}" if missing else ""
    run = {
        "complete": not missing and not changed,
        "passed": bool(found) and not any(row["result"] in ("failed", "blocked") for row in found),
        "why": why or ("the run rewrote pages: run again" if changed else ""),
        "pages": sorted({row["page"] for row in found}),
        "absent": absent,
    }
    _describe(folder, run)
    return run


def description(folder: Path) -> dict:
    """What run.json says: `complete`, `passed`, `why` not complete, `pages`, `absent` databases and why."""
    return json.loads((folder / "run.json").read_text(encoding="utf-8"))


def expected(root: Path) -> set[Key]:
    """The key of every row that a complete run writes. Raises FenceError for a page that cannot be read."""
    keys = set()
    for path in sorted((root / "docs").rglob("*.md")):
        page = read_page(path, root)
        for database in variants(page):
            keys |= {(page_name(path, root / "docs"), block.ordinal, database) for block in on(page, database)}
    return keys


def variants(page: Page) -> list[str | None]:
    """The databases that a page names, or None alone when it names none and so runs nothing."""
    return page.meta.get("databases") or [None]


def on(page: Page, database: str | None) -> list:
    """The blocks of a page that stand for a database: outside tabs and in its tab; all of them for None."""
    return [block for block in page.blocks if not database or block.database in (None, database)]


def _describe(folder: Path, run: dict) -> None:
    (folder / "run.json").write_text(json.dumps(run, indent=2) + "\n", encoding="utf-8")

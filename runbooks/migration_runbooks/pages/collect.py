"""Collect the pages with Sybil: one pytest item a block and database."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path

import pytest
from sybil import Document, Example, Region, Sybil
from sybil.example import SybilFailure
from sybil.integration.pytest import SybilFile, SybilItem

from .accept import Accepted
from .blocks import DATABASES, Page, read_page
from .ending import Beginning
from .fences import FenceError
from .ledger import Ledger, on, variants
from .run_page import PageRun, Result, is_executed
from .snippets import shown


@dataclass
class Surroundings:
    """What the items need of the run: how a sandbox is opened (of a world, on a database, warm or not, to be closed with the
    stack), why a database is missing (nothing when it is there), the ledger, and the outputs to accept."""

    root: Path
    open_sandbox: Callable[[str, str, bool, ExitStack], object]
    missing: Callable[[str], str]
    ledger: Ledger
    accepted: Accepted | None
    read: Callable[[Path, Path], Page] = field(default_factory=lambda: cache(read_page))
    """Reads a page: once for all databases."""


class PageSybil(Sybil):
    """The blocks of the pages on one database; or, for None, those of the pages that name no database."""

    def __init__(self, database: str | None, surroundings: Surroundings):
        super().__init__(parsers=[], patterns=["*.md"], path=str(surroundings.root / "docs"), teardown=close)
        self.database = database
        self.surroundings = surroundings

    def parse(self, path: Path) -> Document:
        page = self.surroundings.read(path, self.surroundings.root)
        refuse_unprepared(page)
        document = Document(page.text, str(path))
        if self.database not in variants(page):
            return document
        run = PageRun(page, self.database, lambda: self._sandbox(document.namespace), self.surroundings.accepted)
        document.namespace["run"] = run
        reason = self.surroundings.missing(self.database) if self.database and is_executed(page) else ""
        if reason:
            document.namespace["reason"] = reason
            document.add(Region(0, 0, page, self.skip_page))
            return document
        for block in on(page, self.database):
            document.add(Region(block.start, block.end, block, self.run_block))
        return document

    def identify(self, example: Example) -> str:
        """`sqlite,line:38`; `sqlite` alone for a page whose database is not there."""
        if isinstance(example.parsed, Page):
            return self.database
        block = example.parsed
        line = f"line:{block.line}"
        if [other.line for other in block.page.blocks].count(block.line) > 1:  # one of them came with a snippet
            line += f",block:{block.ordinal}"
        return f"{self.database},{line}" if self.database else line

    def run_block(self, example: Example) -> str | None:
        run = example.namespace["run"]
        result = with_ending(run.run(example.parsed), example.namespace)
        self.surroundings.ledger.write(result, run.server)
        if result.result in ("blocked", "skipped", "not run"):
            raise pytest.skip.Exception(result.reason, _use_item_location=True)
        return result.reason or None

    def skip_page(self, example: Example) -> None:
        """Record every block of a page whose database is not there, and skip it once."""
        for block in on(example.parsed, self.database):
            kind, reason = block.fence.kind, example.namespace["reason"]
            result = {"illustration": "illustrated", "not run": "not run"}.get(kind, "skipped")
            why = {"illustrated": "", "not run": block.fence.not_run}.get(result, reason)
            self.surroundings.ledger.write(Result(block, self.database, result, why))
        raise pytest.skip.Exception(reason, _use_item_location=True)

    def _sandbox(self, namespace: dict):
        """Open the page's sandbox. In CI each command on its first database is a process of its own, as it is for a reader."""
        run = namespace["run"]
        warm = self.database != variants(run.page)[0] or "CI" not in os.environ
        sandbox = self.surroundings.open_sandbox(run.page.world, self.database, warm, run.opened)
        namespace["beginning"] = Beginning.of(run.page, self.database, sandbox)
        return sandbox


class PageFile(SybilFile):
    """A page; `blocks` holds every item of it, selected or not."""

    blocks: list[PageItem]

    def collect(self):
        self.documents = []
        try:
            self.blocks = [
                PageItem.from_parent(self, sybil=sybil, example=example)
                for sybil in self.sybils
                for example in self._examples(sybil)
            ]
        except FenceError as problem:
            raise self.CollectError(str(problem)) from None
        return self.blocks

    def _examples(self, sybil: PageSybil):
        document = sybil.parse(self.path)
        self.documents.append(document)
        return document.examples()


class PageItem(SybilItem):
    """A block of a page on one database."""

    def __init__(self, parent, sybil: PageSybil, example: Example):
        super().__init__(parent, sybil, example)
        self.database = sybil.database

    def reportinfo(self):
        return self.path, getattr(self.example.parsed, "line", 1) - 1, self.name

    def repr_failure(self, excinfo, style=None):
        if isinstance(excinfo.value, SybilFailure):
            return excinfo.value.result
        return super().repr_failure(excinfo, style)


def sybils(surroundings: Surroundings) -> list[PageSybil]:
    return [PageSybil(database, surroundings) for database in (*DATABASES, None)]


def with_blocks_above(selected: list[pytest.Item]) -> list[pytest.Item]:
    """Add to the selected items the blocks above them, without which they cannot run."""
    wanted: dict[pytest.Item, None] = {}
    for item in selected:
        for block in item.parent.blocks if isinstance(item, PageItem) else [item]:
            if block is item or block.database == item.database:
                wanted[block] = None
            if block is item:
                break
    return list(wanted)


def refuse_unprepared(page: Page) -> None:
    """Raise FenceError for a page that runs something without saying in which world, on which databases."""
    missing = [name for name in ("world", "databases") if not page.meta.get(name)]
    if missing and is_executed(page):
        raise FenceError(f"{shown(page.path)}:1: blocks of this page are run: its front matter needs {' and '.join(missing)}")


def with_ending(result: Result, namespace: dict) -> Result:
    """Return the result of a block; the last one fails if the page has not put back what it must."""
    run, beginning = namespace["run"], namespace.get("beginning")
    if run.pending or run.failed_at or not beginning or not (lines := beginning.differences(run.sandbox)):
        return result
    return replace(result, result="failed", reason="\n".join([f"{result.where}: the page does not end as it began:", *lines]))


def close(namespace: dict) -> None:
    if "run" in namespace:
        namespace["run"].opened.close()

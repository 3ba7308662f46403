"""Run the blocks of a page, one after the other, in one sandbox."""

from __future__ import annotations

import re
import shutil
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from difflib import unified_diff
from functools import cached_property
from pathlib import Path

from .accept import Accepted
from .blocks import Block, Page, read_page
from .commands import never_reached
from .files import FileProblem, apply_diff, write_file
from .masks import as_readers_see
from .match import first_difference, matches, promote, visible
from .requirements import server_version, unmet
from .shell import Outcome, Shell
from .snippets import Origin, shown

EXECUTABLE = ("bash", "output", "file", "diff", "python")
SHOWN_LINES = 30
PYTHON = "uv run manage.py shell -v 0 < {file}\n"


@dataclass
class Result:
    """What became of a block: passed, written, failed, blocked, skipped, illustrated or not run; and why."""

    block: Block
    database: str | None
    result: str
    reason: str = ""
    seconds: float = 0.0

    @property
    def where(self) -> str:
        return place((self.block.page.path, self.block.line))


class Failure(Exception):
    """A block did not do what its page says; the message begins with `file:line: `."""


class Skipped(Exception):
    """A block is not run here, for the reason given."""


def run_page(path: Path, database: str, sandbox, until: str | None = None) -> list[Result]:
    """Run all blocks of a page for a database in a sandbox, or only those above the heading `until`.

    Returns a result for every block; after the first that failed, the others are `blocked`.
    Raises FenceError for a page that cannot be read and ValueError for a heading that it does not have.
    """
    with PageRun(read_page(path), database, lambda: sandbox) as run:
        return run.until(until)


class PageRun:
    """A page under way on one database: one shell, one sandbox, and the failure that stopped it, if any.

    `sandbox` is called when the first block needs one. Every python block runs in a `manage.py shell` of its own,
    with the variables that the bash blocks exported, so that a reader can paste each into a fresh shell.
    """

    def __init__(self, page: Page, database: str | None, sandbox: Callable, accepted: Accepted | None = None):
        self.page = page
        self.database = database
        self.open_sandbox = sandbox
        self.accepted = accepted
        self.pending = [block for block in page.blocks if block.database in (None, database)]
        self.above: Result | None = None
        self.printed = ""
        self.failed_at = ""
        self.opened = ExitStack()

    def __enter__(self) -> PageRun:
        return self

    def __exit__(self, *_) -> None:
        self.opened.close()

    @property
    def sandbox(self):
        """The sandbox, opened once. Raises Failure, each time, when it cannot be."""
        sandbox, problem = self._opened_once
        if problem:
            where = place((self.page.path, 1))
            raise Failure(f"{where}: no sandbox of the world '{self.page.world}': {problem}") from problem
        return sandbox

    @cached_property
    def _opened_once(self) -> tuple[object, Exception | None]:
        try:
            return self.open_sandbox(), None
        except Exception as problem:
            return None, problem

    @property
    def server(self) -> str:
        """The version of the database on which the page runs; empty where it runs nothing."""
        if not self.database or not is_executed(self.page):
            return ""
        try:
            return server_version(self.database, self.sandbox)
        except Failure:
            return ""

    @cached_property
    def shell(self) -> Shell:
        folder = Path(tempfile.mkdtemp(prefix="page-"))
        self.opened.callback(shutil.rmtree, folder, ignore_errors=True)
        shell = Shell(folder, self.sandbox.project, self.sandbox.environment)
        self.opened.callback(shell.close)
        return shell

    def until(self, heading: str | None = None) -> list[Result]:
        """Run the blocks not yet run that stand above a heading, or all that are left."""
        end = heading_offset(self.page, heading) if heading else len(self.page.text)
        return [self.run(block) for block in list(self.pending) if block.start < end]

    def run(self, block: Block) -> Result:
        """Run one block; the blocks above it must have been run."""
        self.pending.remove(block)
        started = time.monotonic()
        try:
            result, reason = self._run(block)
        except Skipped as skip:
            result, reason = "skipped", str(skip)
        except (Failure, FileProblem) as failure:
            at = f"{place(block.origin[0])}: " if isinstance(failure, FileProblem) else ""
            result, reason = "failed", at + str(failure)
            self.failed_at = re.match(r"[^\n]*?:\d+", reason)[0]
        self.above = Result(block, self.database, result, reason, round(time.monotonic() - started, 3))
        return self.above

    def _run(self, block: Block) -> tuple[str, str]:
        kind = block.fence.kind
        if kind == "not run":
            return "not run", block.fence.not_run
        if kind == "illustration":
            return "illustrated", ""
        if self.failed_at:
            return "blocked", f"blocked by the failure at {self.failed_at}"
        if block.fence.requires and (reason := unmet(block.fence.requires, self.database, self.sandbox)):
            raise Skipped(reason)
        return getattr(self, f"_{kind}")(block), ""

    def _bash(self, block: Block) -> str:
        outcome = self.shell.run(block.text, block.origin, block.fence.timeout)
        result = self._judge(block, outcome)
        if outcome.stopped is not None and (line := never_reached(block.text, outcome.stopped)) is not None:
            raise Failure(f"{place(block.origin[line])}: never run: the block had ended with exit {outcome.status}")
        return result

    def _python(self, block: Block) -> str:
        file = self.shell.folder / f"{block.ordinal}.py"
        file.write_text(block.text, encoding="utf-8")
        outcome = self.shell.run(PYTHON.format(file=f"'{file}'"), block.origin[:1], block.fence.timeout)
        raised = re.findall(r'File "<string>", line (\d+)', outcome.output)
        if raised and int(raised[-1]) <= len(block.origin):
            outcome.where = block.origin[int(raised[-1]) - 1]
        return self._judge(block, outcome)

    def _judge(self, block: Block, outcome: Outcome) -> str:
        self.printed = as_readers_see(outcome.output, self.sandbox)
        problem = problem_of(block, outcome)
        if problem:
            printed = "\n".join(visible(self.printed)[-SHOWN_LINES:])
            raise Failure(f"{place(outcome.where or block.origin[0])}: {problem}\n{printed}")
        return "passed"

    def _output(self, block: Block) -> str:
        if self.above.result in ("skipped", "not run"):
            raise Skipped(f"the block above was not run: {self.above.reason}")
        if self.accepted is not None:
            self.accepted.record(block, self.database, promote(block.text, self.printed))
        elif not matches(block.text, self.printed):
            where = place(block.origin[first_difference(block.text, self.printed)])
            lines = unified_diff(visible(block.text), visible(self.printed), "the page", "printed", lineterm="")
            raise Failure(f"{where}: the block above printed something else\n" + "\n".join(lines))
        return "passed"

    def _file(self, block: Block) -> str:
        write_file(self.sandbox.project, block.fence.title, block.text)
        return "written"

    def _diff(self, block: Block) -> str:
        apply_diff(self.sandbox.project, block.fence.title, block.text)
        return "written"


def is_executed(page: Page) -> bool:
    """Whether anything on a page needs a sandbox."""
    return any(block.fence.kind in EXECUTABLE for block in page.blocks)


def problem_of(block: Block, outcome: Outcome) -> str:
    """What a person reads about a block that ended otherwise than its fence says; nothing when all is well."""
    if outcome.status is None:
        return f"still running after {block.fence.timeout:g} s, and stopped"
    if outcome.ended:
        return f"exit {outcome.status} ended the shell: a reader's terminal would close"
    if outcome.status != block.fence.exit:
        return f"exit {outcome.status}, expected {block.fence.exit}"
    return ""


def place(origin: Origin) -> str:
    return f"{shown(origin[0])}:{origin[1]}"


def heading_offset(page: Page, heading: str) -> int:
    """Where a heading stands in a page's text. Raises ValueError for one that is not there."""
    for match in re.finditer(rf"^#{{1,6}} +{re.escape(heading)} *#* *$", page.text, re.MULTILINE):
        if not any(block.start <= match.start() < block.end for block in page.blocks):
            return match.start()
    raise ValueError(f"{shown(page.path)} has no heading '{heading}'")

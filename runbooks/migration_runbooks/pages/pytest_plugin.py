"""The pytest plugin that runs every block of docs/ and keeps the ledger."""

from __future__ import annotations

from contextlib import ExitStack
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from . import ledger
from .accept import Accepted, refusal
from .collect import PageFile, Surroundings, sybils, with_blocks_above
from .fences import FenceError
from .runs import ledger_rows
from .summary import NAMES, summary

PAGES = pytest.StashKey["Pages"]()


class Hooks:
    """What a conftest.py may bring instead of the worlds of this project."""

    @pytest.hookspec(firstresult=True)
    def pytest_open_sandbox(self, world: str, database: str, directory: Path, warm: bool):
        """Return a sandbox: an object with `project`, `environment` and `close()`.

        `warm` says whether its commands may be started warm, see worlds/warm/.
        """

    @pytest.hookspec(firstresult=True)
    def pytest_missing_database(self, database: str) -> str:
        """Return why a database is not there, or an empty text."""


def pytest_addhooks(pluginmanager):
    pluginmanager.add_hookspecs(Hooks)


def pytest_addoption(parser):
    parser.addoption("--accept", action="store_true", help="rewrite the output blocks of docs/ to what was printed")


def pytest_configure(config):
    workers = config.getoption("numprocesses", None) or hasattr(config, "workerinput")
    if config.getoption("accept") and (reason := refusal(bool(workers))):
        raise pytest.UsageError(reason)
    config.stash[PAGES] = Pages(config)


def pytest_sessionstart(session):
    pages = session.config.stash[PAGES]
    if pages.is_controller and pages.is_asked and not session.config.option.collectonly:
        ledger.clear(pages.folder)
    # As late as this, so that it comes after --last-failed has thrown out what passed.
    session.config.pluginmanager.register(BlocksAbove())


def pytest_collect_file(file_path, parent):
    pages = parent.config.stash[PAGES]
    if file_path.suffix == ".md" and file_path.is_relative_to(pages.docs):
        return PageFile.from_parent(parent, path=file_path, sybils=pages.sybils)
    return None


@pytest.hookimpl(trylast=True)
def pytest_open_sandbox(world, database, directory, warm):
    from migration_runbooks.paths import ACHARYA
    from migration_runbooks.worlds import Project, open_sandbox

    return open_sandbox(world, database, directory, Project(ACHARYA, warm=warm))


@pytest.hookimpl(trylast=True)
def pytest_missing_database(database):
    from migration_runbooks.worlds import available

    return available(database) or ""


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session):
    pages = session.config.stash[PAGES]
    if pages.is_controller and pages.is_asked and not session.config.option.collectonly:
        pages.finish(session)


def pytest_terminal_summary(terminalreporter, config):
    pages = config.stash[PAGES]
    for title, lines in pages.report.items():
        terminalreporter.section(title)
        for line in lines:
            terminalreporter.write_line(line)


class BlocksAbove:
    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_collection_modifyitems(self, items):
        yield
        items[:] = with_blocks_above(items)


class Pages:
    """The executable pages of one run, in one process."""

    def __init__(self, config):
        self.config = config
        self.root = config.rootpath
        self.docs = self.root / "docs"
        self.folder = self.root / "build" / "ledger"
        self.is_controller = not hasattr(config, "workerinput")
        self.accepted = Accepted() if config.getoption("accept") else None
        self.report: dict[str, list[str]] = {}
        worker = "main" if self.is_controller else config.workerinput["workerid"]
        self.missing = cache(lambda database: config.hook.pytest_missing_database(database=database))
        written = ledger.Ledger(self.folder, self.root, worker)
        self.sybils = sybils(Surroundings(self.root, self.open_sandbox, self.missing, written, self.accepted))

    @property
    def is_asked(self) -> bool:
        """Whether this run was asked for docs/ or anything in it or above it."""
        folder = self.config.invocation_params.dir
        asked = [(folder / argument.split("::")[0]).resolve() for argument in self.config.args]
        return any(path.is_relative_to(self.docs) or self.docs.is_relative_to(path) for path in asked)

    def open_sandbox(self, world: str, database: str, warm: bool, opened: ExitStack):
        directory = Path(opened.enter_context(TemporaryDirectory(prefix=f"{database}-", ignore_cleanup_errors=True)))
        sandbox = self.config.hook.pytest_open_sandbox(world=world, database=database, directory=directory, warm=warm)
        opened.callback(sandbox.close)
        return sandbox

    def finish(self, session) -> None:
        """Write the accepted outputs and close the ledger."""
        written, refusals = self.accepted.write() if self.accepted else ([], [])
        if self.accepted:
            self.report["accepted outputs"] = [*(f"rewritten: {place}" for place in written), *refusals]
        if refusals:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED
        rows = list(ledger_rows(self.folder))
        absent = {name: why for name in NAMES if any(row["database"] == name for row in rows) and (why := self.missing(name))}
        try:
            run = ledger.close(self.folder, self.root, absent, changed=bool(written))
        except FenceError as problem:
            self.report["executable pages"] = [f"this ledger is not complete: {problem}"]
            return
        if rows:
            self.report["executable pages"] = summary(rows, run)

"""Pytest: one run of servers and worlds for all workers, ended with the tests, also after a failure or Ctrl-C.

Temporary folders, `tmp_path` too, lie in the run and go with it: in memory SQLite migrates two to three times as fast.
"""

from __future__ import annotations

import compileall
import gc
import os
import signal
import tempfile

import pytest

from migration_runbooks.paths import PACKAGE
from migration_runbooks.worlds import run

BEFORE = pytest.StashKey[str | None]()
"""The TMPDIR of before, in the process that began the run."""

LAST_OF_A_LOG = 6000


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # what a script puts in the background begins so; tests send it
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if not hasattr(config, "workerinput") and run.VARIABLE not in os.environ:
        run.begin()
        config.stash[BEFORE] = os.environ.get("TMPDIR")
        put_temporary_folders(str(run.scratch("tmp")))
        compileall.compile_dir(PACKAGE, quiet=2)  # commands in sandboxes write no bytecode


def pytest_collection_finish() -> None:
    gc.freeze()  # ten thousand tests stay to the end: no look for garbage need go through them


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config: pytest.Config) -> None:
    if BEFORE in config.stash:
        run.end()
        put_temporary_folders(config.stash[BEFORE])


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Show why a server died: its log goes with the run."""
    if BEFORE in config.stash:
        for name, log in run.logs_of_dead_servers().items():
            terminalreporter.section(f"the {name} server died")
            terminalreporter.write_line(log[-LAST_OF_A_LOG:])


def put_temporary_folders(folder: str | None) -> None:
    os.environ.pop("TMPDIR", None)
    if folder:
        os.environ["TMPDIR"] = folder
    tempfile.tempdir = None  # ask the environment anew

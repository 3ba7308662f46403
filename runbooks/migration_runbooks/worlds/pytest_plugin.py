"""Pytest: one run of servers and worlds for all workers, ended with the tests, also after a failure or Ctrl-C."""

from __future__ import annotations

import os

import pytest

from migration_runbooks.worlds import run

BEGUN = pytest.StashKey[bool]()

@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput") and run.VARIABLE not in os.environ:
        run.begin()
        config.stash[BEGUN] = True


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config: pytest.Config) -> None:
    if BEGUN in config.stash:
        run.end()

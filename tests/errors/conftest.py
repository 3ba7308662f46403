"""Worlds for the tests of error pages."""

from __future__ import annotations

import pytest
from migration_runbooks.worlds import open_sandbox


@pytest.fixture
def opened(tmp_path, acharya):
    """A function that opens a world on a database, on the Django of the test; its sandboxes are closed after the test."""
    sandboxes = []

    def open_world(world: str, database: str):
        sandboxes.append(open_sandbox(world, database, tmp_path / str(len(sandboxes)), acharya))
        return sandboxes[-1]

    yield open_world
    for sandbox in sandboxes:
        sandbox.close()

"""Fixtures of the tests of worlds."""

from __future__ import annotations

import pytest
from migration_runbooks.worlds import DATABASES, available, open_library


@pytest.fixture(params=DATABASES)
def database(request) -> str:
    """The name of each database in turn. A test is skipped, with the reason, where there is no such server."""
    if reason := available(request.param):
        pytest.skip(reason)
    return request.param


@pytest.fixture
def library(database, tmp_path):
    """A sandbox of the lending library on each database."""
    with open_library(database, tmp_path) as sandbox:
        yield sandbox

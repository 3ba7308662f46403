from __future__ import annotations

import pytest

pytest.register_assert_rewrite("resetting")

from migration_runbooks.worlds import DATABASES, available, open_library, open_sandbox  # noqa: E402
from resetting import opened  # noqa: E402


@pytest.fixture(params=DATABASES)
def database(request) -> str:
    """The name of each database in turn. A test is skipped, with the reason, where there is no such server."""
    if reason := available(request.param):
        pytest.skip(reason)
    return request.param


@pytest.fixture
def acharya_reset(database, acharya, tmp_path):
    """Acharya, healthy, on each database, with the command installed."""
    with opened(open_sandbox("healthy", database, tmp_path / "sandbox", acharya), tmp_path / "others") as reset:
        yield reset


@pytest.fixture
def library_reset(database, tmp_path):
    """The lending library, run by plain python."""
    with opened(open_library(database, tmp_path), tmp_path / "others") as reset:
        yield reset


@pytest.fixture
def other_reset(database, tmp_path):
    """Another database with the old history and the old files."""
    with opened(open_sandbox("healthy", database, tmp_path / "second"), tmp_path / "others") as reset:
        yield reset

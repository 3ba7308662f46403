from __future__ import annotations

import pytest
from migration_runbooks.worlds import DATABASES, available


@pytest.fixture(params=DATABASES)
def database(request) -> str:
    """The name of each database in turn. A test is skipped, with the reason, where there is no such server."""
    if reason := available(request.param):
        pytest.skip(reason)
    return request.param

"""Two releases on a healthy world, on the database that the test names."""

from __future__ import annotations

import pytest
from two_releases import Releases


@pytest.fixture
def releases(database, tmp_path):
    both = Releases(database, tmp_path)
    yield both
    both.sandbox.close()

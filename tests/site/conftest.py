from __future__ import annotations

from pathlib import Path

import pytest
from built_site import built


@pytest.fixture(scope="session")
def site() -> Path:
    """The folder of the site, built strictly from the pages as they are now. Tests only read it."""
    site = built()
    assert site.status == 0, site.output
    assert "WARNING" not in site.output
    return site.folder

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from migration_runbooks.paths import CHECKOUT


@pytest.fixture(scope="session")
def site(tmp_path_factory) -> Path:
    """The folder of the site, built strictly from the pages as they are now."""
    folder = tmp_path_factory.mktemp("site")
    build = subprocess.run(
        [CHECKOUT / "scripts" / "build", "--site-dir", str(folder)],
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
    )
    assert build.returncode == 0, build.stdout + build.stderr
    assert "WARNING" not in build.stdout + build.stderr
    return folder

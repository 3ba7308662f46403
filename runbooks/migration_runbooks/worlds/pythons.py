"""The Pythons of this machine."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from migration_runbooks.worlds.project import find_uv

NEWEST = 14
"""The last 3.x that the locked packages have binaries for."""


@cache
def find_python(minimum: tuple[int, int]) -> Path | None:
    """Return the executable of the oldest Python here that is `minimum` or newer, or None. Only those that start count."""
    found = {version: python for python in candidates(minimum) if (version := version_of(python))}
    fit = [version for version in found if minimum <= version <= (3, NEWEST)]
    return found[min(fit)] if fit else None


def candidates(minimum: tuple[int, int]) -> Iterator[Path]:
    """Yield executables that may be fit: this one, those on PATH, pyenv's, also when it has others activated, and uv's."""
    yield Path(sys.base_prefix) / "bin" / "python3"
    names = ("python3", *(f"python3.{minor}" for minor in range(minimum[1], NEWEST + 1)))
    yield from (Path(found) for name in names if (found := shutil.which(name)))
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    yield from sorted(pyenv.glob("versions/*/bin/python3"))
    if uv := find_uv():
        asked = [uv, "python", "find", "--no-project", "--no-python-downloads", f">={minimum[0]}.{minimum[1]}"]
        yield from (Path(line) for line in subprocess.run(asked, capture_output=True, text=True).stdout.split())


def version_of(python: Path) -> tuple[int, int] | None:
    """Return the version, or None for what doesn't start: a shim of pyenv whose version is not activated."""
    try:
        said = subprocess.run([python, "--version"], capture_output=True, text=True, timeout=20).stdout
    except (OSError, subprocess.TimeoutExpired):
        return None
    number = re.match(r"Python (\d+)\.(\d+)", said)
    return (int(number[1]), int(number[2])) if number else None

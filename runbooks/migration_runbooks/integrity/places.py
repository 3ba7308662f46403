"""Where a file is, as services that show findings beside the code want it."""

from __future__ import annotations

from pathlib import Path


def relative(file: Path) -> str:
    """Return the path from the working directory, with slashes; the whole one if it lies elsewhere."""
    try:
        return file.resolve().relative_to(Path.cwd()).as_posix()
    except ValueError:
        return file.as_posix()

"""What version control knows of files. Reads only."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path


class Repository:
    """The git repository that a folder lies in. `find` returns None where there is none, or no git."""

    def __init__(self, root: Path) -> None:
        self.root = root

    @classmethod
    def find(cls, folder: Path) -> Repository | None:
        found = git(folder, "rev-parse", "--show-toplevel")
        return cls(Path(found.strip())) if found else None

    def tracked(self, folder: Path) -> set[Path]:
        """Return the files in the folder that are committed or at least added."""
        listed = git(folder, "ls-files", "-z", "--full-name", ".") or ""
        return {self.root / name for name in listed.split("\0") if name}

    def versions(self, folders: list[Path]) -> dict[Path, list[tuple[str, int]]]:
        """Return, for each file below the folders, the commits that touched it: hash and author's time, newest first."""
        log = git(self.root, "log", "--format=%x01%H %at", "--name-only", "-z", "--", *map(str, folders)) or ""
        found: dict[Path, list[tuple[str, int]]] = {}
        for entry in log.split("\x01")[1:]:
            head, *names = entry.replace("\n", "\0").split("\0")
            commit, seconds = head.split()
            for name in filter(None, names):
                found.setdefault(self.root / name, []).append((commit, int(seconds)))
        return found

    def text(self, commit: str, file: Path) -> str | None:
        return git(self.root, "show", f"{commit}:{file.relative_to(self.root).as_posix()}")


def git(folder: Path, *arguments: str) -> str | None:
    """Return what git printed, None if it failed or is not there."""
    # It would otherwise refresh its index, which is a write, and a lock that others' git waits for.
    environment = os.environ | {"GIT_OPTIONAL_LOCKS": "0"}
    try:
        done = subprocess.run(["git", "-C", str(folder), *arguments], capture_output=True, text=True, env=environment)
    except OSError:
        return None
    return done.stdout if done.returncode == 0 else None

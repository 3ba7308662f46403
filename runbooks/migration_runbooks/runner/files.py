"""Copies of the project's own Python files, so that a fix that changes files can be taken back."""

from __future__ import annotations

import json
import os
import shutil
from hashlib import sha256
from pathlib import Path

from migration_runbooks.runner.project import Project

NOT_OWN = {"__pycache__", "node_modules", "site-packages"}


def own_files(project: Project) -> list[str]:
    """Return the paths of the project's own .py files, without hidden folders, environments and links."""
    found = []
    for folder, folders, names in os.walk(project.directory):
        here = Path(folder)
        folders[:] = [name for name in folders if _own(here / name)]
        found += [here / name for name in names if name.endswith(".py") and not (here / name).is_symlink()]
    return sorted(str(file.relative_to(project.directory)) for file in found)


def digests(project: Project) -> dict[str, str]:
    """Return a digest of each own file, by path."""
    return {name: sha256((project.directory / name).read_bytes()).hexdigest() for name in own_files(project)}


def keep(project: Project, folder: Path) -> dict[str, str]:
    """Copy the own files into a folder and return their digests. Called again after a kill, it starts anew."""
    shutil.rmtree(folder, ignore_errors=True)
    for name in own_files(project):
        copy = folder / "files" / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(project.directory / name, copy)
    before = digests(project)
    (folder / "digests.json").write_text(json.dumps(before))
    return before


def put_back(project: Project, folder: Path, after: dict[str, str]) -> tuple[list[str], list[str]]:
    """Restore the files that the fix changed, added or removed; `after` are the digests when it had ended.

    Returns the paths restored, and the paths left alone because someone changed them since.
    """
    before = json.loads((folder / "digests.json").read_text())
    now = digests(project)
    restored, left = [], []
    for name in sorted(name for name in before | after if before.get(name) != after.get(name)):
        if now.get(name) == before.get(name):
            continue
        if now.get(name) != after.get(name):
            left.append(name)
            continue
        _restore(project.directory / name, folder / "files" / name)
        restored.append(name)
    return restored, left


def _restore(file: Path, copy: Path) -> None:
    if not copy.exists():
        file.unlink()
        return
    file.parent.mkdir(parents=True, exist_ok=True)
    new = file.with_name(file.name + ".new")
    shutil.copy2(copy, new)
    new.replace(file)


def _own(folder: Path) -> bool:
    hidden = folder.name.startswith(".") or folder.name in NOT_OWN
    return not (hidden or folder.is_symlink() or (folder / "pyvenv.cfg").exists())

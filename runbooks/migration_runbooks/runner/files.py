"""Copies of the project's own Python files, so that a fix that changes files can be taken back."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

from migration_runbooks.runner.scripts import Scripts

NOT_OWN = {"__pycache__", "node_modules", "site-packages", "dist-packages"}


def digests(scripts: Scripts) -> dict[str, str]:
    """Return a digest of each own file, by its path from the project's folder."""
    project = scripts.project.directory
    return {os.path.relpath(file, project): _digest(file) for file in own_files(project, scripts.database.apps)}


def own_files(project: Path, apps: dict[str, str]) -> list[Path]:
    """Return the .py files of the project's folder, and of apps outside it that are not installed packages."""
    outside = {Path(folder) for folder in apps.values() if not Path(folder).is_relative_to(project)}
    roots = [project, *(folder for folder in outside if not NOT_OWN & {*folder.parts})]
    return sorted({file for root in roots for file in _python_files(root)})


def keep(scripts: Scripts, folder: Path) -> None:
    """Copy the own files into a folder, each under its digest. Called again after a kill, it starts anew."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700)
    before = digests(scripts)
    for name, digest in before.items():
        shutil.copy2(scripts.project.directory / name, folder / digest)
    (folder / "digests.json").write_text(json.dumps(before))


def kept(folder: Path) -> dict[str, str]:
    return json.loads((folder / "digests.json").read_text())


def put_back(scripts: Scripts, folder: Path, after: dict[str, str]) -> tuple[list[str], list[str]]:
    """Restore the files that the fix changed, added or removed; `after` are the digests when it had ended.

    Returns the paths restored, and the paths left alone because someone changed them since.
    """
    before, now = kept(folder), digests(scripts)
    restored, left = [], []
    for name in sorted(name for name in before | after if before.get(name) != after.get(name)):
        if now.get(name) == before.get(name):
            continue
        if now.get(name) != after.get(name):
            left.append(name)
            continue
        _restore(scripts.project.directory / name, folder / before[name] if name in before else None)
        restored.append(name)
    return restored, left


def _python_files(root: Path) -> Iterator[Path]:
    for folder, folders, names in os.walk(root):
        here = Path(folder)
        folders[:] = [name for name in folders if _own(here / name)]
        yield from (here / name for name in names if name.endswith(".py") and not (here / name).is_symlink())


def _own(folder: Path) -> bool:
    hidden = folder.name.startswith(".") or folder.name in NOT_OWN
    return not (hidden or folder.is_symlink() or (folder / "pyvenv.cfg").exists())


def _restore(file: Path, copy: Path | None) -> None:
    """Bring a file back by an atomic replacement; without a copy it was not there."""
    if copy is None:
        file.unlink()
        return
    file.parent.mkdir(parents=True, exist_ok=True)
    new = file.with_name(file.name + ".new")
    shutil.copy2(copy, new)
    new.replace(file)


def _digest(file: Path) -> str:
    return sha256(file.read_bytes()).hexdigest()

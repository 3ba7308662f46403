"""Migrations that were edited after they were applied.

By the committed fingerprints. Before there are any, by version control: what the file said when it was applied, or when
it was first committed if that was later. A file that was not touched since it was applied can't have been edited.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from migration_runbooks.integrity.examined import Examined
from migration_runbooks.integrity.finding import Finding
from migration_runbooks.integrity.fingerprints import file_of, fingerprint, read_fingerprints
from migration_runbooks.integrity.git import Repository


def check(examined: Examined) -> Iterator[Finding]:
    fingerprints = read_fingerprints(examined)
    applied = {record.key: in_utc(record.applied) for record in examined.history}
    own = [(name, path) for name in sorted(applied) if name[0] in examined.files.own_apps and (path := examined.files.path(name))]
    if fingerprints is None:
        yield from by_version_control([(name, path.resolve(), applied[name]) for name, path in own])
        return
    for (app, name), path in own:
        known = fingerprints.get(app, {}).get(name)
        if known and known != fingerprint(path.read_text()):
            message = f"{app}.{name} is applied and differs from its fingerprint in {file_of(examined).name}."
            yield edited(app, name, path, "error", message)


def by_version_control(own: list[tuple[tuple[str, str], Path, datetime]]) -> Iterator[Finding]:
    touched = [(name, path, applied) for name, path, applied in own if path.stat().st_mtime > applied.timestamp()]
    repositories: dict[Path, Repository | None] = {}
    for folder in {path.parent for _, path, _ in touched}:
        repositories[folder] = Repository.find(folder)
    for root in sorted({repository.root for repository in repositories.values() if repository}):
        folders = [folder for folder, repository in repositories.items() if repository and repository.root == root]
        versions = Repository(root).versions(folders)
        for name, path, applied in touched:
            if path.parent in folders and path in versions:
                yield from compared(Repository(root), name, path, applied, versions[path])


def compared(repository: Repository, name: tuple[str, str], path: Path, applied: datetime, commits: list) -> Iterator[Finding]:
    commit, _ = next((each for each in commits if each[1] <= applied.timestamp()), commits[-1])
    before = repository.text(commit, path)
    if before is not None and fingerprint(before) != fingerprint(path.read_text()):
        message = (
            f"{'.'.join(name)} was applied on {applied:%Y-%m-%d %H:%M} UTC and differs from what commit {commit[:10]} held then. "
            "Version control can't tell whether the newer text was applied before it was committed."
        )
        yield edited(*name, path, "warning", message)


def edited(app: str, name: str, path: Path, level: str, message: str) -> Finding:
    return Finding(
        id="edited-migration",
        level=level,
        app=app,
        object=name,
        message=message,
        hint=f"git log -p -- {path.name} shows the change. Take it back and write a new migration for it; if it changes "
        "nothing that matters, python manage.py check_migration_integrity --write-fingerprints accepts it.",
        file=path,
    )


def in_utc(moment: datetime) -> datetime:
    """Without USE_TZ Django records local time."""
    return moment.astimezone(UTC)

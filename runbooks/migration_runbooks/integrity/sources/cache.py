"""Keep the expected schema until what it was made from changes."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

import django
from django.conf import settings

from migration_runbooks.integrity.sources.expected import Expected
from migration_runbooks.integrity.sources.files import Files, Name

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper

FORMAT = 1
KEPT = 6
SETTINGS = ("AUTH_USER_MODEL", "DEFAULT_AUTO_FIELD", "INSTALLED_APPS", "DATABASE_ROUTERS", "DEFAULT_TABLESPACE", "LANGUAGE_CODE")
"""What migrations commonly read besides their own text."""


def default_folder() -> Path:
    return project_folder() / ".runbook" / "integrity"


def project_folder() -> Path:
    return Path(getattr(settings, "BASE_DIR", Path.cwd()))


def fingerprint(files: Files, applied: set[Name], connection: BaseDatabaseWrapper) -> str:
    """Return a hash of all that decides the expected schema: files, what is recorded of them, Django and the server.

    The alias is part of it, for routers go by it.
    """
    digest = hashlib.sha256()
    facts = [FORMAT, django.VERSION, connection.alias, connection.vendor, connection.get_database_version(), *surroundings(connection)]
    facts += [repr(getattr(settings, name, None)) for name in SETTINGS]
    facts += [f"{name} {name in applied}" for name in files.order]
    digest.update(repr(facts).encode())
    for name in sorted(files.loader.disk_migrations):
        path = files.path(name)
        digest.update(repr(name).encode() + (path.read_bytes() if path else b""))
    return digest.hexdigest()[:32]


def surroundings(connection: BaseDatabaseWrapper) -> tuple:
    """What a new database takes from the server or the settings, and so its columns from it."""
    asked = {"postgresql": "SELECT current_schema()", "mysql": "SELECT @@collation_database"}.get(connection.vendor)
    if not asked:
        return ()
    with connection.cursor() as cursor:
        cursor.execute(asked)
        return cursor.fetchone()


def load(folder: Path, key: str) -> Expected | None:
    try:
        return Expected.from_json(json.loads((folder / f"{key}.json").read_text()))
    except (OSError, ValueError, KeyError, TypeError):
        return None  # none yet, or one that another version wrote


def keep(folder: Path, key: str, expected: Expected) -> None:
    """Write it whole or not at all. Where the folder can't be written, the next run replays again."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / ".gitignore").write_text("*\n")
        unfinished = folder / f"{key}.{os.getpid()}.unfinished"
        unfinished.write_text(json.dumps(expected.as_json()))
        unfinished.replace(folder / f"{key}.json")
        for old in sorted(folder.glob("*.json"), key=lambda file: file.stat().st_mtime)[:-KEPT]:
            old.unlink(missing_ok=True)
    except OSError:
        pass

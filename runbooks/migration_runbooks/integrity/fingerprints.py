"""Fingerprints of migrations, kept in a file that the team commits: what was applied must not change afterwards.

A fingerprint is of what Python makes of the file, so formatting, comments and quotes don't count.
"""

from __future__ import annotations

import ast
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from django.core.management.base import CommandError

from migration_runbooks.integrity.finding import Unreadable
from migration_runbooks.integrity.sources.cache import project_folder

if TYPE_CHECKING:
    from migration_runbooks.integrity.examined import Examined

NAME = "migration_fingerprints.json"


def file_of(examined: Examined) -> Path:
    return examined.fingerprints or project_folder() / NAME


def fingerprint(text: str) -> str:
    """Return the fingerprint of a migration's text. Raises SyntaxError."""
    return hashlib.sha256("".join(canonical(ast.parse(text))).encode()).hexdigest()[:16]


def canonical(node: object) -> Iterator[str]:
    """Write a tree the same in every version of Python: versions differ in which empty fields they list."""
    if isinstance(node, ast.AST):
        yield type(node).__name__
        for name, value in ast.iter_fields(node):
            if value not in (None, []) and name != "kind":
                yield f"({name} "
                yield from canonical(value)
                yield ")"
    elif isinstance(node, list):
        for each in node:
            yield from canonical(each)
            yield ","
    else:
        yield repr(node)


def read_fingerprints(examined: Examined) -> dict[str, dict[str, str]] | None:
    """Return the committed fingerprints by app and migration, None when there is no such file."""
    file = file_of(examined)
    if not file.exists():
        return None
    try:
        return {app: dict(names) for app, names in json.loads(file.read_text())["migrations"].items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise Unreadable(f"the fingerprints in {file}", error) from error


def write_fingerprints(examined: Examined) -> str:
    """Write the fingerprint of each own migration that is recorded here, whole or not at all. Return what was done.

    Those of migrations that this database has not had are kept: they may be applied elsewhere.
    """
    try:
        kept, recorded = read_fingerprints(examined) or {}, {record.key for record in examined.history}
    except Unreadable as error:
        raise CommandError(f"{error.source} can't be read: {error}. Nothing was written.", returncode=2) from error
    files, written = examined.files, 0
    for app, name in sorted(recorded & files.loader.disk_migrations.keys()):
        if app in files.own_apps and (path := files.path((app, name))):
            kept.setdefault(app, {})[name] = fingerprint(path.read_text())
            written += 1
    file = file_of(examined)
    unfinished = file.with_name(f"{file.name}.unfinished")
    unfinished.write_text(json.dumps({"migrations": kept}, indent=2, sort_keys=True) + "\n")
    unfinished.replace(file)
    return f"Wrote the fingerprints of {written} applied migrations to {file}. Commit it."

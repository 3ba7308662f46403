"""Habits that make trouble later, of the level info: shown by `--level info`."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from django.db.migrations import Migration, operations

from migration_runbooks.integrity.examined import Examined
from migration_runbooks.integrity.finding import Finding

LEVEL = "info"
"""Reading every file again costs a fifth of the time: it is left out unless asked for."""

DATA = (operations.RunPython, operations.RunSQL)
SCHEMA = (operations.models.ModelOperation, operations.fields.FieldOperation, operations.AddIndex, operations.AddConstraint)
HEAVY = (operations.AlterField, operations.AddField, operations.RemoveField, operations.AddIndex, operations.AddConstraint, *DATA)
MANY = 8
SECRET_NAME = re.compile(r"password|passwd|secret|api_?key|private_?key|access_?key|auth_?token", re.IGNORECASE)
SECRET_TEXT = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY|\b(AKIA|ghp_|gho_|github_pat_|glpat-|sk_live_|xox[abp]-)\w{8,}|://[^\s:/@{}]+:[^\s@{}]+@")


def check(examined: Examined) -> Iterator[Finding]:
    for name, migration in sorted(examined.files.loader.disk_migrations.items()):
        path = examined.files.path(name)
        if name[0] in examined.files.own_apps and path:
            for finding_id, message, hint in habits(migration, path):
                stuck = finding_id == "irreversible-operation"
                yield Finding(
                    id=finding_id,
                    level="info",
                    app=name[0],
                    object=name[1],
                    message=f"{'.'.join(name)} {message}.",
                    hint=hint,
                    runbook="make-migration-reversible" if stuck else None,
                    file=path,
                )


def habits(migration: Migration, path: Path) -> Iterator[tuple[str, str, str]]:
    stuck = [operation.describe() for operation in migration.operations if not operation.reversible]
    if stuck:
        yield "irreversible-operation", f"can't be reversed: {'; '.join(stuck)}", "Give RunPython reverse_code, and RunSQL reverse_sql."
    kinds = {kind for operation in migration.operations for kind in (DATA, SCHEMA) if isinstance(operation, kind)}
    if len(kinds) == 2:
        yield "schema-and-data-mixed", "changes schema and data in one", "Put the data into a migration of its own: a failure then leaves less half done."
    heavy = [operation for operation in migration.operations if isinstance(operation, HEAVY)]
    if len(heavy) >= MANY:
        yield "many-heavy-operations", f"has {len(heavy)} operations that can lock or rewrite a table", "Split it, so that each holds its locks for a short time."
    for line in secrets_in(path.read_text(errors="replace")):
        yield "literal-like-a-secret", f"holds what looks like a secret in line {line}", "Change that secret: history keeps it. Read it from the environment."


def secrets_in(text: str) -> Iterator[int]:
    """Return the lines of literals that look like secrets, or are given to a name that means one. Never the literal."""
    try:
        tree = ast.parse(text)
    except SyntaxError:
        return
    found = set()
    for node in ast.walk(tree):
        if is_text(node) and SECRET_TEXT.search(node.value):
            found.add(node.lineno)
        for name, value in named(node):
            if is_text(value) and len(value.value) >= 6 and SECRET_NAME.search(name):
                found.add(value.lineno)
    yield from sorted(found)


def named(node: ast.AST) -> Iterator[tuple[str, ast.AST]]:
    if isinstance(node, ast.Assign):
        yield from ((target.id, node.value) for target in node.targets if isinstance(target, ast.Name))
    if isinstance(node, ast.keyword) and node.arg:
        yield node.arg, node.value
    if isinstance(node, ast.Dict):
        yield from ((key.value, value) for key, value in zip(node.keys, node.values, strict=True) if is_text(key))


def is_text(node: ast.AST | None) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)

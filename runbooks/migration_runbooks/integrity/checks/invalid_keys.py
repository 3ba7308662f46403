"""PostgreSQL: indexes that a failed build left invalid, and constraints that were never validated."""

from __future__ import annotations

from collections.abc import Iterator

from migration_runbooks.integrity.examined import Examined
from migration_runbooks.integrity.finding import Finding, Unreadable
from migration_runbooks.integrity.schema import Key


def check(examined: Examined) -> Iterator[Finding]:
    for table in examined.live.values():
        for key in table.keys:
            if not key.valid and not left_so(examined, table.name, key):
                yield finding(examined, table.name, key)


def left_so(examined: Examined, table: str, key: Key) -> bool:
    """Whether the migrations themselves leave it so, as AddConstraintNotValid does until ValidateConstraint."""
    try:
        wanted = examined.expected.schema.get(table)
    except Unreadable:
        return False
    return any((each.kind, each.name, each.valid) == (key.kind, key.name, False) for each in wanted.keys) if wanted else False


def finding(examined: Examined, table: str, key: Key) -> Finding:
    is_index = key.kind in ("index", "unique")
    remedy = f'REINDEX INDEX CONCURRENTLY "{key.name}"' if is_index else f'ALTER TABLE "{table}" VALIDATE CONSTRAINT "{key.name}"'
    return Finding(
        id="invalid-index" if is_index else "constraint-not-validated",
        level="error",
        app=examined.owner(table),
        object=f"{table}.{key.name}",
        message=f"Index {key.name} on {table} is invalid: it costs each write and serves no query."
        if is_index
        else f"Constraint {key.name} on {table} is not validated: older rows may break it.",
        hint=remedy,
        runbook="rebuild-invalid-index" if is_index else None,
    )

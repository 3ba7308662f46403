"""Which databases this machine can offer."""

from __future__ import annotations

from migration_runbooks.worlds.engines import ENGINES

DATABASES = tuple(ENGINES)


def available(database: str) -> str | None:
    """Return None if sandboxes can live on this database here, or the reason why not, for people."""
    reason = ENGINES[database].missing()
    return f"{database} is not available: {reason}" if reason else None

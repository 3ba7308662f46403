"""Migrations that took effect in part, or in whole, without being recorded."""

from __future__ import annotations

from collections.abc import Iterator

from migration_runbooks.integrity.examined import Examined
from migration_runbooks.integrity.finding import Finding
from migration_runbooks.integrity.sources.half_applied import Half


def check(examined: Examined) -> Iterator[Finding]:
    for half in examined.half_applied:
        whole = not half.open and not half.partly
        yield Finding(
            id="unrecorded-migration" if whole else "half-applied-migration",
            level="error",
            app=half.app,
            object=half.migration,
            message=f"{half.app}.{half.migration} is not recorded, and {told(half)}.",
            hint="Don't run migrate: it would repeat what was done, which SQLite does without an error, and values are lost. "
            f"python manage.py sqlmigrate {half.app} {half.migration} shows each statement.",
            runbook="undo-wrong-fake" if whole else "finish-half-applied-migration",
            file=examined.files.path((half.app, half.migration)),
        )


def told(half: Half) -> str:
    parts = [
        (half.done, "took effect"),
        (half.partly, "took effect in part"),
        (half.open, "did not"),
        (half.unseen, "can't be seen in the schema"),
    ]
    return "; ".join(f"{', '.join(repr(name) for name in names)} {what}" for names, what in parts if names)

"""Migrations that the database has not had."""

from __future__ import annotations

from collections.abc import Iterator

from migration_runbooks.integrity.examined import Examined
from migration_runbooks.integrity.finding import Finding


def check(examined: Examined) -> Iterator[Finding]:
    applied = examined.applied
    for app, name in (name for name in examined.files.order if name not in applied):
        yield Finding(
            id="unapplied-migration",
            level="error",
            app=app,
            object=name,
            message=f"{app}.{name} is not recorded as applied on database {examined.alias!r}.",
            hint=f"python manage.py migrate {app} --plan shows what it would do; if no other finding names it, python manage.py migrate applies it.",
            file=examined.files.path((app, name)),
        )

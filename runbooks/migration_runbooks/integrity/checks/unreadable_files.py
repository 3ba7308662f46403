"""Migration files that Python can't import."""

from __future__ import annotations

from collections.abc import Iterator

from migration_runbooks.integrity.examined import Examined
from migration_runbooks.integrity.finding import Finding
from migration_runbooks.integrity.sources.files import folder_of


def check(examined: Examined) -> Iterator[Finding]:
    from django.apps import apps

    for (app, name), error in sorted(examined.files.loader.broken.items()):
        folder = folder_of(apps.get_app_config(app))
        yield Finding(
            id="unreadable-migration",
            level="error",
            app=app,
            object=name,
            message=f"{app}.{name} can't be imported: {type(error).__name__}: {error}.",
            hint=f'python manage.py shell -c "import {app}.migrations.{name}" shows where it fails.',
            file=folder / f"{name}.py" if folder else None,
        )

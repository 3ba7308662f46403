"""Folders of migrations that Django does not see, for they hold no __init__.py."""

from __future__ import annotations

from collections.abc import Iterator

from django.apps import apps

from migration_runbooks.integrity.examined import Examined
from migration_runbooks.integrity.finding import Finding
from migration_runbooks.integrity.sources.files import folder_of


def check(examined: Examined) -> Iterator[Finding]:
    for label in sorted(examined.files.own_apps):
        folder = folder_of(apps.get_app_config(label))
        if folder is None or (folder / "__init__.py").exists():
            continue
        names = [file.name for file in sorted(folder.glob("*.py")) if "class Migration(" in file.read_text(errors="replace")]
        if names:
            yield Finding(
                id="missing-init",
                level="error",
                app=label,
                object=str(folder / "__init__.py"),
                message=f"{folder} has no __init__.py, so Django ignores its {len(names)} migrations and takes {label} for an app without any.",
                hint=f"touch {folder / '__init__.py'}, and commit it.",
                file=folder / names[0],
            )

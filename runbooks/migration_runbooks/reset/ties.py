"""Migrations of other apps that need the names which go."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from django.apps import apps

from migration_runbooks.integrity.sources.files import Name, is_own
from migration_runbooks.reset.chosen import Chosen
from migration_runbooks.reset.staging import Texts
from migration_runbooks.reset.text import NotPlain, with_dependencies

FIXED = ("__first__", "__latest__")
"""Dependencies that name no file: swappable_dependency() makes the first of them."""


def needs(chosen: Chosen, name: Name) -> list[Name]:
    """Return the removed migrations that one of another app depends on."""
    dependencies = chosen.files.loader.disk_migrations[name].dependencies
    return [tuple(each) for each in dependencies if each[0] in chosen.apps and each[1] not in FIXED]


def dependents(chosen: Chosen) -> list[Name]:
    """Return the project's own migrations of other apps that depend on a removed one."""
    return [name for name in sorted(chosen.files.loader.disk_migrations) if name[0] not in chosen.apps and needs(chosen, name)]


def obstacles(chosen: Chosen) -> Iterator[str]:
    """Yield why the ties of the chosen apps can't be kept, one sentence each."""
    own = {config.label for config in apps.get_app_configs() if is_own(config)}
    for name in dependents(chosen):
        shown, old = ".".join(name), ", ".join(".".join(each) for each in needs(chosen, name))
        if name[0] not in own:
            yield (
                f"{shown}, installed from a package, depends on {old}, and its file is not yours to change. Next: keep that name, "
                "and squash instead of resetting: runbook run squash-app-migrations"
            )
            continue
        try:
            with_dependencies(chosen.text(name), lambda each: each)
        except NotPlain as reason:
            yield f"{chosen.path(name)} depends on {old} and {reason}. Write its dependencies as a plain list first."
    for name, migration in sorted(chosen.files.loader.disk_migrations.items()):
        if {name[0], *(app for app, _ in migration.run_before)} & set(chosen.apps) and migration.run_before:
            yield f"{'.'.join(name)} has run_before, which a new file would not have. Turn it into a dependency first."
        if foreign := sorted({app for app, _ in migration.replaces if app != name[0]} & set(chosen.apps)):
            yield f"{'.'.join(name)} replaces migrations of {', '.join(foreign)}. Finish that squash first."


def rewritten(chosen: Chosen, change: Callable[[Name], Name | None]) -> Texts:
    """Return all texts of the apps that have dependents, with other names, or none, in place of the removed ones."""
    affected = {app for app, _ in dependents(chosen)}
    return {
        app: {name: with_dependencies(text, lambda old: change(old) if is_removed(chosen, old) else old) for name, text in chosen.texts(app).items()}
        for app in affected
    }


def is_removed(chosen: Chosen, name: Name) -> bool:
    return name[0] in chosen.apps and name[1] not in FIXED

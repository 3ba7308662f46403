"""The apps that were asked for, and the project's migration files as they are."""

from __future__ import annotations

import importlib
import sys
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

from django.apps import apps
from django.db.migrations import Migration

from migration_runbooks.integrity.sources.files import Files, Name, folder_of, is_own
from migration_runbooks.reset.measure import is_custom
from migration_runbooks.reset.refusal import BadInput
from migration_runbooks.reset.text import read


@dataclass(frozen=True)
class Chosen:
    """Apps whose history is to be replaced, seen in the files as a fresh database sees them."""

    apps: tuple[str, ...]
    files: Files

    def of_app(self, app: str) -> dict[str, Migration]:
        """Return every migration file of an app by its name, those that a squash replaces included."""
        return {name: migration for (label, name), migration in self.files.loader.disk_migrations.items() if label == app}

    @property
    def names(self) -> list[Name]:
        """The chosen apps' migrations of the graph, each after what it depends on."""
        return [name for name in self.files.order if name[0] in self.apps]

    @property
    def removed(self) -> list[Name]:
        return [(app, name) for app in self.apps for name in sorted(self.of_app(app))]

    @property
    def custom(self) -> list[Name]:
        """The migrations, in order, that hold an operation which makemigrations can't write."""
        return [name for name in self.names if any(map(is_custom, self.files.loader.graph.nodes[name].operations))]

    @cached_property
    def folders(self) -> dict[str, Path]:
        """Where the migrations of each of the project's own apps lie."""
        configs = [config for config in apps.get_app_configs() if is_own(config)]
        return {config.label: folder.resolve() for config in configs if (folder := folder_of(config)) and folder.is_dir()}

    def path(self, name: Name) -> Path:
        return self.files.path(name).resolve()

    def text(self, name: Name) -> str:
        return read(self.path(name)) or ""

    def texts(self, app: str) -> dict[str, str]:
        return {name: self.text((app, name)) for name in self.of_app(app)}


def choose(labels: list[str], files: Files) -> Chosen:
    """Return the apps asked for. Raises BadInput when one is not an app of this project that has migrations."""
    if not labels:
        raise BadInput("Name at least one app: python manage.py reset_migrations APP. python manage.py showmigrations lists them.")
    chosen = Chosen(tuple(dict.fromkeys(labels)), files)
    for label in chosen.apps:
        demand_own_app(label, chosen)
    return chosen


def demand_own_app(label: str, chosen: Chosen) -> None:
    known = {config.label: config for config in apps.get_app_configs()}
    if label not in known:
        own = ", ".join(sorted(app for app in chosen.folders if chosen.of_app(app)))
        raise BadInput(f"There is no app {label!r} in INSTALLED_APPS. Apps of this project with migrations: {own or 'none'}.")
    if not is_own(known[label]):
        raise BadInput(f"{label} is not an app of this project: it was installed from a package. Leave its migrations to its authors.")
    if not chosen.of_app(label) and not any(app == label for app, _ in chosen.files.loader.broken):
        raise BadInput(f"{label} has no migrations. python manage.py makemigrations {label} gives it some.")
    if label in chosen.folders:
        strangers = [name for name in chosen.of_app(label) if chosen.path((label, name)).parent != chosen.folders[label]]
        if strangers:
            raise BadInput(f"{label} has migrations outside of {chosen.folders[label]}: {', '.join(strangers)}. Move them there first.")


def read_anew(folders: list[Path]) -> None:
    """Make Python forget modules in these folders, after their files have changed."""

    @cache
    def is_one(folder: Path) -> bool:
        return folder.resolve() in folders

    importlib.invalidate_caches()
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None)
        if file and is_one(Path(file).parent):
            del sys.modules[name]

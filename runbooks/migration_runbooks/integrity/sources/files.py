"""The migration files and the graph they make: read as far as they can be, however broken."""

from __future__ import annotations

import pkgutil
from dataclasses import dataclass, field
from functools import cached_property
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from django.apps import AppConfig, apps
from django.db.migrations.graph import DummyNode
from django.db.migrations.loader import MIGRATIONS_MODULE_NAME, MigrationLoader

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper
    from django.db.migrations import Migration

Name = tuple[str, str]
"""App label and name of a migration, as Django's graph has it."""

NOT_THE_READERS = {"site-packages", "dist-packages"}


class TolerantLoader(MigrationLoader):
    """Django's own loader, but for a file that can't be imported: it is noted, and the rest is read."""

    def load_disk(self) -> None:
        self.disk_migrations: dict[Name, Migration] = {}
        self.unmigrated_apps: set[str] = set()
        self.migrated_apps: set[str] = set()
        self.broken: dict[Name, Exception] = {}
        for config in apps.get_app_configs():
            package = self.package_of(config)
            if package is None:
                self.unmigrated_apps.add(config.label)
                continue
            self.migrated_apps.add(config.label)
            for module in pkgutil.iter_modules(package.__path__):
                if not module.ispkg and module.name[0] not in "_~":
                    self.load_file(config.label, module.name, f"{package.__name__}.{module.name}")

    def package_of(self, config: AppConfig):
        """Return the package of the app's migrations, or None if Django would see none."""
        module_name, explicit = self.migrations_module(config.label)
        if module_name is None:
            return None
        try:
            module = import_module(module_name)
        except ModuleNotFoundError as error:
            if not explicit and MIGRATIONS_MODULE_NAME in (error.name or "").split("."):
                return None
            self.broken[config.label, "__init__"] = error
            return None
        except Exception as error:
            self.broken[config.label, "__init__"] = error
            return None
        is_package = hasattr(module, "__path__") and (getattr(module, "__file__", None) or isinstance(module.__path__, list))
        return module if is_package else None

    def load_file(self, app: str, name: str, module_name: str) -> None:
        try:
            self.disk_migrations[app, name] = import_module(module_name).Migration(name, app)
        except Exception as error:  # whatever a file of the reader's raises
            self.broken[app, name] = error


@dataclass
class Files:
    """What the migration files say, seen with the history that was recorded."""

    loader: TolerantLoader
    graph_error: Exception | None
    paths: dict[Name, Path] = field(default_factory=dict)

    @cached_property
    def own_apps(self) -> set[str]:
        """The apps whose files are the reader's to commit: not those in site-packages."""
        return {config.label for config in apps.get_app_configs() if is_own(config)}

    @cached_property
    def known(self) -> set[Name]:
        """Every migration that a file is, or stands for."""
        found = set(self.loader.disk_migrations) | set(self.loader.broken)
        return found.union(*(migration.replaces for migration in self.loader.disk_migrations.values()))

    @cached_property
    def missing(self) -> set[Name]:
        """What others depend on, and no file holds."""
        return {name for name, node in self.loader.graph.node_map.items() if isinstance(node, DummyNode)}

    @cached_property
    def unseen(self) -> dict[str, list[Path]]:
        """The migration files that Django does not see, by app: their folder has no __init__.py."""
        return {label: files for label in sorted(self.own_apps) if (files := files_without_init(apps.get_app_config(label)))}

    @cached_property
    def order(self) -> list[Name]:
        """The migrations of the graph in an order in which they can be applied; by name if it is broken."""
        nodes = self.loader.graph.nodes
        if self.graph_error:
            return sorted(nodes.keys() - self.missing)
        plan: dict[Name, None] = {}
        for leaf in sorted(self.loader.graph.leaf_nodes()):
            plan.update(dict.fromkeys(self.loader.graph.forwards_plan(leaf)))
        return list(plan)

    def path(self, name: Name) -> Path | None:
        migration = self.loader.disk_migrations.get(name)
        module = import_module(type(migration).__module__) if migration else None
        return Path(module.__file__) if module and module.__file__ else None


def read_files(connection: BaseDatabaseWrapper | None) -> Files:
    """Read all files; with a connection also which of them are recorded, which decides what squashes stand for."""
    loader = TolerantLoader(connection, load=False)
    try:
        loader.build_graph()
    except Exception as error:  # NodeNotFoundError, CircularDependencyError, ValueError: checks tell them apart
        return Files(loader, error)
    return Files(loader, None)


def is_own(config: AppConfig) -> bool:
    return not NOT_THE_READERS & set(Path(config.path).parts) and not config.name.startswith("migration_runbooks")


def files_without_init(config: AppConfig) -> list[Path]:
    folder = folder_of(config)
    if folder is None or (folder / "__init__.py").exists():
        return []
    return [file for file in sorted(folder.glob("*.py")) if "class Migration(" in file.read_text(errors="replace")]


def folder_of(config: AppConfig) -> Path | None:
    """Return where the app's migrations lie, whether or not Django sees them."""
    module_name, explicit = MigrationLoader.migrations_module(config.label)
    if module_name is None:
        return None
    if not explicit:
        return Path(config.path) / MIGRATIONS_MODULE_NAME
    try:
        return Path(next(iter(import_module(module_name).__path__)))
    except (ImportError, AttributeError, StopIteration):
        return None

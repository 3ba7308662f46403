"""The new migration files of an app, written by Django's own `makemigrations` into a folder of their own and tried there."""

from __future__ import annotations

import ast
import importlib
import sys
import sysconfig
import tempfile
from contextlib import contextmanager
from pathlib import Path

from django.apps import apps
from django.conf import settings
from django.core.management import call_command
from django.db.migrations.loader import MigrationLoader

SCHEMA_OPERATIONS = ("django.db.migrations.operations.models", "django.db.migrations.operations.fields")


class Refused(Exception):
    """Why not to begin, one line a reason, each with what to do about it."""

    def __init__(self, lines):
        super().__init__(*lines)
        self.lines = lines


def own_files(loader, app):
    """{name: path} of the app's migration files. Raises Refused when they are not the project's own."""
    try:
        apps.get_app_config(app)
    except LookupError:
        raise Refused([f"There is no app {app!r} in INSTALLED_APPS. Set APP to the label of one of your apps."]) from None
    found = {
        name: Path(sys.modules[migration.__module__].__file__).resolve()
        for (label, name), migration in loader.disk_migrations.items() if label == app
    }
    installed = [Path(sysconfig.get_paths()[name]).resolve() for name in ("purelib", "platlib", "stdlib")]
    for path in found.values():
        foreign = any(path.is_relative_to(folder) for folder in installed) or "site-packages" in path.parts
        if foreign or not path.is_relative_to(Path.cwd().resolve()):
            raise Refused([f"{app} is not an app of this project: its migrations are in {path.parent}. Leave them to its authors."])
    if not found:
        raise Refused([f"{app} has no migrations. Run `makemigrations {app}` to give it some."])
    return found


def is_data(operation):
    """Whether `makemigrations` can't write the operation from the models. The author of an elidable one says: not needed."""
    return type(operation).__module__ not in SCHEMA_OPERATIONS and not getattr(operation, "elidable", False)


def data_migrations(loader, app):
    """Names, in order, of the app's migrations that hold more than what `makemigrations` writes."""
    nodes = sorted(key for key in loader.graph.nodes if key[0] == app)
    return [name for app, name in nodes if any(map(is_data, loader.graph.nodes[app, name].operations))]


def only_data(migration):
    return not migration.replaces and all(map(is_data, migration.operations))


@contextmanager
def empty_package(app):
    """A package that stands for the app's migrations as long as it is open."""
    before = settings.MIGRATION_MODULES
    with tempfile.TemporaryDirectory() as folder:
        package = Path(folder) / f"new_{Path(folder).name}"
        package.mkdir()
        (package / "__init__.py").touch()
        sys.path.insert(0, folder)
        settings.MIGRATION_MODULES = {**before, app: package.name}
        try:
            yield package
        finally:
            settings.MIGRATION_MODULES = before
            sys.path.remove(folder)


def free_name(name, taken):
    """`name`, with a number if a file or a row of that name exists: an old row must not pass for the new migration."""
    number, candidate = 1, name
    while any(each.endswith(f"_{candidate}") for each in taken):
        number += 1
        candidate = f"{name}_{number}"
    return candidate


def initial_files(connection, app, taken):
    """{name: text} of the migrations that `makemigrations` writes for an app without any."""
    with empty_package(app) as package:
        call_command("makemigrations", app, name=free_name("reset", taken), include_header=False, interactive=False, verbosity=0)
        return {path.stem: path.read_text() for path in sorted(package.glob("0*.py"))}


def carried_over(connection, app, initial, texts):
    """The initial files, and behind them those of `texts`. Raises what Django says when they don't fit together."""
    new = dict(initial)
    for old_name, text in texts.items():
        parent = next(reversed(new))
        title = free_name(old_name.split("_", 1)[-1], new)
        new[f"{len(new) + 1:04}_{title}"] = after(text, app, parent)
    with empty_package(app) as package:
        for name, text in new.items():
            (package / f"{name}.py").write_text(text)
        importlib.invalidate_caches()
        MigrationLoader(connection)
    return new


def after(text, app, parent):
    """The text of a migration with the new parent in place of its dependencies on the app's old migrations."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "dependencies":
            others = [ast.get_source_segment(text, each) for each in node.value.elts if not is_of(each, app)]
            lines = "".join(f"        {each},\n" for each in [f'("{app}", "{parent}")', *others])
            return text.replace(ast.get_source_segment(text, node), f"dependencies = [\n{lines}    ]", 1)
    raise Refused([f"A migration to carry over has no list of dependencies: {text[:60]!r}"])


def is_of(dependency, app):
    return isinstance(dependency, ast.Tuple) and isinstance(dependency.elts[0], ast.Constant) and dependency.elts[0].value == app

"""A folder in which files are tried: Django reads the migrations of some apps there instead of in the project."""

from __future__ import annotations

import importlib
import secrets
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

from django.conf import settings
from django.db.migrations.loader import MigrationLoader
from django.test.utils import override_settings

Texts = dict[str, dict[str, str]]
"""What an app's migration files say, by app and by name without `.py`."""


@contextmanager
def staged(folders: dict[str, Path], texts: Texts) -> Iterator[dict[str, Path]]:
    """Let the apps have these migrations and no others until the end; yield where they lie.

    Whatever else is in an app's own folder of migrations, such as helpers that they import, is there too.
    """
    token = secrets.token_hex(4)
    with tempfile.TemporaryDirectory(prefix="reset-migrations-") as root:
        packages = {app: f"staged_{token}_{app}" for app in texts}
        places = {app: Path(root) / package for app, package in packages.items()}
        for app, place in places.items():
            copy_others(folders[app], place)
            for name, text in texts[app].items():
                (place / f"{name}.py").write_bytes(text.encode(errors="surrogateescape"))
        sys.path.insert(0, root)
        importlib.invalidate_caches()
        try:
            with gone(replaced(folders, texts)), override_settings(MIGRATION_MODULES={**settings.MIGRATION_MODULES, **packages}):
                yield places
        finally:
            sys.path.remove(root)
            for name in [name for name in sys.modules if name.startswith(f"staged_{token}_")]:
                del sys.modules[name]


def copy_others(source: Path, target: Path) -> None:
    """Copy all but what Django takes for a migration."""
    target.mkdir()
    for each in source.iterdir():
        if each.is_dir() and each.name != "__pycache__":
            shutil.copytree(each, target / each.name)
        elif each.is_file() and (each.suffix != ".py" or each.name[0] in "_~"):
            shutil.copyfile(each, target / each.name)
    (target / "__init__.py").touch()


def replaced(folders: dict[str, Path], texts: Texts) -> list[str]:
    """Return the modules of the files that the apps have now and would have no more."""
    packages = {app: MigrationLoader.migrations_module(app)[0] for app in texts}
    return [f"{packages[app]}.{file.stem}" for app in texts for file in folders[app].glob("[!_~]*.py") if file.stem not in texts[app]]


@contextmanager
def gone(modules: list[str]) -> Iterator[None]:
    """Let no code import these modules, as it can't once their files are removed."""
    loaded = {name: sys.modules[name] for name in modules if name in sys.modules}
    sys.modules.update(dict.fromkeys(modules))
    for name in loaded:
        delattr(*place_of(name))  # else `from package import module` still finds it
    try:
        yield
    finally:
        for name in modules:
            del sys.modules[name]
        sys.modules.update(loaded)
        for name, module in loaded.items():
            setattr(*place_of(name), module)


def place_of(module: str) -> tuple[ModuleType, str]:
    """Return the package that holds a loaded module, and the attribute under which it does."""
    package, _, name = module.rpartition(".")
    return sys.modules[package], name

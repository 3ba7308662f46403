"""The second project: a lending library, run by plain `python manage.py` where nothing of this project is installed."""

from __future__ import annotations

import shutil
import sys
import venv
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from migration_runbooks.paths import CHECKOUT
from migration_runbooks.worlds import run
from migration_runbooks.worlds.engines.place import Address
from migration_runbooks.worlds.project import PYTHON, Project
from migration_runbooks.worlds.sandbox import Sandbox
from migration_runbooks.worlds.world import link_or_copy, open_sandbox

LIBRARY = CHECKOUT / "tests" / "library"
FOLDER = "my library"
"""Its sandboxes lie in a folder with a space, as people's folders do."""

NEEDS = ("asgiref", "Django", "psycopg", "psycopg-binary", "PyMySQL", "sqlparse", "typing-extensions")


def open_library(database: str, directory: Path, world: str = "healthy", environment: Path | None = None) -> Sandbox:
    """Open a sandbox of the lending library in a folder with a space inside `directory`. Needs a checkout.

    It runs in an environment of its own, or in the one given.
    """
    project = Project(LIBRARY, PYTHON, environment or own_environment(), variables, with_uv=False)
    return open_sandbox(world, database, directory / FOLDER, project)


def variables(address: Address) -> dict[str, str]:
    """Spell an address as the library's settings read it."""
    parts = {"ENGINE": address.engine, "NAME": address.name, "HOST": address.host, "USER": address.user}
    return {f"LIBRARY_DB_{name}": value for name, value in parts.items() if value}


def own_environment() -> Path:
    """Return the library's own virtual environment, made once a run.

    It holds the very packages of the environment that runs the tests, so that both have the same versions and neither
    network nor cache is needed.
    """
    folder = run.data_folder(run.current()) / "environment"
    with run.lock("environment"):
        if not (folder / "ready").exists():
            venv.create(folder, clear=True, symlinks=True)
            copy_packages(folder, *NEEDS)
            (folder / "ready").touch()
    return folder


def copy_packages(environment: Path, *names: str) -> None:
    """Put packages of the environment that runs the tests, the very same versions, into another of the same Python."""
    site_packages = environment / "lib" / f"python{sys.version_info.major}.{sys.version_info.minor}" / "site-packages"
    for name in names:
        copy_package(name, site_packages)


def copy_package(name: str, site_packages: Path) -> None:
    try:
        package = distribution(name)
    except PackageNotFoundError:
        return  # typing-extensions: newer Pythons don't need it
    for top in {file.parts[0] for file in package.files if file.parts[0] not in ("..", "__pycache__")}:
        source = Path(str(package.locate_file(top)))
        if source.is_dir():
            shutil.copytree(source, site_packages / top, copy_function=link_or_copy, dirs_exist_ok=True)
        else:
            link_or_copy(source, site_packages / top)

"""Virtual environments beside the one that runs the tests: another Django, or a published project.

Each has a `tests/environments/<name>.lock` (see scripts/lock), is made the first time that a test needs it, and is kept in
the checkout until its lock changes.
"""

from __future__ import annotations

import os
import subprocess
from functools import cache
from pathlib import Path

from filelock import FileLock

from migration_runbooks.paths import CHECKOUT, PACKAGE
from migration_runbooks.worlds import run
from migration_runbooks.worlds.project import find_uv
from migration_runbooks.worlds.pythons import find_python

LOCKS = CHECKOUT / "tests" / "environments"
ENVIRONMENTS = CHECKOUT / ".environments"
OLDEST = (3, 12)
"""What Django 6 needs; scripts/lock resolves for it."""


class EnvironmentMissing(Exception):
    """An environment can't be had here; the message says why, for people."""


@cache
def locked_environment(name: str) -> Path:
    """Return the virtual environment of that lock, with this package installed too, after making it if need be.

    All processes of all runs in this checkout share it. Raises EnvironmentMissing where no Python fits or the installation
    fails; the failure is remembered for the run.
    """
    python = find_python(OLDEST)
    if not python:
        raise EnvironmentMissing(f"{name} needs Python {OLDEST[0]}.{OLDEST[1]} or newer, and none was found on PATH nor among pyenv's versions")
    folder = ENVIRONMENTS / name
    lock = LOCKS / f"{name}.lock"
    wanted = f"{python}\n{folder}\n{lock.read_text()}"
    failure = run.current() / f"environment-{name}.failed"
    ENVIRONMENTS.mkdir(exist_ok=True)
    with FileLock(ENVIRONMENTS / f"{name}.being-made"):
        if failure.exists():
            raise EnvironmentMissing(failure.read_text())
        if not is_made(folder, wanted):
            try:
                make(folder, python, lock)
            except EnvironmentMissing as error:
                failure.write_text(str(error))
                raise
            (folder / "made").write_text(wanted)
        compile_package(folder)  # commands in sandboxes write no bytecode
    return folder


def is_made(folder: Path, wanted: str) -> bool:
    made = folder / "made"
    return made.is_file() and made.read_text() == wanted and (folder / "bin" / "python").exists()


def make(folder: Path, python: Path, lock: Path) -> None:
    uv("venv", "--clear", "--python", python, folder)
    uv("pip", "sync", "--python", folder, "--require-hashes", "--compile-bytecode", lock)
    uv("pip", "install", "--python", folder, "--no-deps", "--no-build-isolation", "--editable", CHECKOUT)


def compile_package(folder: Path) -> None:
    subprocess.run([folder / "bin" / "python", "-m", "compileall", "-q", "-q", PACKAGE], check=False)


def uv(*arguments: str | Path) -> None:
    command = find_uv()
    if not command:
        raise EnvironmentMissing("there is no uv here: run the tests by scripts/test, which installs it")
    variables = {name: value for name, value in os.environ.items() if name not in ("VIRTUAL_ENV", "PYTHONPATH")}
    done = subprocess.run([command, *arguments, "--quiet"], cwd=CHECKOUT, env=variables, capture_output=True, text=True)
    if done.returncode:
        raise EnvironmentMissing(f"`uv {' '.join(map(str, arguments))}` failed: {done.stderr.strip()}")

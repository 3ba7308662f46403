"""The wheel, in a fresh environment beside a project that is not ours."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from migration_runbooks.paths import CHECKOUT
from migration_runbooks.worlds.library import LIBRARY, copy_packages
from migration_runbooks.worlds.project import find_uv


def uv(*arguments: str | Path) -> None:
    # The network is not asked: dependencies are copied from the environment of the tests.
    environment = {name: value for name, value in os.environ.items() if name not in ("VIRTUAL_ENV", "PYTHONPATH")}
    done = subprocess.run([find_uv(), *arguments, "--quiet", "--offline"], cwd=CHECKOUT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.fixture
def python(tmp_path) -> Path:
    """The Python of an environment that holds the wheel, Django and the driver that the project's settings import."""
    uv("build", "--wheel", "--no-build-isolation", "--python", sys.executable, "--out-dir", tmp_path)
    uv("venv", "--python", sys.executable, tmp_path / "environment")
    place = tmp_path / "environment"
    uv("pip", "install", "--python", place, "--no-deps", next(tmp_path.glob("*.whl")))
    copy_packages(place, "click", "asgiref", "Django", "sqlparse", "PyMySQL")
    return place / "bin" / "python"


def test_the_command_of_the_wheel_checks_another_project(python, tmp_path):
    project = tmp_path / "my library"
    shutil.copytree(LIBRARY, project, ignore=shutil.ignore_patterns("__pycache__", "*.sqlite3"))
    with (project / "lending" / "settings.py").open("a") as settings:
        settings.write('\nINSTALLED_APPS += ["migration_runbooks"]\n')

    def manage(*arguments: str) -> subprocess.CompletedProcess:
        variables = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path)}
        return subprocess.run([python, "manage.py", *arguments], cwd=project, env=variables, capture_output=True, text=True)

    assert manage("migrate", "-v0").returncode == 0
    assert_reset_works(project, manage)
    clean = manage("check_migration_integrity")
    assert (clean.returncode, clean.stdout.strip()) == (0, "Files, history, schema and rows agree."), clean.stderr
    with closing(sqlite3.connect(project / "db.sqlite3")) as connection:
        connection.execute("ALTER TABLE catalog_book DROP COLUMN pages")
    broken = manage("check_migration_integrity", "--format=json")
    (finding,) = json.loads(broken.stdout)["findings"]
    assert (broken.returncode, finding["id"], finding["object"]) == (1, "missing-column", "catalog_book.pages")
    assert finding["runbook"] == "undo-wrong-fake"


def assert_reset_works(project: Path, manage) -> None:
    folder = project / "catalog" / "migrations"
    old = {file.name: file.read_text() for file in folder.glob("0*.py")}
    reset = manage("reset_migrations", "catalog", "--apply")
    assert reset.returncode == 0, reset.stderr
    assert [file.name for file in folder.glob("0*.py")] == ["0001_reset.py"]
    assert manage("migrate", "--check").returncode == 0
    undone = manage("reset_migrations", "--undo")
    assert undone.returncode == 0, undone.stderr
    assert {file.name: file.read_text() for file in folder.glob("0*.py")} == old

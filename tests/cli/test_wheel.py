"""The wheel, installed in an environment of its own, brings the runbooks and the sample project."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from migration_runbooks.catalogue.runbooks import all_runbooks
from migration_runbooks.paths import CHECKOUT
from migration_runbooks.worlds.library import copy_packages
from migration_runbooks.worlds.project import find_uv

ERROR = "django.db.migrations.exceptions.CircularDependencyError: fees.0001_initial, admissions.0001_initial\n"


def uv(*arguments: str | Path) -> None:
    # The network is not asked: dependencies are copied from the environment of the tests.
    environment = {name: value for name, value in os.environ.items() if name not in ("VIRTUAL_ENV", "PYTHONPATH")}
    command = [find_uv(), *arguments, "--quiet", "--offline"]
    done = subprocess.run(command, cwd=CHECKOUT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    uv("build", "--wheel", "--no-build-isolation", "--python", sys.executable, "--out-dir", folder)
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="module")
def environment(wheel) -> Path:
    """An environment that holds the wheel and what it depends on, nothing else."""
    place = wheel.parent / "environment"
    uv("venv", "--python", sys.executable, place)
    uv("pip", "install", "--python", place, "--no-deps", wheel)
    copy_packages(place, "click")
    return place


def runbook(environment: Path, folder: Path, *arguments: str, input: str = "") -> subprocess.CompletedProcess:
    variables = {"PATH": f"{environment / 'bin'}:{find_uv().parent}:/usr/bin:/bin", "HOME": str(folder)}
    command = [environment / "bin" / "runbook", *arguments]
    return subprocess.run(command, cwd=folder, env=variables, input=input, capture_output=True, text=True)


def test_wheel_holds_sources_only(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    unwanted = ("__pycache__", ".pyc", "sqlite3", ".runbook/", "runbooks/migration_runbooks")
    assert [name for name in names if any(part in name for part in unwanted)] == []
    assert len(names) == len(set(names))
    for each in all_runbooks():
        for file in each.folder.iterdir():
            assert file.is_dir() or f"migration_runbooks/runbooks/{each.slug}/{file.name}" in names


def test_files_that_two_runbooks_share_are_files_in_the_wheel(wheel):
    """In the checkout one of the two is a link to the other, and not every system can unpack a link."""
    shared = [file for each in all_runbooks() for file in each.folder.iterdir() if file.is_symlink()]
    assert shared
    with zipfile.ZipFile(wheel) as opened:
        assert not [each.filename for each in opened.infolist() if stat.S_ISLNK(each.external_attr >> 16)]
        for file in shared:
            assert opened.read(f"migration_runbooks/runbooks/{file.parent.name}/{file.name}") == file.read_bytes()


def test_commands_that_need_no_django(environment, tmp_path):
    listed = runbook(environment, tmp_path, "list")
    assert [line.split()[0] for line in listed.stdout.splitlines()] == [each.slug for each in all_runbooks()]
    shown = runbook(environment, tmp_path, "show", "back-up-database")
    assert "=== fix.postgresql.sh [Changes files] ===" in shown.stdout
    explained = runbook(environment, tmp_path, "explain", "-", input=ERROR)
    assert (explained.returncode, explained.stdout.split()[0]) == (0, "circular-dependency"), explained.stderr
    new = runbook(environment, tmp_path, "new", "adopt-existing-table")
    assert (new.returncode, list(tmp_path.iterdir())) == (2, [])
    assert "Clone the guide" in new.stderr


def test_practice(environment, tmp_path):
    slug = "repair-migration-history"
    refused = runbook(environment, tmp_path, "practice", slug)
    assert refused.returncode == 2
    assert "needs django dj-database-url" in refused.stderr and "uv pip install --python" in refused.stderr
    assert list(tmp_path.iterdir()) == []

    copy_packages(environment, "asgiref", "Django", "dj-database-url", "sqlparse")
    made = runbook(environment, tmp_path, "practice", slug)
    assert made.returncode == 0, made.stderr
    assert "uv run manage.py migrate" in made.stdout
    check = ("practice", "--check", f"practice-{slug}")
    assert runbook(environment, tmp_path, *check).returncode == 1
    run = ("run", slug, "--project", f"practice-{slug}", "--apply", "--yes")
    done = runbook(environment, tmp_path, *run)
    assert done.returncode == 0, done.stdout + done.stderr
    solved = runbook(environment, tmp_path, *check)
    assert (solved.returncode, solved.stdout.splitlines()[-1]) == (0, "Solved.")

"""A broken copy of the sample project, to practise a runbook on."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path

from migration_runbooks import paths
from migration_runbooks.catalogue.runbooks import Runbook, find
from migration_runbooks.runner.diagnosis import diagnose
from migration_runbooks.runner.project import UV_RUN, Database, Project
from migration_runbooks.runner.scripts import Scripts

NEEDED = {"django": "django", "dj_database_url": "dj-database-url"}
NOT_COPIED = shutil.ignore_patterns("__pycache__", "*.sqlite3*", ".runbook", ".venv", ".git")
MARK = "practice.json"
# uv then takes the environment beside the file as it is: no lock file, no sync, no network.
UNMANAGED = """\
[project]
name = "practice"
version = "0"
requires-python = ">=3.11"

[tool.uv]
managed = false
"""


class PracticeError(Exception):
    """A practice project can't be made or checked; the message says why, and the next command."""


def make_practice(slug: str, directory: Path) -> str:
    """Make a healthy project in a new folder, break it, and return what to do in it.

    Raises PracticeError when the folder is there already, when packages are missing, or when a step fails, and
    NoSuchRunbook.
    """
    runbook = find(slug)
    _check_possible(runbook, directory)
    directory.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".practice-", dir=directory.parent) as half_made:
        made = Path(half_made) / "project"
        shutil.copytree(paths.ACHARYA, made, ignore=NOT_COPIED)
        _break(runbook, made)
        fails = _migrate_fails(made)
        made.rename(directory)
    return _what_to_do(runbook, directory, fails)


def check_practice(directory: Path) -> tuple[bool, str]:
    """Run the verify script in a practice project; return whether it is solved, and what the script said.

    Raises PracticeError when the folder is not a practice project.
    """
    mark = directory / ".runbook" / MARK
    if not mark.is_file():
        raise PracticeError(f"{directory} is not a practice project. To make one: runbook practice SLUG {directory}")
    _check_packages()
    drill = json.loads(mark.read_text())
    said: list[str] = []
    scripts = _scripts(directory.resolve(), said)
    done = scripts.run(find(drill["runbook"]), "verify", drill["inputs"])
    return done.status == 0, "\n".join(said)


def _check_possible(runbook: Runbook, directory: Path) -> None:
    _check_packages()
    if directory.exists():
        raise PracticeError(f"{directory} exists already; it was left as it is. Name another folder.")
    if runbook.script("reproduce", "sqlite") is None or "sqlite" not in runbook.databases:
        raise PracticeError(f"{runbook.slug} can't be practised on SQLite.")


def _check_packages() -> None:
    missing = [package for module, package in NEEDED.items() if not find_spec(module)]
    if missing:
        names = " ".join(missing)
        raise PracticeError(
            f"The sample project needs {names} in the environment of this command ({sys.prefix}). Nothing was made.\n"
            f"Install with: uv pip install --python {shlex.quote(sys.executable)} {names}"
        )


def _break(runbook: Runbook, made: Path) -> None:
    """Migrate and seed the project, break it, and note which values the runbook's scripts need there."""
    if not (made / "pyproject.toml").exists():
        (made / "pyproject.toml").write_text(UNMANAGED)
    said: list[str] = []
    scripts = _scripts(made, said)
    for command in (f"{UV_RUN} migrate --verbosity 0", (made / "seed.sh").read_text()):
        _demand(scripts, said, ["bash", "-c", command.replace(UV_RUN, scripts.project.manage)])
    if scripts.run(runbook, "reproduce", {}).status:
        raise PracticeError("The sample project can't be broken:\n" + "\n".join(said))
    # For the reader's `uv run`. Not before reproduce has run: what that breaks must never be this environment.
    if sys.prefix != sys.base_prefix and not (made / ".venv").exists():
        (made / ".venv").symlink_to(sys.prefix)
    diagnosis = diagnose(scripts, runbook, {})
    if runbook.errors and diagnosis.status != 1:
        raise PracticeError("The sample project is not broken in the way that the runbook repairs:\n" + "\n".join(said))
    values = {name: each.value for name, each in diagnosis.inputs.items()}
    (made / ".runbook" / MARK).write_text(json.dumps({"runbook": runbook.slug, "inputs": values}))


def _scripts(directory: Path, said: list[str]) -> Scripts:
    """Scripts bound to the practice project, its own SQLite file and this command's Python."""
    foreign = ("DATABASE_URL", "DJANGO_SETTINGS_MODULE", "PYTHONPATH")
    environment = {name: value for name, value in os.environ.items() if name not in foreign}
    project = Project(directory, f"{shlex.quote(sys.executable)} manage.py")
    project.prepare()
    return Scripts(project, Database("default", "sqlite", {}, {}), environment, said.append, [])


def _demand(scripts: Scripts, said: list[str], command: list[str]) -> None:
    done = subprocess.run(
        command, cwd=scripts.project.directory, env=scripts.environment, capture_output=True, text=True
    )
    if done.returncode:
        raise PracticeError(f"The sample project can't be made; this failed: {command[-1]}\n{done.stderr.strip()}")


def _migrate_fails(made: Path) -> bool:
    """Whether `migrate` fails in the broken project, tried on a copy."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "project"
        shutil.copytree(made, copy, symlinks=True)
        scripts = _scripts(copy, [])
        command = ["bash", "-c", f"{scripts.project.manage} migrate"]
        return subprocess.run(command, cwd=copy, env=scripts.environment, capture_output=True).returncode != 0


def _what_to_do(runbook: Runbook, directory: Path, fails: bool) -> str:
    name = shlex.quote(str(directory))
    lines = [f"A broken project is in {directory}.", "", f"  cd {name}"]
    lines += [f"  {UV_RUN} migrate{' ' * 12}# see it fail"] if fails else []
    errors = [f"errors/{slug}" for slug in runbook.errors]
    lines += ["", f"Repair it by the pages {', '.join([*errors, f'runbooks/{runbook.slug}'])} of the guide, or by:"]
    lines += ["", f"  runbook run {runbook.slug}", "", "Then, in the same folder:", "", "  runbook practice --check ."]
    return "\n".join(lines)

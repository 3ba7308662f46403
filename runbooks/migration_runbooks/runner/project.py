"""The project that a runbook is run in: its folder, its spelling of `manage.py`, its database."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from migration_runbooks.runner.problems import Stop
from migration_runbooks.runner.secrets import hide

UV_RUN = "uv run manage.py"
"""The one spelling of Django's command in scripts, which `--manage` replaces."""

FACTS = Path(__file__).with_name("facts.py")
SHELL_SYNTAX = re.compile(r"[;&|<>()`$\n\r]")


@dataclass(frozen=True)
class Project:
    directory: Path
    manage: str = UV_RUN

    @property
    def private(self) -> Path:
        """The folder in the project that the runner writes to; git ignores it."""
        return self.directory / ".runbook"

    def command(self, verb: str, run: str) -> str:
        """Return a command about a run as it is typed here: `runbook undo RUN`."""
        elsewhere = f" --project {shlex.quote(str(self.directory))}" if self.directory != Path.cwd() else ""
        return f"runbook {verb} {run}{elsewhere}"

    def prepare(self) -> None:
        self.private.mkdir(exist_ok=True)
        (self.private / ".gitignore").write_text("*\n")


@dataclass(frozen=True)
class Database:
    alias: str
    vendor: str
    """sqlite, postgresql or mariadb, or what Django calls another one; "" when Django was not asked."""
    settings: dict[str, str] = field(repr=False)
    options: dict = field(repr=False)
    apps: dict[str, str] = field(default_factory=dict, repr=False)
    """The folder of every installed app, by label."""


def find_project(directory: Path, manage: str) -> Project:
    """Return the project in a folder. Raises Stop when it has no manage.py, or when the command can't be run."""
    directory = directory.resolve()
    if not (directory / "manage.py").is_file():
        raise Stop(f"There is no manage.py in {directory}. Name the project's folder with --project DIR.")
    try:
        words = shlex.split(manage)
    except ValueError as error:
        raise Stop(f"--manage {manage!r} can't be read: {error}.") from error
    if not words or SHELL_SYNTAX.search(manage):
        raise Stop(f"--manage must be one command without shell syntax, such as 'python manage.py', not {manage!r}.")
    program = next((word for word in words if "=" not in word), words[0])
    if not shutil.which(str(directory / program) if "/" in program else program):
        raise Stop(
            f"There is no program {program!r} on PATH. Say how this project runs Django, for example\n"
            "  --manage 'python manage.py'"
        )
    return Project(directory, manage)


def ask_django(project: Project, alias: str) -> Database:
    """Start `manage.py shell` once and return what it says of the database. Raises Stop when it can't be asked."""
    with FACTS.open() as program:  # not a pipe: the shell reads its input only if there is some at once
        done = subprocess.run(
            ["bash", "-c", f"{project.manage} shell -v 0"],
            cwd=project.directory,
            env={**os.environ, "RUNBOOK_DATABASE": alias},
            stdin=program,
            capture_output=True,
            text=True,
            errors="replace",
        )
    line = next((line for line in done.stdout.splitlines() if line.startswith("runbook-facts ")), None)
    if done.returncode or not line:
        last = hide("\n".join(done.stderr.strip().splitlines()[-3:]), [])
        raise Stop(
            f"`{project.manage} shell` does not work in {project.directory}; nothing was changed. It says:\n{last}"
        )
    facts = json.loads(line.removeprefix("runbook-facts "))
    if "vendor" not in facts:
        raise Stop(f"There is no database {alias!r} in this project. --database takes: {', '.join(facts['aliases'])}.")
    return Database(alias, facts["vendor"], facts["settings"], facts["options"], facts["apps"])

"""The backup of `runbook run`, taken from inside manage.py: restored elsewhere and compared before it counts."""

from __future__ import annotations

import io
import os
import runpy
import shlex
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path

from django.db import connections

from migration_runbooks.runner.connection import secrets, tools_environment
from migration_runbooks.runner.project import FACTS, Database, Project
from migration_runbooks.runner.scripts import Scripts


def project_here() -> Project:
    """Return the project in the working directory, and how this very process runs its commands."""
    python = shlex.quote(sys.executable)
    by_file = Path(sys.argv[0]).name == "manage.py"
    return Project(Path.cwd(), f"{python} manage.py" if by_file else f"{python} -m django")


def database_of(alias: str) -> Database:
    os.environ["RUNBOOK_DATABASE"] = alias
    with redirect_stdout(io.StringIO()):  # it prints the password, for the runner's pipe
        facts = runpy.run_path(str(FACTS))["facts"]
    return Database(alias, facts["vendor"], facts["settings"], facts["options"], facts["apps"])


@contextmanager
def scripts(alias: str, say: Callable[[str], None], lock: int) -> Iterator[Scripts]:
    """Yield what runs the backup's scripts against the database of an alias."""
    project, database = project_here(), database_of(alias)
    connections[alias].close()
    with tools_environment(database, project.private) as environment:
        yield Scripts(project, database, environment, say, secrets(database), lock)

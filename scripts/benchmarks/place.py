"""A generated project on a database of its own, and its manage.py."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from migration_runbooks.worlds import scratch
from migration_runbooks.worlds.engines import ENGINES
from migration_runbooks.worlds.engines.place import Place
from migration_runbooks.worlds.project import database_url


@dataclass(frozen=True)
class Bench:
    database: str
    place: Place

    @property
    def environment(self) -> dict[str, str]:
        address = ENGINES[self.database].address(self.place)
        own = {"PYTHONPATH": str(self.place.project), "DJANGO_SETTINGS_MODULE": "settings", **database_url(address)}
        return {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"} | own

    def python(self, *arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess:
        """Run Python with the project's settings. Raises RuntimeError with what it printed when it fails."""
        command = [sys.executable, *arguments]
        done = subprocess.run(command, cwd=cwd or self.place.project, env=self.environment, capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(f"{' '.join(arguments)} ended with status {done.returncode}:\n{done.stdout}{done.stderr}")
        return done

    def manage(self, *arguments: str) -> subprocess.CompletedProcess:
        return self.python("manage.py", *arguments)

    def execute(self, *statements: str) -> None:
        connection = ENGINES[self.database].connect(self.place)
        for statement in statements:
            connection.cursor().execute(statement)
        connection.close()


@contextmanager
def bench(database: str, project: Path) -> Iterator[Bench]:
    """Open a new, empty database for the project, and drop it at the end."""
    place = Place(scratch("bench"), project, f"bench_{project.name}")
    ENGINES[database].create(place)
    try:
        yield Bench(database, place)
    finally:
        ENGINES[database].drop(place)

"""A private copy of a world on one database, in which one page, script, drill or test runs."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from migration_runbooks.worlds import environment
from migration_runbooks.worlds.engines import ENGINES
from migration_runbooks.worlds.engines.place import Place
from migration_runbooks.worlds.project import UV_RUN, Project
from migration_runbooks.worlds.snapshots import Snapshot, take_snapshot

NOT_ITS_OWN = ("__pycache__", ".runbook", ".git", ".venv")


@dataclass(frozen=True)
class Completed:
    """What a command in a sandbox did: its exit status and what it printed."""

    status: int
    stdout: str
    stderr: str

    @property
    def output(self) -> str:
        return self.stdout + self.stderr


@dataclass
class Sandbox:
    """A project's folder with a database, both private, and the closed environment in which commands run there."""

    database: str
    place: Place
    kind: Project

    @property
    def project(self) -> Path:
        """The folder with manage.py, where commands run."""
        return self.place.project

    @cached_property
    def environment(self) -> dict[str, str]:
        """All variables that commands in this sandbox see."""
        return environment.closed(self.kind, self.place, ENGINES[self.database])

    def run(self, *argv: str | Path, input: str | None = None, timeout: float = 120, **variables: str) -> Completed:
        """Run a command in the project's folder, and return what it did. Its input, if any, is a file.

        Raises TimeoutError after `timeout` seconds, once the command and all that it started have been killed.
        """
        # A file, because Django's shell reads its input only if there is some at once: a pipe may still be empty.
        with tempfile.TemporaryFile() as stdin:
            stdin.write((input or "").encode())
            stdin.seek(0)
            process = subprocess.Popen(
                [str(argument) for argument in argv],
                cwd=self.project,
                env=self.environment | variables,
                stdin=stdin,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                encoding="utf-8",
                errors="backslashreplace",
                start_new_session=True,
            )
        with process:
            try:
                stdout, stderr = process.communicate(timeout=timeout)
            except BaseException as error:
                os.killpg(process.pid, signal.SIGKILL)
                if not isinstance(error, subprocess.TimeoutExpired):
                    raise
                said = "".join(process.communicate())
                raise TimeoutError(f"{' '.join(map(str, argv))} took longer than {timeout:g} s; it printed:\n{said}") from None
        return Completed(process.returncode, stdout, stderr)

    def bash(self, script: Path, timeout: float = 120, **inputs: str) -> Completed:
        """Run a whole script of a runbook, with its inputs as variables and its .py files where it looks for them."""
        self.copy_python(script.parent)
        return self.run("bash", self.spelled(script), timeout=timeout, **inputs)

    def copy_python(self, runbook: Path) -> None:
        """Put the .py files of a runbook's folder where its scripts look for them."""
        folder = self.project / ".runbook" / runbook.name
        folder.mkdir(parents=True, exist_ok=True)
        for module in runbook.glob("*.py"):
            shutil.copyfile(module, folder / module.name)

    def spelled(self, script: Path) -> Path:
        """Return the script, or a copy of it in which manage.py is run the way this project runs it."""
        if self.kind.manage == UV_RUN:
            return script
        copy = self.place.home / "scripts" / script.parent.name / script.name
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_text(script.read_text().replace(" ".join(UV_RUN), " ".join(self.kind.manage)))
        return copy

    def manage(self, *arguments: str, input: str | None = None, timeout: float = 120) -> Completed:
        """Run a command of manage.py the way this project runs it."""
        return self.run(*self.kind.manage, *arguments, input=input, timeout=timeout)

    def connect(self) -> Any:
        """Return a connection to the database, not Django's: sqlite3, psycopg or pymysql, in autocommit mode."""
        return ENGINES[self.database].connect(self.place)

    def execute(self, statement: str) -> list[tuple]:
        """Run one SQL statement and return its rows, none if it has no result."""
        with closing(self.connect()) as connection, closing(connection.cursor()) as cursor:
            cursor.execute(statement)
            return [tuple(row) for row in cursor.fetchall()] if cursor.description else []

    def snapshot(self, ignore: Iterable[str] = ()) -> Snapshot:
        """Return the whole database, schema and rows, but for the tables to ignore."""
        with closing(self.connect()) as connection:
            return take_snapshot(self.database, connection, frozenset(ignore))

    def files(self) -> dict[str, str]:
        """Return the text of the project's own files by their path in it: no bytecode, package, database, journal or binary."""
        found, start = {}, len(f"{self.project}{os.sep}")
        for file in sorted(own_files(self.project)):
            try:
                with open(file, encoding="utf-8") as text:
                    found[file[start:]] = text.read()
            except UnicodeDecodeError:
                pass  # a binary file
        return found

    def close(self) -> None:
        """Drop the database, and those made beside it. The folder stays: it belongs to who opened the sandbox."""
        ENGINES[self.database].drop(self.place)

    def __enter__(self) -> Sandbox:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def own_files(project: Path) -> Iterator[str]:
    """Yield the paths of the project's own files. What lies in folders that are not its own is not even listed."""
    for folder, subfolders, names in os.walk(project):
        subfolders[:] = [each for each in subfolders if each not in NOT_ITS_OWN]
        paths = (os.path.join(folder, name) for name in names if name not in NOT_ITS_OWN and ".sqlite3" not in name)
        yield from (path for path in paths if os.path.isfile(path))

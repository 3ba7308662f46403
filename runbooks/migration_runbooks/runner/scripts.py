"""Run a runbook's scripts in the project, with the project's spelling of `manage.py`."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from migration_runbooks.catalogue.runbooks import Runbook
from migration_runbooks.runner.problems import Stop
from migration_runbooks.runner.project import UV_RUN, Database, Project
from migration_runbooks.runner.secrets import hide

TAKES_DATABASE = re.compile(
    r"manage\.py (migrate|dbshell|showmigrations|sqlmigrate|loaddata|dumpdata|flush|inspectdb)\b(?!.*--database)"
)
DEFAULT_CONNECTION = re.compile(r"from django\.db import [^)\n]*\bconnection\b")


@dataclass(frozen=True)
class Done:
    status: int
    stdout: str
    stderr: str
    """Both as the script wrote them; they may hold secrets."""


@dataclass
class Scripts:
    """The scripts of runbooks, bound to a project, a database and an environment."""

    project: Project
    database: Database
    environment: dict[str, str]
    say: Callable[[str], None]
    """Takes each line of a script's output, without secrets."""
    secrets: list[str]
    lock: int | None = None
    """The lock's file descriptor, which scripts inherit."""

    def run(self, runbook: Runbook, step: str, inputs: dict[str, str], log: Path | None = None) -> Done:
        """Run one script whole. Its output goes, without secrets, to `say` and to the log.

        Raises Stop when the runbook has no such script for the database.
        """
        file = self.adapted(runbook, step)
        declared = {each.name for each in runbook.inputs}
        environment = {name: value for name, value in self.environment.items() if name not in declared} | inputs
        process = subprocess.Popen(
            ["bash", str(file.relative_to(self.project.directory))],
            cwd=self.project.directory,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            start_new_session=True,
            pass_fds=() if self.lock is None else (self.lock,),
        )
        with (log or Path(os.devnull)).open("a") as opened:
            stdout, stderr = self._follow(process, opened)
        return Done(process.wait(), stdout, stderr)

    def adapted(self, runbook: Runbook, step: str) -> Path:
        """Copy a script and the .py files of its runbook into the project, with its spelling of `manage.py`."""
        source = runbook.script(step, self.database.vendor)
        if source is None:
            raise Stop(f"{runbook.slug} has no {step} for {self.database.vendor}.")
        folder = self.project.private / runbook.slug
        folder.mkdir(exist_ok=True)
        for file in sorted(runbook.folder.glob("*.py")):
            _replace(folder / file.name, file.read_text())
        _replace(folder / source.name, source.read_text().replace(UV_RUN, self.project.manage))
        return folder / source.name

    def hide(self, text: str) -> str:
        return hide(text, self.secrets)

    def _follow(self, process: subprocess.Popen, log: TextIO) -> tuple[str, str]:
        """Pass on each line as it comes; return standard output and standard error as they were written."""
        stdout: list[str] = []
        stderr: list[str] = []
        writing = threading.Lock()

        def read(stream: TextIO, kept: list[str]) -> None:
            for line in stream:
                kept.append(line)
                with writing:
                    log.write(self.hide(line))
                    log.flush()
                    self.say(self.hide(line.rstrip("\n")))

        streams = (process.stdout, stdout), (process.stderr, stderr)
        readers = [threading.Thread(target=read, args=pair) for pair in streams]
        for reader in readers:
            reader.start()
        try:
            _join(readers)
        except BaseException:
            _end(process)
            _join(readers)
            raise
        return "".join(stdout), "".join(stderr)


def default_database_only(runbook: Runbook, vendor: str) -> str:
    """Return the first script that would work on the default database whatever alias is asked for, or ""."""
    for step in ("diagnose", "fix", "verify", "undo"):
        script = runbook.script(step, vendor)
        if not script:
            continue
        text = script.read_text()
        python = "".join(_used(runbook.folder, text).values())
        asks_alias = "RUNBOOK_DATABASE" in text + python
        if TAKES_DATABASE.search(text) or DEFAULT_CONNECTION.search(python) or not asks_alias:
            return script.name
    return ""


def _used(folder: Path, text: str) -> dict[str, str]:
    """Return the text of each .py file of a folder that `text` names, and of those that they import, by name."""
    files = {file.name: file.read_text() for file in folder.glob("*.py")}
    found = {name: files[name] for name in files if name in text}
    while imported := [name for name in files if name not in found and _imports(found.values(), name)]:
        found |= {name: files[name] for name in imported}
    return found


def _imports(texts: Iterable[str], name: str) -> bool:
    return any(re.search(rf"^\s*(from|import) {Path(name).stem}\b", text, re.MULTILINE) for text in texts)


def _replace(file: Path, text: str) -> None:
    if file.is_file() and file.read_text() == text:
        return
    new = file.with_name(file.name + ".new")
    new.write_text(text)
    new.replace(file)


def _join(threads: list[threading.Thread]) -> None:
    for thread in threads:
        thread.join()


def _end(process: subprocess.Popen) -> None:
    """End a script and what it started; a runner that stops must not leave one at work."""
    try:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(10)
    except (ProcessLookupError, subprocess.TimeoutExpired):
        print("A script does not end; it is still at work.", file=sys.stderr)

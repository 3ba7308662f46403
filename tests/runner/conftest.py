from __future__ import annotations

import fcntl
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pytest
from migration_runbooks.paths import RUNBOOKS
from migration_runbooks.worlds import warm

SAMPLES = Path(__file__).parent / "samples"
MANAGE = "python manage.py"
PATIENCE = 30.0
PASSWORD = "opensesame"


@dataclass
class Desk:
    """A sample project whose note is broken, and a `runbook` command that knows the sample runbooks."""

    catalogue: Path
    project: Path

    def start(self, *arguments: str, stdin: int = subprocess.DEVNULL, **variables: str) -> subprocess.Popen:
        return subprocess.Popen(
            [sys.executable, SAMPLES / "runbook_with.py", self.catalogue, *arguments],
            cwd=self.project,
            env=environment() | variables,
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def runbook(self, *arguments: str, **variables: str) -> subprocess.CompletedProcess:
        """Run a command to its end. Only manage.py starts warm in it; of what `start` begins, it does not."""
        process = self.start(*arguments, **warm_python(), **variables)
        stdout, stderr = process.communicate(timeout=120)
        return subprocess.CompletedProcess(arguments, process.returncode, stdout, stderr)

    def run(self, *arguments: str, slug: str = "mend-note", **variables: str) -> subprocess.CompletedProcess:
        return self.runbook("run", slug, "--manage", MANAGE, *arguments, **variables)

    def apply(self, *arguments: str, slug: str = "mend-note") -> subprocess.CompletedProcess:
        return self.run("--apply", "--yes", *arguments, slug=slug)

    def note(self) -> str:
        with sqlite3.connect(self.project / "notes.sqlite3") as connection:
            return connection.execute("SELECT text FROM notes_note").fetchone()[0]

    def mark(self, name: str) -> Path:
        (self.project / name).touch()
        return self.project / name

    def tree(self) -> dict[str, bytes]:
        """Every file of the project but the runner's own and bytecode."""
        files = [file for file in self.project.rglob("*") if file.is_file()]
        names = {str(file.relative_to(self.project)): file for file in files}
        return {
            name: file.read_bytes() for name, file in names.items() if not {".runbook", "__pycache__"} & {*file.parts}
        }

    def journal(self) -> list[dict]:
        latest = max(self.project.glob(".runbook/runs/*/journal.jsonl"), key=lambda file: file.stat().st_mtime_ns)
        return [json.loads(line) for line in latest.read_text().splitlines()]

    def wait_for(self, name: str) -> None:
        until = time.monotonic() + PATIENCE
        while not (self.project / name).exists():
            assert time.monotonic() < until, f"nothing reached {name}"
            time.sleep(0.02)

    def stopped_at(self, place: str, number: signal.Signals, *arguments: str) -> subprocess.Popen:
        """Start a command, signal it when a script has come to a place, and let go of that script."""
        held = self.mark(f".pause-{place}")
        process = self.start(*arguments)
        self.wait_for(f".at-{place}")
        process.send_signal(number)
        if number == signal.SIGKILL:
            process.wait(PATIENCE)
            self.while_orphan()
        held.unlink()
        process.communicate(timeout=PATIENCE)
        self.wait_until_free()
        (self.project / f".at-{place}").unlink()
        return process

    def wait_until_free(self) -> None:
        """Wait until the script that a killed run left has ended."""
        with (self.project / ".runbook" / "lock").open() as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)

    def while_orphan(self) -> None:
        """While a script of the killed run is at work, nothing else may begin."""
        refused = self.runbook("resume", "last")
        assert refused.returncode == 2
        assert "still at work" in refused.stderr


def environment() -> dict[str, str]:
    """PATH with the tests' Python first, and a shell variable that would be an input if the runner let it in."""
    path = f"{Path(sys.executable).parent}{os.pathsep}/usr/bin:/bin"
    return {
        "PATH": path,
        "HOME": os.environ.get("HOME", "/"),
        "TEXT": "from the shell",
        "LC_ALL": "C.UTF-8",
        "NOTES_PASSWORD": PASSWORD,
    }


def warm_python() -> dict[str, str]:
    folder = warm.python_folder(Path(sys.prefix))
    return {"PATH": f"{folder}{os.pathsep}{environment()['PATH']}", "VIRTUAL_ENV": sys.prefix}


@pytest.fixture(scope="session")
def made(tmp_path_factory) -> Path:
    """The sample project, migrated, and the catalogue: sample runbooks beside the real backup."""
    folder = tmp_path_factory.mktemp("made")
    shutil.copytree(SAMPLES / "project", folder / "project", ignore=shutil.ignore_patterns("__pycache__"))
    subprocess.run(
        [sys.executable, "manage.py", "migrate", "-v", "0"], cwd=folder / "project", env=environment(), check=True
    )
    for name in ("runbooks", "errors"):
        shutil.copytree(SAMPLES / name, folder / name)
    shutil.copytree(RUNBOOKS / "back-up-database", folder / "runbooks" / "back-up-database")
    return folder


@pytest.fixture
def desk(made, tmp_path) -> Desk:
    project = tmp_path / "my notes" / "project"
    shutil.copytree(made / "project", project)
    return Desk(made, project)

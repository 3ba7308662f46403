"""The conftest.py of a sample guide: a sandbox is an empty folder with a manage.py that knows one command, `shell`."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

UV = '#!/bin/sh\nshift 2\nexec python3 manage.py "$@"\n'
MANAGE = "import sys\nexec(compile(sys.stdin.read(), '<string>', 'exec'), {})\n"


@dataclass
class EmptySandbox:
    project: Path
    environment: dict[str, str]

    def execute(self, statement: str) -> list[tuple]:
        return [("18.1 of the sample",)]

    def close(self) -> None:
        pass


def pytest_open_sandbox(world, database, directory, warm):
    if world == "impossible":
        raise RuntimeError("reproduce.sh ended with status 1")
    tools = directory / "bin"
    project = directory / "project"
    tools.mkdir()
    project.mkdir()
    (tools / "uv").write_text(UV)
    (tools / "uv").chmod(0o755)
    (project / "manage.py").write_text(MANAGE)
    environment = {"PATH": f"{tools}:{os.environ['PATH']}", "HOME": str(directory), "DATABASE": database, "WARM": str(warm)}
    return EmptySandbox(project, environment)


def pytest_missing_database(database):
    return "no server is installed" if database == "mariadb" else ""

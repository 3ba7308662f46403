"""Warm starts: in tests, `uv run manage.py` is a fork of one process of this run that has loaded Django's code already.

A Django command takes a quarter of a second, and nearly all of it is spent on importing the same modules again. What
runs is the same Python, the same Django and the project's own manage.py, and nothing of a project is loaded before the
fork. Pages are never run this way: there each command is a process of its own, as it is for a reader.
"""

from __future__ import annotations

import shlex
import subprocess
import sys
from pathlib import Path

from migration_runbooks.worlds import run

HERE = Path(__file__).parent
STARTED = "warm\n"


def folder(uv: Path) -> Path:
    """Return a folder whose `uv` starts manage.py warm and leaves everything else to `uv`, after starting the server.

    Raises RuntimeError, with what the server printed, if it does not start.
    """
    place = run.data_folder(run.current()) / "warm"
    with run.lock("warm"):
        if not (place / "uv").exists():
            place.mkdir(mode=0o711, exist_ok=True)
            start(place)
            client = shlex.join([sys.executable, "-IS", str(HERE / "client.py"), str(socket(place)), str(uv), sys.prefix])
            (place / "uv").write_text(f'#!/bin/sh\nexec {client} "$@"\n')
            (place / "uv").chmod(0o755)
    return place


def socket(place: Path) -> Path:
    return run.current() / f"{place.name}.socket"


def start(place: Path) -> None:
    """Start the server. It ends when the run's folder is gone, so nobody has to stop it."""
    from migration_runbooks.worlds.environment import FIXED

    process = subprocess.Popen(
        [sys.executable, "-P", HERE / "server.py", socket(place)],
        env=FIXED | {"PATH": "/usr/bin:/bin"},
        cwd=place,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=(run.current() / "warm.log").open("w"),
        text=True,
        start_new_session=True,  # Ctrl-C must not reach it before the run ends
    )
    if process.stdout.readline() != STARTED:
        raise RuntimeError(f"The server of warm starts did not start:\n{(run.current() / 'warm.log').read_text()}")

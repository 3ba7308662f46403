"""What private servers share: whose rights they run with, how they are started once and how they are stopped."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

NOBODY = 65534
SECONDS_TO_START = 60


def unprivileged() -> dict[str, Any]:
    """Return the arguments of `subprocess.run` with which a server starts: both servers refuse or distrust root."""
    return {"user": NOBODY, "group": NOBODY, "extra_groups": []} if os.geteuid() == 0 else {}


def make_folder(folder: Path) -> Path:
    """Make a folder that belongs to the server alone."""
    folder.mkdir(mode=0o700)
    if os.geteuid() == 0:
        os.chown(folder, NOBODY, NOBODY)
    return folder


def command(*argv: str | Path, cwd: Path) -> None:
    """Run a server's own command. Raises RuntimeError with what it printed when it fails."""
    environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C", "HOME": str(cwd)}
    log = cwd / "command.log"
    with log.open("w") as output:  # not a pipe: a server that stays behind would hold it open
        done = subprocess.run(
            argv, cwd=cwd, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output, **unprivileged()
        )
    if done.returncode:
        raise RuntimeError(f"{' '.join(map(str, argv))}\nended with status {done.returncode}:\n{log.read_text()}")


def wait_until(condition: Callable[[], bool], seconds: float = SECONDS_TO_START) -> bool:
    """Ask every 20 ms until the condition holds. Return whether it did in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True

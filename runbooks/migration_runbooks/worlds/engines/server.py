"""What private servers share: whose rights they run with, how they are started once and how they are stopped."""

from __future__ import annotations

import errno
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from migration_runbooks.worlds import run

NOBODY = 65534
SECONDS_TO_START = 60


def unprivileged() -> dict[str, Any]:
    """Return the arguments of `subprocess.run` with which a server starts: both servers refuse or distrust root."""
    return {"user": NOBODY, "group": NOBODY, "extra_groups": []} if os.geteuid() == 0 else {}


def started_once(name: str, start: Callable[[Path, Path], None]) -> Path:
    """Return the folder of this run's server of that name, after starting it if no process of the run has."""
    home, data = run.current() / name, run.data_folder(run.current()) / name
    if (home / "started").exists():
        return home
    with run.lock(name):
        if not (home / "started").exists():
            for folder, mode in ((home, 0o755), (data, 0o700)):  # clients reach the socket; the data stays private
                make_folder(folder, mode)
            start(home, data)
            (home / "started").touch()
    return home


def make_folder(folder: Path, mode: int) -> None:
    """Make an empty folder of the server's user, in place of what a start that failed has left."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    folder.chmod(mode)
    if os.geteuid() == 0:
        os.chown(folder, NOBODY, NOBODY)


def environment(home: Path) -> dict[str, str]:
    """Return the variables that servers see: not this process's own, whose TMPDIR their user may not enter."""
    return {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C", "HOME": str(home)}


def command(*argv: str | Path, cwd: Path) -> None:
    """Run a server's own command. Raises RuntimeError with what it printed when it fails."""
    log = cwd / "command.log"
    with log.open("w") as output:  # not a pipe: a server that stays behind would hold it open
        done = subprocess.run(
            argv, cwd=cwd, env=environment(cwd), stdin=subprocess.DEVNULL, stdout=output, stderr=output, **unprivileged()
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


def stop(pid_file: Path, how: signal.Signals) -> None:
    """Send a signal to the server that wrote this file and wait until it has removed it; then kill it if it has not."""
    if not pid_file.exists():
        return
    pid = int(pid_file.read_text().split()[0])
    try:
        os.kill(pid, how)
        if not wait_until(lambda: not pid_file.exists(), seconds=10):
            os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass  # it is gone already


def has_died(socket_file: Path) -> bool:
    """Return whether the server that made this socket ended without removing it."""
    if not socket_file.exists():
        return False
    with socket.socket(socket.AF_UNIX) as client:
        return client.connect_ex(str(socket_file)) == errno.ECONNREFUSED

"""The folder that all processes of one run share: its servers, its worlds, and the locks that guard them.

The process that begins a run owns it: it alone ends it. Workers find the folder through an environment variable. A run
whose owner was killed is cleared away by the next one.
"""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
import time
from pathlib import Path

from filelock import FileLock, Timeout

VARIABLE = "MIGRATION_WORLDS_RUN"
PREFIX = f"worlds-{os.getuid()}-"
SHORT = Path("/tmp")
"""Where runs lie: a socket's whole path may have 107 bytes (unix(7)), which a long $TMPDIR would not leave."""

MEMORY = Path("/dev/shm")
MEMORY_NEEDED = 1 << 30
SECONDS_TO_BEGIN = 60

_owned: FileLock | None = None


def current() -> Path:
    """Return the folder of this run. Outside a run, begin one that ends with this process."""
    if VARIABLE not in os.environ:
        begin()
        atexit.register(end)
    return Path(os.environ[VARIABLE])


def begin() -> Path:
    """Make the folder of a new run, which this process owns."""
    global _owned
    clear_abandoned_runs()
    folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=SHORT))
    _owned = FileLock(folder / "owner.lock")
    _owned.acquire()
    folder.chmod(0o711)  # servers run as another user and must reach their own folder below
    data_folder(folder).mkdir(mode=0o711)
    os.environ[VARIABLE] = str(folder)
    return folder


def end() -> None:
    """Stop what this process's run started and remove it. Does nothing in a process that owns no run."""
    global _owned
    if _owned is None:
        return
    remove(Path(os.environ.pop(VARIABLE)))
    _owned.release()
    _owned = None


def remove(folder: Path) -> None:
    from migration_runbooks.worlds.engines import SERVERS, server  # they need this module to find their folder

    data = data_folder(folder)
    for engine in SERVERS.values():
        if not server.has_died(engine.socket_file(folder)):
            engine.stop(folder, data)
    shutil.rmtree(data, ignore_errors=True)
    shutil.rmtree(folder, ignore_errors=True)


def logs_of_dead_servers() -> dict[str, str]:
    """Return the log of each server of this run that died, by the database's name."""
    from migration_runbooks.worlds.engines import SERVERS, server

    folder = current()
    dead = [name for name, engine in SERVERS.items() if server.has_died(engine.socket_file(folder))]
    return {name: (folder / name / "log").read_text(errors="replace") for name in dead}


def clear_abandoned_runs() -> None:
    for folder in SHORT.glob(f"{PREFIX}*"):
        if time.time() - folder.stat().st_ctime < SECONDS_TO_BEGIN:
            continue
        try:
            with FileLock(folder / "owner.lock", timeout=0):
                remove(folder)
        except Timeout:
            pass  # its owner lives


def data_folder(folder: Path) -> Path:
    """Return where the run keeps what is large: in memory if there is enough of it, else in the run's own folder."""
    in_memory = MEMORY / folder.name
    if in_memory.is_dir():
        return in_memory
    has_room = MEMORY.is_dir() and os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > MEMORY_NEEDED
    return in_memory if has_room and not (folder / "data").is_dir() else folder / "data"


def lock(name: str) -> FileLock:
    """Return the lock of that name, which one process of the run can hold at a time."""
    return FileLock(current() / f"{name}.lock")


def scratch(name: str = "scratch") -> Path:
    """Make an empty folder that goes with the run; in memory if possible, so SQLite is fast there."""
    return Path(tempfile.mkdtemp(prefix=f"{name}-", dir=data_folder(current())))

"""One run at a time in a project.

The lock is the kernel's (flock) and scripts inherit it: it is free exactly when neither the runner nor a script that
outlived a killed runner is still at work. The file holds the runner's process id, for people.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from migration_runbooks.runner.problems import Stop


@contextmanager
def only_run(private: Path, say) -> Iterator[int]:
    """Hold the lock and yield its file descriptor. Raises Stop when another run holds it."""
    descriptor = os.open(private / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        holder = os.pread(descriptor, 32, 0).decode(errors="replace").strip()
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Stop(_in_use(holder)) from None
        if holder:
            say(f"The run of process {holder} ended without finishing; its lock is taken over.")
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, str(os.getpid()).encode(), 0)
        try:
            yield descriptor
        finally:
            os.ftruncate(descriptor, 0)
    finally:
        os.close(descriptor)


def _in_use(holder: str) -> str:
    if holder.isdigit() and _alive(int(holder)):
        return f"Another run is at work in this project (process {holder}). Nothing was changed. Wait until it ends."
    return (
        f"The run of process {holder} was killed, but a script that it started is still at work. Nothing was changed.\n"
        "Wait until it ends, then: runbook resume last"
    )


def _alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True

"""Two ways in which a client says which command it wants: it hands all over, or the server looks into its process."""

from __future__ import annotations

import hmac
import marshal
import os
import socket
import time
from pathlib import Path
from typing import NamedTuple

LONGEST_GREETING = 5000
SECONDS_TO_GREET = 20.0
REFUSED = b"refused\n"

PIDFD_GETFD = 438
"""The number of this system call, the same on every architecture (pidfd_getfd(2))."""


class Asked(NamedTuple):
    """A command that a client waits for."""

    client: socket.socket
    streams: list[int]
    folder: str
    argv: list[str]
    environment: dict[str, str]
    umask: int


def handed_over(listener: socket.socket) -> Asked:
    """Return what a client hands over, which is everything. Raises OSError for one that died while it asked."""
    client = listener.accept()[0]
    header, streams, *_ = socket.recv_fds(client, 8, 3)
    return Asked(client, streams, *marshal.loads(read(client, int.from_bytes(header, "big"))))


def seen(listener: socket.socket, token: str) -> Asked | None:
    """Return what a client wants that only says which process it is; nothing where the kernel lets nobody see more.

    Raises OSError for one that died while it asked.
    """
    client = listener.accept()[0]
    client.settimeout(SECONDS_TO_GREET)
    told, *about = client.recv(LONGEST_GREETING).strip().split(b" ", 4) or [b""]
    if not hmac.compare_digest(told, token.encode()):
        client.close()
        return None
    try:
        process, connection, words = map(int, about[:3])
        request = request_of(process, words, os.fsdecode(about[3]))
        return Asked(client, streams_of(process, connection), *request)
    except (OSError, ImportError, ValueError, IndexError):
        client.send(REFUSED)
        client.close()
        return None


OF_BASH = 3
"""How many words of a client's command line are bash, its option and the client itself."""


def request_of(process: int, words: int, script: str) -> tuple[str, list[str], dict[str, str], int]:
    """Return folder, the script with its arguments, which begin after so many words, variables and mask of a client's process."""
    about = Path(f"/proc/{process}")
    argv = os.fsdecode((about / "cmdline").read_bytes()).split("\0")[:-1]
    variables = os.fsdecode((about / "environ").read_bytes()).split("\0")[:-1]
    umask = next(line for line in (about / "status").read_text().splitlines() if line.startswith("Umask:"))
    environment = dict(each.split("=", 1) for each in variables if "=" in each)
    return os.readlink(about / "cwd"), [script, *argv[OF_BASH + words :]], environment, int(umask.split()[1], 8)


def streams_of(process: int, connection: int) -> list[int]:
    """Return copies of a process's streams; while it greets, the second is the connection for a moment."""
    import ctypes  # a Python may have been built without

    call = ctypes.CDLL(None, use_errno=True).syscall
    while os.readlink(f"/proc/{process}/fd/1") == os.readlink(f"/proc/{process}/fd/{connection}"):
        time.sleep(0.0001)
    handle = os.pidfd_open(process)
    streams = [call(PIDFD_GETFD, handle, number, 0) for number in (0, 1, 2)]
    os.close(handle)
    if -1 in streams:
        for stream in filter((-1).__lt__, streams):
            os.close(stream)
        raise OSError(ctypes.get_errno(), "pidfd_getfd")
    return streams


def read(client: socket.socket, length: int) -> bytes:
    received = b""
    while len(received) < length:
        received += client.recv(length - len(received)) or abort()
    return received


def abort() -> bytes:
    raise ConnectionAbortedError("the client is gone")

"""The server of warm starts: loads Django's code once, then forks a process for each command that a client sends."""

from __future__ import annotations

import contextlib
import os
import secrets
import selectors
import signal
import socket
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import warm_clients  # noqa: E402
import warm_code  # noqa: E402
import warm_command  # noqa: E402
from warm_parsed import Parsed  # noqa: E402

del sys.path[0]  # no project may meet this folder

EVERY = 5.0
MOST_OPEN = 1024

Taker = Callable[[socket.socket], warm_clients.Asked | None]


def serve(takers: dict[socket.socket, Taker], path: Path, learn: Callable[[], None]) -> None:
    """Fork for each client until the socket's file is gone. A client that dies takes its command with it."""
    waiting = selectors.DefaultSelector()
    for listener in takers:
        waiting.register(listener, selectors.EVENT_READ)
    while path.exists():
        ready = waiting.select(EVERY)
        learn()
        for key, _ in ready:
            if key.fileobj in takers:
                with contextlib.suppress(OSError):  # a client that died while it asked
                    if asked := takers[key.fileobj](key.fileobj):
                        start(waiting, asked)
            elif isinstance(key.fileobj, socket.socket):
                abandon(waiting, key.fileobj, key.data)
            else:
                finish(waiting, key.fileobj, *key.data)


def start(waiting: selectors.BaseSelector, asked: warm_clients.Asked) -> None:
    process = os.fork()
    if not process:
        os.setsid()
        for stream, number in zip(asked.streams, (0, 1, 2), strict=True):
            os.dup2(stream, number)
        os.closerange(3, MOST_OPEN)
        warm_command.run(asked.folder, asked.argv, asked.environment, asked.umask)
    for stream in asked.streams:
        os.close(stream)
    waiting.register(asked.client, selectors.EVENT_READ, process)
    waiting.register(os.pidfd_open(process), selectors.EVENT_READ, (process, asked.client))


def abandon(waiting: selectors.BaseSelector, client: socket.socket, process: int) -> None:
    if client.fileno() == -1:
        return  # its command ended in the same moment
    waiting.unregister(client)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process, signal.SIGKILL)


def finish(waiting: selectors.BaseSelector, handle: int, process: int, client: socket.socket) -> None:
    """Tell the client how its command ended; one that a signal ended counts as a shell counts it."""
    waiting.unregister(handle)
    os.close(handle)
    status = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
    with contextlib.suppress(OSError):
        client.send(b"%d\n" % (status if status >= 0 else 128 - status))
    with contextlib.suppress(KeyError):  # abandoned
        waiting.unregister(client)
    client.close()


def main(path: Path, python: str) -> None:
    """Listen at that path, and for clients that only say who they are at a port of this machine, which this prints.

    `python` is what commands take for their own Python.
    """
    warm_code.load()
    sys.executable = python
    parsed = Parsed(path.with_name(f"{path.name}.parsed"))
    token = secrets.token_hex()
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listening, socket.create_server(("127.0.0.1", 0)) as quick:
        listening.bind(str(path))
        listening.listen(64)
        print("warm", quick.getsockname()[1], token, flush=True)
        serve({listening: warm_clients.handed_over, quick: partial(warm_clients.seen, token=token)}, path, parsed.learn)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])

"""Stands in for `uv`: hands `uv run manage.py …` to the server of warm starts, and is itself the process that others see.

Run by `python -IS`, with few imports: it must start fast. Arguments: the server's socket, the real uv, the virtual
environment that the server runs in, then uv's own arguments.
"""

import _socket
import marshal
import os
import sys

SOCKET, UV, ENVIRONMENT, *ARGUMENTS = sys.argv[1:]


def is_warm() -> bool:
    return ARGUMENTS[:2] == ["run", "manage.py"] and os.environ.get("VIRTUAL_ENV") == ENVIRONMENT and os.path.exists("manage.py")


def ask() -> int:
    """Send the command with this process's streams, and return the command's exit status."""
    request = marshal.dumps((os.getcwd(), ARGUMENTS[1:], dict(os.environ)))
    streams = b"".join(stream.to_bytes(4, sys.byteorder) for stream in (0, 1, 2))
    server = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
    server.connect(SOCKET)
    server.sendmsg([len(request).to_bytes(8, "big")], [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, streams)])
    server.sendall(request)
    status = server.recv(1)
    return status[0] if status else 1


if is_warm():
    os._exit(ask())
os.execv(UV, ["uv", *ARGUMENTS])

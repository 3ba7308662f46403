"""Stands in for `uv` or `python`: hands commands of manage.py to the server of warm starts, and is the process that others see.

Run by `python -IS`, with few imports: it must start fast. Arguments: the server's socket, the real program, the virtual
environment that the server runs in, the words with which a warm command begins, `--`, and the program's own arguments.
"""

import _socket
import marshal
import os
import sys

END = sys.argv.index("--")
SOCKET, PROGRAM, ENVIRONMENT, *BEGINNING = sys.argv[1:END]
ARGUMENTS = sys.argv[END + 1 :]


def is_warm() -> bool:
    return ARGUMENTS[: len(BEGINNING)] == BEGINNING and os.environ.get("VIRTUAL_ENV") == ENVIRONMENT and os.path.exists("manage.py")


def ask() -> int:
    """Send the command with this process's streams, and return the command's exit status."""
    request = marshal.dumps((os.getcwd(), ARGUMENTS[len(BEGINNING) - 1 :], dict(os.environ), os.umask(0)))
    streams = b"".join(stream.to_bytes(4, sys.byteorder) for stream in (0, 1, 2))
    server = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
    server.connect(SOCKET)
    server.sendmsg([len(request).to_bytes(8, "big")], [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, streams)])
    server.sendall(request)
    status = server.recv(1)
    return status[0] if status else 1


if is_warm():
    os._exit(ask())
os.execv(PROGRAM, [PROGRAM, *ARGUMENTS])

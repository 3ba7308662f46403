"""Hands a command of manage.py or runbook to the server of warm starts, with this process's streams, and ends as the command ends.

Run by `python -IS`, with few imports: it must start fast. Arguments: the server's socket, the script, how many words come
before the script's own arguments, and then all of these.
"""

import _socket
import marshal
import os
import sys

SOCKET, SCRIPT, LENGTH, *ARGUMENTS = sys.argv[1:]


def ask() -> int:
    """Send the command, and return its exit status."""
    request = marshal.dumps((os.getcwd(), [SCRIPT, *ARGUMENTS[int(LENGTH) :]], dict(os.environ), os.umask(0)))
    streams = b"".join(stream.to_bytes(4, sys.byteorder) for stream in (0, 1, 2))
    server = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
    server.connect(SOCKET)
    server.sendmsg([len(request).to_bytes(8, "big")], [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, streams)])
    server.sendall(request)
    return int(server.recv(4) or 1)


os._exit(ask())

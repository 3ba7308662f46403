"""The server of warm starts: loads Django's code once, then forks a process for each command that a client sends."""

from __future__ import annotations

import contextlib
import gc
import hmac
import importlib
import io
import marshal
import os
import secrets
import selectors
import signal
import socket
import ssl
import sys
import threading
import time
from collections.abc import Callable
from importlib.machinery import SourceFileLoader
from pathlib import Path

# What every command of Django loads, but nothing that needs settings: those are the project's.
CODE = [
    "code", "difflib", "dj_database_url", "django.conf.urls", "django.contrib.admin.apps",
    "django.contrib.admin.options", "django.contrib.admin.templatetags.base", "django.contrib.admin.views.main",
    "django.contrib.auth.apps", "django.contrib.auth.checks", "django.contrib.auth.hashers",
    "django.contrib.auth.management", "django.contrib.auth.management.commands.createsuperuser",
    "django.contrib.auth.tokens", "django.contrib.auth.validators", "django.contrib.contenttypes.apps",
    "django.contrib.contenttypes.checks", "django.contrib.contenttypes.management", "django.contrib.messages.apps",
    "django.contrib.messages.middleware", "django.contrib.sessions.apps", "django.contrib.sessions.backends.base",
    "django.contrib.sessions.exceptions", "django.contrib.sessions.management",
    "django.contrib.sessions.middleware", "django.contrib.sites.requests", "django.contrib.sites.shortcuts",
    "django.contrib.staticfiles.finders", "django.core.cache.backends.locmem", "django.core.cache.utils",
    "django.core.management.commands.makemigrations", "django.core.management.commands.migrate",
    "django.core.management.commands.shell", "django.core.management.commands.showmigrations",
    "django.core.management.commands.sqlmigrate", "django.db.backends.postgresql.base",
    "django.db.backends.sqlite3.base", "django.db.migrations.autodetector", "django.db.migrations.executor",
    "django.db.migrations.writer", "django.forms", "django.middleware.common", "django.middleware.security",
    "django.template.backends.django", "django.templatetags.cache", "django.templatetags.l10n",
    "django.templatetags.tz", "django.test.utils", "django.urls", "django.utils.translation.reloader", "django.views.csrf",
    "django.views.debug", "django.views.defaults", "hashlib", "json", "logging.config", "pymysql", "sqlite3",
    "subprocess", "unittest",
]
LATER = [*(f"contrib/{app}" for app in ("admin", "auth", "contenttypes", "messages", "sessions")), "db/backends/mysql"]
EVERY = 5.0
MOST_OPEN = 1024
LONGEST_GREETING = 100
SECONDS_TO_GREET = 20.0
SELDOM = (1_000_000, 50, 100)
"""Thresholds for `gc`: a process that ends soon need hardly look for garbage in cycles, which takes a tenth of its time."""

PIDFD_GETFD = 438
"""The number of this system call, the same on every architecture (pidfd_getfd(2))."""

REFUSED = b"refused\n"


def load() -> None:
    for name in CODE:
        with contextlib.suppress(ImportError):  # a driver that this machine lacks
            importlib.import_module(name)
    # PyMySQL loads the machine's certificates for each connection, for one to a socket too: a third of a short command.
    ssl.SSLContext.load_default_certs = lambda self, purpose=None: None
    keep_code()
    gc.set_threshold(*SELDOM)
    gc.collect()
    gc.freeze()  # children share these pages until they write to them


def keep_code() -> None:
    """Read the code of the modules that only a project can load, Django's and ours, so that no process reads it again."""
    import django

    code = {}
    read = SourceFileLoader.get_code
    for folder in (*(Path(django.__path__[0], folder) for folder in LATER), Path(__file__).parents[2]):
        for file in folder.rglob("*.py"):
            code[str(file)] = read(SourceFileLoader(file.stem, str(file)), file.stem)
    SourceFileLoader.get_code = lambda self, name: code.get(self.path) or read(self, name)


def serve(listener: socket.socket, quick: socket.socket, token: str, path: Path, learn: Callable[[], None]) -> None:
    """Fork for each client until the socket's file is gone. A client that dies takes its command with it."""
    waiting = selectors.DefaultSelector()
    waiting.register(listener, selectors.EVENT_READ)
    waiting.register(quick, selectors.EVENT_READ)
    while path.exists():
        ready = waiting.select(EVERY)
        learn()
        for key, _ in ready:
            if key.fileobj is listener:
                with contextlib.suppress(OSError):  # a client that died while it asked
                    take(waiting, listener)
            elif key.fileobj is quick:
                with contextlib.suppress(OSError):
                    take_quick(waiting, quick, token)
            elif isinstance(key.fileobj, socket.socket):
                abandon(waiting, key.fileobj, key.data)
            else:
                finish(waiting, key.fileobj, *key.data)


def take(waiting: selectors.BaseSelector, listener: socket.socket) -> None:
    """Start the command of a client that hands over its streams."""
    client = listener.accept()[0]
    header, streams, *_ = socket.recv_fds(client, 8, 3)
    start(waiting, client, streams, marshal.loads(read(client, int.from_bytes(header, "big"))))


def take_quick(waiting: selectors.BaseSelector, listener: socket.socket, token: str) -> None:
    """Start the command of a client that only says which process it is; where the kernel lets nobody see more, refuse."""
    client = listener.accept()[0]
    client.settimeout(SECONDS_TO_GREET)
    told, *numbers = client.recv(LONGEST_GREETING).split() or [b""]
    if not hmac.compare_digest(told, token.encode()):
        client.close()
        return
    try:
        process, connection = map(int, numbers)
        request, streams = request_of(process), streams_of(process, connection)
    except (OSError, ImportError, ValueError):
        client.send(REFUSED)
        client.close()
        return
    start(waiting, client, streams, request)


def request_of(process: int) -> tuple[str, list[str], dict[str, str], int]:
    """Return folder, arguments from manage.py on, variables and mask of a client's process."""
    about = Path(f"/proc/{process}")
    argv = os.fsdecode((about / "cmdline").read_bytes()).split("\0")[:-1]
    variables = os.fsdecode((about / "environ").read_bytes()).split("\0")[:-1]
    umask = next(line for line in (about / "status").read_text().splitlines() if line.startswith("Umask:"))
    folder = os.readlink(about / "cwd")
    return folder, argv[argv.index("manage.py") :], dict(each.split("=", 1) for each in variables if "=" in each), int(umask.split()[1], 8)


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


def start(waiting: selectors.BaseSelector, client: socket.socket, streams: list[int], request: tuple) -> None:
    process = os.fork()
    if not process:
        os.setsid()
        for stream, number in zip(streams, (0, 1, 2), strict=True):
            os.dup2(stream, number)
        os.closerange(3, MOST_OPEN)
        run(*request)
    for stream in streams:
        os.close(stream)
    waiting.register(client, selectors.EVENT_READ, process)
    waiting.register(os.pidfd_open(process), selectors.EVENT_READ, (process, client))


def read(client: socket.socket, length: int) -> bytes:
    received = b""
    while len(received) < length:
        received += client.recv(length - len(received)) or abort()
    return received


def abort() -> bytes:
    raise ConnectionAbortedError("the client is gone")


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


def run(folder: str, argv: list[str], environment: dict[str, str], umask: int) -> None:
    """Be `python manage.py …` in that folder and environment, with that mask for new files. Does not return."""
    os.chdir(folder)
    os.umask(umask)
    os.environ.clear()
    os.environ.update(environment)
    time.tzset()
    if environment.get("PYTHONUNBUFFERED"):
        unbuffer()
    sys.argv[:] = argv
    extra = [path for path in environment.get("PYTHONPATH", "").split(os.pathsep) if path]
    sys.path[:0] = [folder, *extra]
    status = 1
    try:
        if extra:
            sys.modules.pop("sitecustomize", None)
            with contextlib.suppress(ModuleNotFoundError):
                importlib.import_module("sitecustomize")
        execute(Path(folder, argv[0]))
        status = 0
    except SystemExit as end:
        status = exit_status(end.code)
    except BaseException as error:
        own = error.with_traceback(error.__traceback__.tb_next.tb_next)  # without the two steps of this module
        sys.excepthook(type(own), own, own.__traceback__)
    finally:
        leave(status)


def unbuffer() -> None:
    """Write at once, as a Python that was started so: what comes from both streams is read in the order it was written."""
    for name, number in (("stdout", 1), ("stderr", 2)):
        old = getattr(sys, name)
        raw = io.FileIO(number, "w", closefd=False)
        new = io.TextIOWrapper(raw, encoding=old.encoding, errors=old.errors, write_through=True)
        setattr(sys, name, new)
        setattr(sys, f"__{name}__", new)


def execute(script: Path) -> None:
    main = type(sys)("__main__")
    main.__file__ = str(script)
    main.__builtins__ = __builtins__
    sys.modules["__main__"] = main
    exec(compile(script.read_bytes(), str(script), "exec", dont_inherit=True), main.__dict__)


def exit_status(code: object) -> int:
    if code is None or isinstance(code, int):
        return (code or 0) & 0xFF
    print(code, file=sys.stderr)
    return 1


def leave(status: int) -> None:
    """End as Python ends, but without the server's own last steps."""
    import atexit

    with contextlib.suppress(BaseException):
        threading._shutdown()
        atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(BaseException):
            stream.flush()
    os._exit(status)


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent))
    from warm_parsed import Parsed

    del sys.path[0]  # no project may meet this folder
    load()
    parsed = Parsed(Path(f"{sys.argv[1]}.parsed"))
    token = secrets.token_hex()
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listening, socket.create_server(("127.0.0.1", 0)) as quick:
        listening.bind(sys.argv[1])
        listening.listen(64)
        print("warm", quick.getsockname()[1], token, flush=True)
        serve(listening, quick, token, Path(sys.argv[1]), parsed.learn)

"""What a fork of the server of warm starts does: it becomes `python manage.py …` or `runbook …`, and ends as that ends."""

from __future__ import annotations

import contextlib
import importlib
import io
import os
import sys
import threading
import time
from pathlib import Path


def run(folder: str, argv: list[str], environment: dict[str, str], umask: int) -> None:
    """Be a Python script with its arguments in that folder and environment, with that mask for new files. Does not return."""
    os.chdir(folder)
    os.umask(umask)
    os.environ.clear()
    os.environ.update(environment)
    time.tzset()
    if environment.get("PYTHONUNBUFFERED"):
        unbuffer()
    sys.argv[:] = argv
    extra = [path for path in environment.get("PYTHONPATH", "").split(os.pathsep) if path]
    script = Path(folder, argv[0])
    sys.path[:0] = [str(script.parent), *extra]
    status = 1
    try:
        if extra:
            sys.modules.pop("sitecustomize", None)
            with contextlib.suppress(ModuleNotFoundError):
                importlib.import_module("sitecustomize")
        execute(script)
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

"""Kills the whole script at its N-th change, so that a fix can be proven to survive `kill -9` anywhere.

Python imports this module by itself when its folder is on PYTHONPATH. A change is an SQL statement that is not a
query, the commit of such statements, or a file of the project written, renamed or removed. `commands.bash` counts the
shell's commands.
"""

from __future__ import annotations

import importlib.abc
import importlib.util
import os
import signal
import sys
from pathlib import Path

COUNT = Path(os.environ.get("KILL_COUNT", os.devnull))
KILL_AT = int(os.environ.get("KILL_AT", "0"))
PROJECT = os.getcwd()
QUERIES = ("", "SELECT", "SHOW", "PRAGMA", "SAVEPOINT", "RELEASE", "BEGIN", "SET")
ROWS = ("INSERT", "UPDATE", "DELETE")
PATHS = {"os.mkdir": 1, "os.remove": 1, "os.rmdir": 1, "os.link": 2, "os.rename": 2}
"""Of these audit events the first so many arguments are paths, and as many at the end the folders to which they are relative."""

DATABASE_SUFFIXES = (".sqlite3", "-journal", "-wal", "-shm")


def change(what: str) -> None:
    with open(COUNT, "a") as counted:
        counted.write(f"{what}\n")
    if KILL_AT and len(COUNT.read_text().splitlines()) == KILL_AT:
        os.killpg(int(os.environ["KILL_GROUP"]), signal.SIGKILL)
        os.killpg(os.getpgrp(), signal.SIGKILL)  # another one where the command was started warm


def is_project_file(path: object) -> bool:
    if not isinstance(path, (str, bytes, os.PathLike)):
        return False
    absolute = os.path.abspath(os.fsdecode(path))
    inside = absolute.startswith(PROJECT + os.sep) and absolute != str(COUNT)
    return inside and "__pycache__" not in absolute and not absolute.endswith(DATABASE_SUFFIXES)


def watch_files(event: str, arguments: tuple) -> None:
    if event == "open":
        path, mode, flags = arguments
        writes = bool(flags and flags & (os.O_WRONLY | os.O_RDWR)) or bool(mode and set(mode) & set("wax+"))
        if writes and is_project_file(path):
            change(f"write {os.fsdecode(path)}")
    elif event in PATHS:
        paths = [located(*each) for each in zip(arguments[: PATHS[event]], arguments[-PATHS[event] :], strict=True)]
        if any(map(is_project_file, paths)) and can_succeed(event, paths[0]):
            change(f"{event} {os.fsdecode(arguments[0])}")


def located(path: object, folder: int) -> object:
    """Return a path that is relative to an open folder (-1: to none) as one that says where it is."""
    return path if folder == -1 else os.path.join(os.readlink(f"/proc/self/fd/{folder}"), os.fsdecode(path))


def can_succeed(event: str, path: object) -> bool:
    """Whether it changes something: `mkdir(parents=True)` also tries in folders that are not there yet."""
    if event == "os.mkdir":
        return not os.path.exists(path) and os.path.isdir(os.path.dirname(os.path.abspath(path)))
    return os.path.lexists(path)


class WatchDjango(importlib.abc.MetaPathFinder):
    """Patches Django's cursor and commit as soon as Django loads them."""

    patches = {"django.db.backends.utils": "patch_cursor", "django.db.backends.base.base": "patch_commit"}

    def find_spec(self, name, path, target=None):
        if name not in self.patches:
            return None
        patch = getattr(self, self.patches.pop(name))
        spec = importlib.util.find_spec(name)
        run = spec.loader.exec_module
        spec.loader.exec_module = lambda module: (run(module), patch(module))[0]
        return spec

    uncommitted = False

    @classmethod
    def patch_cursor(cls, module):
        for name in ("execute", "executemany"):
            setattr(module.CursorWrapper, name, cls.watched(getattr(module.CursorWrapper, name)))

    @classmethod
    def watched(cls, execute):
        def counted(self, sql, params=None):
            word = str(sql).split(None, 1)[0].upper() if str(sql).strip() else ""
            if word in QUERIES and "setval(" not in str(sql):
                return execute(self, sql, params)
            cls.uncommitted = True
            inside = self.db.in_atomic_block and (word in ROWS or self.db.features.can_rollback_ddl)
            change(f"{'sql in a transaction' if inside else 'sql'} {str(sql)[:80]!r}")
            return execute(self, sql, params)

        return counted

    @classmethod
    def patch_commit(cls, module):
        commit = module.BaseDatabaseWrapper._commit

        def counted(self):
            if cls.uncommitted:
                cls.uncommitted = False
                change("commit")
            return commit(self)

        module.BaseDatabaseWrapper._commit = counted


if "KILL_COUNT" in os.environ:
    sys.addaudithook(watch_files)
    for name in WatchDjango.patches.keys() & sys.modules.keys():
        getattr(WatchDjango, WatchDjango.patches.pop(name))(sys.modules[name])
    sys.meta_path.insert(0, WatchDjango())

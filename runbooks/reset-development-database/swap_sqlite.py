"""Exchange SQLite files: the new one gets the name of the one in use in one step, and that one is kept beside it."""

from __future__ import annotations

import os
import sqlite3
from datetime import UTC, datetime
from pathlib import Path

from django.db import connections

connection = connections[os.environ.get("RUNBOOK_DATABASE", "default")]
LIVE = Path(str(connection.settings_dict["NAME"])).absolute()
NEW = f"{LIVE}.resetting"
COMPANIONS = ("-wal", "-shm", "-journal")


def display_name():
    return LIVE.name


def place():
    return f"the file {LIVE.name}"


def unusable():
    return "" if LIVE.is_file() else f"there is no database file {LIVE.name}. Next: uv run manage.py migrate"


def objection():
    """Who has the file open: such a process would go on writing to the old one. "" if nobody has."""
    connection.close()
    files = {str(LIVE.resolve()) + each for each in ("", *COMPANIONS)}
    for process in Path("/proc").glob("[0-9]*"):
        if process.name == str(os.getpid()):
            continue
        try:
            opened = {os.readlink(each) for each in (process / "fd").iterdir()}
            command = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
        except OSError:
            continue
        if files & opened:
            return f"process {process.name} has {LIVE.name} open: {command}\nStop it, then run this again."
    return ""


def make_new():
    """Remove what a killed run left."""
    for each in ("", *COMPANIONS):
        Path(NEW + each).unlink(missing_ok=True)


def exchange(incoming, word):
    """Name the file in use `word` too, then give the incoming one its name: at no moment is there no database."""
    for file in (LIVE, incoming):
        settle(file)
    os.chmod(incoming, LIVE.stat().st_mode)
    again = [each for each in kept(word) if each.samefile(LIVE)]
    name = again[0] if again else LIVE.with_name(f"{LIVE.name}.{word}-{datetime.now(UTC):%Y%m%dT%H%M%S.%f}Z")
    if not again:
        os.link(LIVE, name)
    os.replace(incoming, LIVE)
    return name.name


def settle(file):
    """Bring what a -wal holds into the file, so that the file alone is the database."""
    opened = sqlite3.connect(file)
    opened.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    opened.execute("PRAGMA journal_mode = DELETE")
    opened.close()


def kept(word):
    return sorted(LIVE.parent.glob(f"{LIVE.name}.{word}-*Z"))


def kept_by_last_reset():
    """The file that the last reset replaced; "" if the last thing done was an undo."""
    swaps = [each for each in kept("replaced") + kept("reset") if not each.samefile(LIVE)]
    last = max(swaps, key=lambda each: each.name.rsplit("-", 1)[1], default=None)
    return str(last) if last and ".replaced-" in last.name else ""

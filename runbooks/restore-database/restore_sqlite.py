"""Copy the backup beside the live file, compare it, and give it the live file's name in one step; STEP=undo goes back."""

from __future__ import annotations

import os
import shutil
import sqlite3
import sys
from datetime import UTC, datetime
from pathlib import Path

sys.path.insert(0, ".runbook/restore-database")
from backup_folder import Refused, connection, differences, told_plainly, write_through  # noqa: E402
from chosen_backup import chosen, live_differences, unknown_to_the_code  # noqa: E402
from fingerprints import of_sqlite  # noqa: E402

LIVE = Path(connection.settings_dict["NAME"]).resolve()
COMPANIONS = ("-wal", "-shm", "-journal")


def beside(suffix: str) -> Path:
    return LIVE.with_name(LIVE.name + suffix)


def refuse_while_open() -> None:
    """A process that has the file open would go on writing to the old one."""
    connection.close()
    files = {str(LIVE), *(str(beside(each)) for each in COMPANIONS)}
    for process in Path("/proc").glob("[0-9]*"):
        if process.name == str(os.getpid()):
            continue
        try:
            open_files = {os.readlink(each) for each in (process / "fd").iterdir()}
            command = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
        except OSError:
            continue
        if files & open_files:
            raise Refused(f"Process {process.name} has {LIVE.name} open: {command}\nThe database was not changed. Stop it, then run this again.")


def restored_copy(backup: Path, record: dict) -> Path:
    new = beside(".restoring")
    shutil.copyfile(backup, new)
    if LIVE.exists():
        shutil.copystat(LIVE, new)
        os.chown(new, LIVE.stat().st_uid, LIVE.stat().st_gid)
    write_through(new)
    copied = sqlite3.connect(new)
    wrong = copied.execute("PRAGMA integrity_check").fetchone()[0]
    lines = differences(record["tables"], of_sqlite(copied)) if wrong == "ok" else [wrong]
    copied.close()
    if lines:
        raise Refused("The restored copy is not what the backup recorded:\n" + "\n".join(lines) + "\nThe database was not changed.")
    return new


def settle() -> None:
    """Bring what a -wal or -journal holds into the live file, so that the kept file is whole alone."""
    try:
        live = sqlite3.connect(LIVE)
        live.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        live.execute("SELECT count(*) FROM sqlite_master")
        live.close()
    except sqlite3.DatabaseError as error:
        print(f"The old file is damaged ({error}); it is kept as it is.")


def swap(new: Path, kept: Path) -> None:
    """Name the live file `kept` too, then give `new` its name: at no moment is there no live file."""
    if LIVE.exists() and not kept.exists():
        os.link(LIVE, kept)
    for companion in COMPANIONS:  # a -wal left here would be replayed onto the restored file
        if beside(companion).exists():
            os.rename(beside(companion), kept.with_name(kept.name + companion))
    os.replace(new, LIVE)


def kept_files(word: str) -> list[Path]:
    return sorted(LIVE.parent.glob(f"{LIVE.name}.{word}-*Z"))


def new_name(word: str) -> Path:
    """The name under which the live file is kept; the one that a killed run gave it already, if there is one."""
    again = [each for each in kept_files(word) if LIVE.exists() and each.samefile(LIVE)]
    return again[0] if again else beside(f".{word}-{datetime.now(UTC):%Y%m%dT%H%M%S.%f}Z")


def restore() -> None:
    backup, record = chosen()
    if LIVE.exists() and not live_differences(record):
        print("Nothing to do: the database holds exactly what the backup holds.")
        return
    refuse_while_open()
    new = restored_copy(backup, record)
    if LIVE.exists():
        settle()
    kept = new_name("before")
    refuse_while_open()
    swap(new, kept)
    unknown_to_the_code(record)
    print(f"Restored {backup}. The database as it was before is kept as {kept.name}.")


def to_go_back_to() -> list[Path]:
    """The file that the last restore kept; none if the last thing done was an undo."""
    swaps = [each for each in kept_files("before") + kept_files("restored") if not each.samefile(LIVE)]
    last = max(swaps, key=lambda each: each.name.rsplit("-", 1)[1], default=None)
    return [last] if last and ".before-" in last.name else []


def undo() -> None:
    kept = to_go_back_to()
    if not kept:
        print("Nothing to undo: no restore kept a file beside this one.")
        return
    refuse_while_open()
    settle()
    restored = new_name("restored")
    swap(kept[0], restored)
    print(f"The database is as it was before the restore. The restored one is kept as {restored.name}.")


with told_plainly():
    undo() if os.environ.get("STEP") == "undo" else restore()

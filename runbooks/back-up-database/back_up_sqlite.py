"""Copy the SQLite database while it is in use, open the copy and compare it."""

from __future__ import annotations

import sqlite3
import sys
from pathlib import Path

sys.path.insert(0, ".runbook/back-up-database")
from backup_folder import (  # noqa: E402
    Refused,
    applied,
    connection,
    keep,
    new_backup,
    one_at_a_time,
    part_of,
    set_aside,
    told_plainly,
)
from fingerprints import of_sqlite  # noqa: E402


def row_counts(database: sqlite3.Connection) -> dict[str, int]:
    names = database.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
    return {name: database.execute('SELECT count(*) FROM "' + name.replace('"', '""') + '"').fetchone()[0] for (name,) in names}


def orphans(database: sqlite3.Connection) -> int:
    return len(database.execute("PRAGMA foreign_key_check").fetchall())


def copy(source: sqlite3.Connection, path: Path) -> tuple[dict[str, int], int]:
    """Copy in one step (in many, each commit of another process starts it anew); counts are of the same moment."""
    source.execute("BEGIN")
    counts = row_counts(source)
    target = sqlite3.connect(path)
    source.backup(target)
    target.close()
    found = counts, orphans(source)
    source.execute("COMMIT")
    return found


def compare(path: Path, expected: tuple[dict[str, int], int]) -> tuple[dict[str, list], str]:
    """Fingerprints of the copy, and what is wrong with it ("" when nothing is)."""
    copied = sqlite3.connect(path)
    try:
        damage = copied.execute("PRAGMA integrity_check").fetchone()[0]
        if damage != "ok":
            return {}, damage
        if (row_counts(copied), orphans(copied)) != expected:
            return {}, "its row counts differ from the database's"
        return of_sqlite(copied), ""
    except sqlite3.DatabaseError as error:
        return {}, str(error)
    finally:
        copied.close()


def back_up() -> None:
    if not Path(str(connection.settings_dict["NAME"])).is_file():
        raise Refused(f"There is no database file {connection.settings_dict['NAME']}. Nothing was changed.")
    connection.ensure_connection()
    backup = new_backup(".db")
    part = part_of(backup)
    expected = copy(connection.connection, part)
    tables, wrong = compare(part, expected)
    if wrong:
        set_aside(part, backup, wrong)
    keep(part, backup, tables, applied())


with told_plainly(), one_at_a_time():
    back_up()

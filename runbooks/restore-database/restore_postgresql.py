"""Restore into a new database, compare it, and swap the names of the two in one transaction; STEP=undo swaps back."""

from __future__ import annotations

import os
import re
import sys
import time
from datetime import UTC, datetime

sys.path.insert(0, ".runbook/restore-database")
from backup_folder import Refused, connection, differences, run_tool, short_name, told_plainly  # noqa: E402
from chosen_backup import chosen, live_differences, unknown_to_the_code  # noqa: E402
from fingerprints import fingerprints  # noqa: E402
from postgresql_tools import beside, create_beside, is_empty, tool_environment  # noqa: E402

LIVE = connection.settings_dict["NAME"]
STEM = short_name()
NEW = f"{STEM}_restoring"
MARK = "Made by restore-database, not in use yet. Safe to drop."
SECONDS_TO_LEAVE = 5
quote = connection.ops.quote_name


def timed(word: str) -> str:
    return f"{STEM}_{word}_{datetime.now(UTC):%Y%m%dT%H%M%S%fZ}"


def sessions_of(cursor, name: str) -> list[str]:
    """Who is connected; a session that is ending, such as that of a killed run, is given a moment."""
    deadline = time.monotonic() + SECONDS_TO_LEAVE
    while True:
        cursor.execute(
            "SELECT pid, usename, application_name, client_addr FROM pg_stat_activity WHERE datname = %s AND pid <> pg_backend_pid()",
            [name],
        )
        found = [f"  process {pid}, {user}, {program or 'no name'}, {host or 'local'}" for pid, user, program, host in cursor.fetchall()]
        if not found or time.monotonic() > deadline:
            return found
        time.sleep(0.1)


def refuse_while_connected(cursor, name: str = LIVE) -> None:
    if sessions := sessions_of(cursor, name):
        raise Refused("\n".join([f"Somebody is connected to {name}:", *sessions,
                                 "The database was not changed. Stop them, then run this again. A session that stays can be ended by",
                                 "SELECT pg_terminate_backend(process);"]))


def drop_new(cursor) -> None:
    """Drop what a killed run left. Raises Refused when a database of that name is not ours."""
    cursor.execute("SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = %s", [NEW])
    for (comment,) in cursor.fetchall():
        refuse_while_connected(cursor, NEW)
        if not (comment == MARK or (comment is None and is_empty(connection, NEW))):
            raise Refused(f"There is a database {NEW} that this runbook did not make. Nothing was changed. Rename it, then run this again:\n"
                          f"ALTER DATABASE {quote(NEW)} RENAME TO {quote(f'{STEM}_not_restoring')};")
        cursor.execute(f"DROP DATABASE {quote(NEW)}")


def copy_settings(cursor) -> None:
    cursor.execute("SELECT unnest(setconfig) FROM pg_db_role_setting WHERE setrole = 0 AND setdatabase = (SELECT oid FROM pg_database WHERE datname = %s)", [LIVE])
    for (setting,) in cursor.fetchall():
        name, value = setting.split("=", 1)
        cursor.execute(f"ALTER DATABASE {quote(NEW)} SET {quote(name)} TO %s", [value])


def load(backup, record: dict) -> None:
    """Restore into the new database and compare it with what the backup recorded. Raises Refused."""
    with connection.cursor() as cursor:
        drop_new(cursor)
        create_beside(cursor, NEW, MARK)
        copy_settings(cursor)
    run_tool(["pg_restore", "--exit-on-error", "--single-transaction", "--no-owner", f"--dbname={NEW}", str(backup)], tool_environment(connection))
    restored = beside(connection, NEW)
    lines = differences(record["tables"], fingerprints(restored))
    restored.close()
    if lines:
        raise Refused("The restored copy is not what the backup recorded:\n" + "\n".join(lines) + "\nThe database was not changed.")


def swap(incoming: str, kept: str) -> None:
    """Both renames in one transaction: at no moment is there no live database."""
    connection.close()
    outside = beside(connection, "postgres")
    try:
        with outside.cursor() as cursor:
            refuse_while_connected(cursor)
            cursor.execute("BEGIN")
            cursor.execute(f"ALTER DATABASE {quote(LIVE)} RENAME TO {quote(kept)}")
            cursor.execute(f"ALTER DATABASE {quote(incoming)} RENAME TO {quote(LIVE)}")
            cursor.execute(f"COMMENT ON DATABASE {quote(LIVE)} IS NULL")
            cursor.execute("COMMIT")
    finally:
        outside.close()


def kept_databases(word: str) -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT datname FROM pg_database ORDER BY datname")
        return [name for (name,) in cursor.fetchall() if re.fullmatch(rf"{re.escape(STEM)}_{word}_\d{{8}}T\d{{12}}Z", name)]


def restore() -> None:
    backup, record = chosen()
    if not live_differences(record):
        print("Nothing to do: the database holds exactly what the backup holds.")
        return
    with connection.cursor() as cursor:
        refuse_while_connected(cursor)
    load(backup, record)
    kept = timed("before")
    swap(NEW, kept)
    unknown_to_the_code(record)
    print(f"Restored {backup}. The database as it was before is kept as {kept}.")


def to_go_back_to() -> list[str]:
    """The database that the last restore kept; none if the last thing done was an undo."""
    swaps = kept_databases("before") + kept_databases("restored")
    last = max(swaps, key=lambda name: name.rsplit("_", 1)[1], default="")
    return [last] if "_before_" in last else []


def undo() -> None:
    kept = to_go_back_to()
    if not kept:
        print("Nothing to undo: no restore kept a database beside this one.")
        return
    restored = timed("restored")
    swap(kept[0], restored)
    print(f"The database is as it was before the restore. The restored one is kept as {restored}.")


with told_plainly():
    undo() if os.environ.get("STEP") == "undo" else restore()

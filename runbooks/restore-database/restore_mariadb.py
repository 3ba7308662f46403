"""Load into a new database, compare it, and swap all tables of the two in one RENAME TABLE; STEP=undo swaps back."""

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
from mariadb_tools import beside, tool  # noqa: E402

LIVE = connection.settings_dict["NAME"]
STEM = short_name()
NEW = f"{STEM}_restoring"
MARK = "Made by restore-database, not in use yet. Safe to drop."
SECONDS_TO_LEAVE = 5
quote = connection.ops.quote_name


def rows(sql: str, *parameters) -> list[tuple]:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return list(cursor.fetchall())


def execute(sql: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql)


def timed(word: str) -> str:
    return f"{STEM}_{word}_{datetime.now(UTC):%Y%m%dT%H%M%S%fZ}"


def sessions() -> list[str]:
    """Who is connected; a session that is ending, such as that of a killed run, is given a moment."""
    deadline = time.monotonic() + SECONDS_TO_LEAVE
    while True:
        found = rows("SELECT id, user, host FROM information_schema.processlist WHERE db = %s AND id <> CONNECTION_ID()", LIVE)
        if not found or time.monotonic() > deadline:
            return [f"  session {number}, {user}@{host}" for number, user, host in found]
        time.sleep(0.1)


def refuse_while_connected() -> None:
    if found := sessions():
        raise Refused("\n".join([f"Somebody is connected to {LIVE}:", *found,
                                 "The database was not changed. Stop them, then run this again. A session that stays can be ended by KILL and its number."]))


def refuse_what_cannot_move(database: str) -> None:
    """RENAME TABLE moves neither views nor triggers, routines and events to another database."""
    found = [f"{kind} {name}" for kind, name in rows(
        "SELECT 'view', table_name FROM information_schema.views WHERE table_schema = %s "
        "UNION SELECT 'trigger', trigger_name FROM information_schema.triggers WHERE trigger_schema = %s "
        "UNION SELECT LOWER(routine_type), routine_name FROM information_schema.routines WHERE routine_schema = %s "
        "UNION SELECT 'event', event_name FROM information_schema.events WHERE event_schema = %s", *[database] * 4)]
    if found:
        raise Refused(f"{database} holds what can't be moved between databases: {', '.join(found)}\nThe live database was not changed. "
                      f"Load the backup into a new database and let DATABASES in the settings name that one.")


def tables(database: str) -> list[str]:
    return [name for (name,) in rows("SELECT table_name FROM information_schema.tables WHERE table_schema = %s AND table_type = 'BASE TABLE' ORDER BY 1", database)]


def drop_new() -> None:
    """Drop what a killed run left. Raises Refused when a database of that name is not ours."""
    for (comment,) in rows("SELECT schema_comment FROM information_schema.schemata WHERE schema_name = %s", NEW):
        if comment != MARK:
            raise Refused(f"There is a database {NEW} that this runbook did not make. Nothing was changed. Look at it, move or drop it, then run this again:\n"
                          f"SHOW TABLES FROM {quote(NEW)};")
        execute(f"DROP DATABASE {quote(NEW)}")


def create_beside(name: str, mark: str) -> None:
    ((charset, collation),) = rows("SELECT default_character_set_name, default_collation_name FROM information_schema.schemata WHERE schema_name = %s", LIVE)
    execute(f"CREATE DATABASE {quote(name)} CHARACTER SET {charset} COLLATE {collation} COMMENT '{mark}'")


def load(backup, record: dict) -> None:
    """Load into the new database and compare it with what the backup recorded. Raises Refused."""
    drop_new()
    create_beside(NEW, MARK)
    argv, environment = tool(connection, "mariadb", database=NEW)
    with open(backup, "rb") as dump:
        run_tool(argv, environment, stdin=dump)
    refuse_what_cannot_move(NEW)
    restored = beside(connection, NEW)
    lines = differences(record["tables"], fingerprints(restored))
    restored.close()
    if lines:
        raise Refused("The restored copy is not what the backup recorded:\n" + "\n".join(lines) + "\nThe database was not changed.")


def swap(incoming: str, kept: str) -> None:
    """All renames in one statement, which MariaDB does as one from 10.6; foreign keys follow their tables."""
    create_beside(kept, "Made by restore-database: the tables as they were before the swap.")
    refuse_while_connected()
    moves = [(LIVE, kept, table) for table in tables(LIVE)] + [(incoming, LIVE, table) for table in tables(incoming)]
    execute("RENAME TABLE " + ", ".join(f"{quote(a)}.{quote(table)} TO {quote(b)}.{quote(table)}" for a, b, table in moves))
    execute(f"DROP DATABASE {quote(incoming)}")


def kept_databases(word: str) -> list[str]:
    """Names of databases that hold tables, oldest first; one without was left by a killed run and is dropped."""
    own = re.compile(rf"{re.escape(STEM)}_{word}_\d{{8}}T\d{{12}}Z")
    names = [name for (name,) in rows("SELECT schema_name FROM information_schema.schemata WHERE schema_comment LIKE 'Made by restore-database%%' ORDER BY 1")]
    kept = []
    for name in names:
        if own.fullmatch(name):
            kept.append(name) if tables(name) else execute(f"DROP DATABASE {quote(name)}")
    return kept


def restore() -> None:
    backup, record = chosen()
    kept_databases("before")
    if not live_differences(record):
        drop_new()
        print("Nothing to do: the database holds exactly what the backup holds.")
        return
    refuse_while_connected()
    refuse_what_cannot_move(LIVE)
    load(backup, record)
    kept = timed("before")
    swap(NEW, kept)
    unknown_to_the_code(record)
    print(f"Restored {backup}. The tables as they were before are kept in the database {kept}.")


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
    print(f"The database is as it was before the restore. The restored tables are kept in the database {restored}.")


with told_plainly():
    undo() if os.environ.get("STEP") == "undo" else restore()

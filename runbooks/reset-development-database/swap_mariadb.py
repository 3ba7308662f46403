"""Exchange the tables of MariaDB databases in one RENAME TABLE; the old tables are kept in a database beside."""

from __future__ import annotations

import hashlib
import os
import time
from datetime import UTC, datetime

from django.db import connections

connection = connections[os.environ.get("RUNBOOK_DATABASE", "default")]
LIVE = connection.settings_dict["NAME"]
STEM = LIVE if len(LIVE) <= 30 else f"{LIVE[:23]}_{hashlib.md5(LIVE.encode()).hexdigest()[:6]}"  # no two names in one
NEW = f"{STEM}_resetting"
MARK = "Made by reset-development-database"
SECONDS_TO_LEAVE = 5
quote = connection.ops.quote_name


def display_name():
    return LIVE


def place():
    return f"the database {LIVE}"


def unusable():
    return ""


def rows(sql, *parameters):
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return list(cursor.fetchall()) if cursor.description else []


def objection():
    """Who is connected, or what can't be moved; "" if nothing speaks against the exchange."""
    deadline = time.monotonic() + SECONDS_TO_LEAVE
    while found := rows("SELECT id, user, host FROM information_schema.processlist WHERE db = %s AND id <> CONNECTION_ID()", LIVE):
        if time.monotonic() > deadline:
            sessions = [f"  session {number}, {user}@{host}" for number, user, host in found]
            return "\n".join([f"somebody is connected to {LIVE}:", *sessions, "Stop them, then run this again."])
        time.sleep(0.1)
    fixed = [*immovable(LIVE), *immovable(NEW)]
    return f"MariaDB moves no views, triggers, routines or events between databases, and here are: {', '.join(fixed)}" if fixed else ""


def immovable(database):
    return [f"{kind} {name}" for kind, name in rows(
        "SELECT 'view', table_name FROM information_schema.views WHERE table_schema = %s "
        "UNION SELECT 'trigger', trigger_name FROM information_schema.triggers WHERE trigger_schema = %s "
        "UNION SELECT LOWER(routine_type), routine_name FROM information_schema.routines WHERE routine_schema = %s "
        "UNION SELECT 'event', event_name FROM information_schema.events WHERE event_schema = %s", *[database] * 4)]


def tables(database):
    found = rows("SELECT table_name FROM information_schema.tables WHERE table_schema = %s AND table_type = 'BASE TABLE' ORDER BY 1", database)
    return [name for (name,) in found]


def create(name):
    ((charset, collation),) = rows("SELECT default_character_set_name, default_collation_name FROM information_schema.schemata WHERE schema_name = %s", LIVE)
    rows(f"CREATE DATABASE {quote(name)} CHARACTER SET {charset} COLLATE {collation} COMMENT '{MARK}'")


def make_new():
    """Create the new database, after dropping what a killed run left; one of that name that is not ours is left alone."""
    for (comment,) in rows("SELECT schema_comment FROM information_schema.schemata WHERE schema_name = %s", NEW):
        if comment != MARK:
            raise RuntimeError(f"there is a database {NEW} that this runbook did not make. Rename it, then run this again.")
        rows(f"DROP DATABASE {quote(NEW)}")
    for name in kept():
        if not tables(name):
            rows(f"DROP DATABASE {quote(name)}")
    create(NEW)


def exchange(incoming, word):
    """All renames in one statement, which MariaDB does as one from 10.6; foreign keys follow their tables."""
    name = f"{STEM}_{word}_{datetime.now(UTC):%Y%m%dT%H%M%S%fZ}"
    create(name)
    moves = [(LIVE, name, table) for table in tables(LIVE)] + [(incoming, LIVE, table) for table in tables(incoming)]
    rows("RENAME TABLE " + ", ".join(f"{quote(a)}.{quote(table)} TO {quote(b)}.{quote(table)}" for a, b, table in moves))
    rows(f"DROP DATABASE {quote(incoming)}")
    return name


def kept():
    """Databases that resets and undos have kept, and perhaps an empty one of a run that was killed."""
    names = [name for (name,) in rows("SELECT schema_name FROM information_schema.schemata WHERE schema_comment = %s", MARK)]
    return [name for name in names if name.startswith((f"{STEM}_replaced_", f"{STEM}_reset_"))]


def kept_by_last_reset():
    """The database that the last reset put the old tables into; "" if the last thing done was an undo."""
    last = max(filter(tables, kept()), key=lambda name: name.rsplit("_", 1)[1], default="")
    return last if "_replaced_" in last else ""

"""Exchange PostgreSQL databases: both names change in one transaction, and the old one is kept under a new name."""

from __future__ import annotations

import hashlib
import os
import sys
import time
from datetime import UTC, datetime

from django.db import connections

sys.path.insert(0, ".runbook/reset-development-database")
from postgresql_tools import beside, create_beside  # noqa: E402

connection = connections[os.environ.get("RUNBOOK_DATABASE", "default")]
LIVE = connection.settings_dict["NAME"]
STEM = LIVE if len(LIVE) <= 30 else f"{LIVE[:23]}_{hashlib.md5(LIVE.encode()).hexdigest()[:6]}"  # no two names in one
NEW = f"{STEM}_resetting"
MARK = "Made by reset-development-database, not in use yet. Safe to drop."
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
        return cursor.fetchall()


def objection(name=LIVE):
    """Who is connected; "" if nobody is. A session that is ending, such as that of a killed run, is given a moment."""
    deadline = time.monotonic() + SECONDS_TO_LEAVE
    while True:
        found = rows("SELECT pid, usename, application_name FROM pg_stat_activity WHERE datname = %s AND pid <> pg_backend_pid()", name)
        if not found or time.monotonic() > deadline:
            break
        time.sleep(0.1)
    sessions = [f"  process {pid}, {user}, {program or 'no name'}" for pid, user, program in found]
    return "\n".join([f"somebody is connected to {name}:", *sessions, "Stop them, then run this again."]) if found else ""


def make_new():
    """Create the new database, after dropping what a killed run left; one of that name that is not ours is left alone."""
    for (comment,) in rows("SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = %s", NEW):
        if not is_ours(comment) or objection(NEW):
            raise RuntimeError(f"there is a database {NEW} that is in use or not of this runbook. Rename it, then run this again.")
        with connection.cursor() as cursor:
            cursor.execute(f"DROP DATABASE {quote(NEW)}")
    with connection.cursor() as cursor:
        create_beside(cursor, NEW, MARK)


def is_ours(comment):
    """Whether a killed run made NEW: it has our mark, or none yet and no tables either."""
    if comment:
        return comment == MARK
    other = beside(connection, NEW)
    try:
        with other.cursor() as cursor:
            return not other.introspection.table_names(cursor)
    finally:
        other.close()


def exchange(incoming, word):
    """Both renames in one transaction: at no moment is there no database."""
    name = f"{STEM}_{word}_{datetime.now(UTC):%Y%m%dT%H%M%S%fZ}"
    connection.close()
    outside = beside(connection, "postgres")
    try:
        with outside.cursor() as cursor:
            cursor.execute("BEGIN")
            cursor.execute(f"ALTER DATABASE {quote(LIVE)} RENAME TO {quote(name)}")
            cursor.execute(f"ALTER DATABASE {quote(incoming)} RENAME TO {quote(LIVE)}")
            cursor.execute(f"COMMENT ON DATABASE {quote(LIVE)} IS NULL")
            cursor.execute("COMMIT")
    finally:
        outside.close()
    return name


def kept_by_last_reset():
    """The database that the last reset replaced; "" if the last thing done was an undo."""
    names = [name for (name,) in rows(r"SELECT datname FROM pg_database WHERE datname ~ '_(replaced|reset)_\d{8}T\d{12}Z$'")]
    ours = [name for name in names if name.startswith((f"{STEM}_replaced_", f"{STEM}_reset_"))]
    last = max(ours, key=lambda name: name.rsplit("_", 1)[1], default="")
    return last if "_replaced_" in last else ""

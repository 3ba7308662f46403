"""Dump the MariaDB database, load the dump into a new database beside it, compare the two, drop the new one.

Two sessions can't share a snapshot in MariaDB. So the copy is compared twice: dumped again, it must give the same
text, and every table that nobody wrote to meanwhile must hold the rows that it held when the dump began.
"""

from __future__ import annotations

import re
import sys
from datetime import UTC, datetime
from itertools import zip_longest

from django.db import DatabaseError, transaction

sys.path.insert(0, ".runbook/back-up-database")
from backup_folder import (  # noqa: E402
    Refused,
    applied,
    connection,
    differences,
    keep,
    new_backup,
    one_at_a_time,
    part_of,
    run_tool,
    set_aside,
    short_name,
    told_plainly,
)
from fingerprints import fingerprints  # noqa: E402
from mariadb_tools import beside, tool  # noqa: E402

MARK = "Made by back-up-database to check a backup. Safe to drop."
PREFIX = f"{short_name()}_check_"
OPTIONS = ["--single-transaction", "--routines", "--triggers", "--hex-blob", "--skip-dump-date"]
# Events would run in the copy as well, so they are added to the file after the copy was compared.
EVENTS = ["--no-create-info", "--no-data", "--skip-triggers", "--events", "--skip-dump-date"]


def dump(path, options, database=None, mode="wb") -> None:
    argv, environment = tool(connection, "mariadb-dump", *options, database=database)
    with open(path, mode) as file:
        run_tool(argv, environment, stdout=file)


def load(path, database: str) -> None:
    argv, environment = tool(connection, "mariadb", database=database)
    with open(path, "rb") as file:
        run_tool(argv, environment, stdin=file)


def without_comments(path):
    with open(path, "rb") as file:
        yield from (line for line in file if not line.startswith(b"--"))


def same_text(one, other) -> bool:
    return all(a == b for a, b in zip_longest(without_comments(one), without_comments(other)))


def fingerprints_of_one_moment() -> dict:
    with transaction.atomic(using=connection.alias):
        return fingerprints(connection)


def drop_leftovers(cursor) -> None:
    """Drop what killed runs for this database left: our mark and our name, while no other run is going on."""
    cursor.execute("SELECT GET_LOCK(%s, 0)", [f"{PREFIX}lock"])
    if not cursor.fetchone()[0]:
        return
    cursor.execute("SELECT schema_name FROM information_schema.schemata WHERE schema_comment = %s", [MARK])
    for (name,) in cursor.fetchall():
        if re.fullmatch(re.escape(PREFIX) + r"\d{8}T\d{12}Z", name):
            cursor.execute(f"DROP DATABASE {connection.ops.quote_name(name)}")


def copy_differs(part, name: str, before: dict) -> str:
    """Load the dump into the empty database `name`; what differs there, "" when nothing does."""
    load(part, name)
    again = part.with_name(f"again-{part.name}")
    dump(again, OPTIONS, database=name)
    same = same_text(part, again)
    again.unlink()
    if not same:
        return "the copy, dumped again, gives another text"
    restored = beside(connection, name)
    copied = fingerprints(restored)
    restored.close()
    if not differences(before, copied):
        return ""
    after = fingerprints_of_one_moment()
    busy = {table for table in before.keys() | after.keys() if before.get(table) != after.get(table)}
    print(f"Written to meanwhile, so compared with the dump alone: {', '.join(sorted(busy))}")
    quiet, copied = ({t: f for t, f in each.items() if t not in busy} for each in (before, copied))
    return "\n".join(differences(quiet, copied))


def wrong_with(part, before: dict) -> str:
    name = f"{PREFIX}{datetime.now(UTC):%Y%m%dT%H%M%S%fZ}"
    quoted = connection.ops.quote_name(name)
    with connection.cursor() as cursor:
        drop_leftovers(cursor)
        try:
            cursor.execute("SELECT default_character_set_name, default_collation_name FROM information_schema.schemata WHERE schema_name = DATABASE()")
            charset, collation = cursor.fetchone()
            cursor.execute(f"CREATE DATABASE {quoted} CHARACTER SET {charset} COLLATE {collation} COMMENT '{MARK}'")
        except DatabaseError as error:
            return (f"it could not be restored elsewhere, because this user may not create a database: {error}\n"
                    f"Next, as an administrator: GRANT ALL ON `{short_name()}\\_check\\_%`.* TO this user;")
        try:
            return copy_differs(part, name, before)
        except Refused as refusal:
            return str(refusal)
        finally:
            cursor.execute(f"DROP DATABASE {quoted}")


def not_transactional() -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT table_name FROM information_schema.tables WHERE table_schema = DATABASE() AND table_type = 'BASE TABLE' AND engine <> 'InnoDB'")
        return [name for (name,) in cursor.fetchall()]


def back_up() -> None:
    if loose := not_transactional():
        raise Refused(f"These tables are not InnoDB, so a dump of a live database may hold half a change: {', '.join(loose)}\n"
                      "Nothing was changed. Next: ALTER TABLE … ENGINE=InnoDB, or stop all writers and dump with --lock-tables.")
    backup = new_backup(".sql")
    part = part_of(backup)
    before, migrations = fingerprints_of_one_moment(), applied()
    dump(part, OPTIONS)
    wrong = wrong_with(part, before)
    if wrong:
        set_aside(part, backup, wrong)
    dump(part, EVENTS, mode="ab")
    keep(part, backup, before, migrations)


with told_plainly(), one_at_a_time():
    back_up()

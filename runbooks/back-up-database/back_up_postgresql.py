"""Dump the PostgreSQL database, restore the dump into a new database beside it, compare the two, drop the new one."""

from __future__ import annotations

import re
import sys
from datetime import UTC, datetime

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
from postgresql_tools import beside, create_beside, is_empty, tool_environment  # noqa: E402

MARK = "Made by back-up-database to check a backup. Safe to drop."
PREFIX = f"{short_name()}_check_"


def dump(part) -> tuple[dict, list[str]]:
    """Dump and read fingerprints in one and the same snapshot, so that writers raise no false alarm."""
    with transaction.atomic(using=connection.alias):
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            cursor.execute("SELECT pg_export_snapshot()")
            snapshot = cursor.fetchone()[0]
        run_tool(["pg_dump", "--format=custom", f"--snapshot={snapshot}", f"--file={part}"], tool_environment(connection))
        return fingerprints(connection), applied()


def drop_leftovers(cursor) -> None:
    """Drop what killed runs for this database left: our mark, our name, nobody connected, no other run going on."""
    cursor.execute("SELECT pg_try_advisory_lock(hashtext('back-up-database'))")
    if not cursor.fetchone()[0]:
        return
    cursor.execute(
        "SELECT datname, shobj_description(d.oid, 'pg_database') FROM pg_database d"
        " WHERE NOT EXISTS (SELECT FROM pg_stat_activity a WHERE a.datid = d.oid)",
    )
    for name, comment in cursor.fetchall():
        own = re.fullmatch(re.escape(PREFIX) + r"\d{8}T\d{12}Z", name)
        if own and (comment == MARK or (comment is None and is_empty(connection, name))):
            cursor.execute(f"DROP DATABASE {connection.ops.quote_name(name)}")


def restored_fingerprints(part, name: str) -> dict:
    run_tool(
        ["pg_restore", "--exit-on-error", "--single-transaction", "--no-owner", f"--dbname={name}", str(part)],
        tool_environment(connection),
    )
    restored = beside(connection, name)
    try:
        return fingerprints(restored)
    finally:
        restored.close()


def wrong_with(part, expected: dict) -> str:
    """What is wrong with the dump, by restoring it; "" when nothing is."""
    name = f"{PREFIX}{datetime.now(UTC):%Y%m%dT%H%M%S%fZ}"
    with connection.cursor() as cursor:
        drop_leftovers(cursor)
        try:
            create_beside(cursor, name, MARK)
        except DatabaseError as error:
            return (f"it could not be restored elsewhere, because this role may not create a database: {str(error).strip()}\n"
                    f"Next, as an administrator: ALTER ROLE {connection.ops.quote_name(connection.settings_dict['USER'] or 'you')} CREATEDB;")
        try:
            return "\n".join(differences(expected, restored_fingerprints(part, name)))
        except Refused as refusal:
            return str(refusal)
        finally:
            cursor.execute(f"DROP DATABASE {connection.ops.quote_name(name)}")


def back_up() -> None:
    backup = new_backup(".dump")
    part = part_of(backup)
    tables, migrations = dump(part)
    wrong = wrong_with(part, tables)
    if wrong:
        set_aside(part, backup, wrong)
    keep(part, backup, tables, migrations)


with told_plainly(), one_at_a_time():
    back_up()

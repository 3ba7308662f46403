"""The locks that the pages name: what each operation holds, who waits behind it, and what needs only the catalogue."""

from __future__ import annotations

import json
import sqlite3
import threading
import time
from contextlib import closing

import psycopg
import pymysql
import pytest
from two_releases import FILES, on

RECEIPT = "'payment', 'receipt_number'"
CHAR = "models.CharField(max_length=20, blank=True"
FILL = "migrations.RunPython(lambda apps, editor: apps.get_model('fees', 'Payment').objects.update(amount=F('amount') + 1))"
HELD = {
    "migrations.AddField('payment', 'month', models.IntegerField(null=True))": "AccessExclusiveLock",
    "migrations.AddField('payment', 'method', models.CharField(max_length=9, default='cash'))": "AccessExclusiveLock",
    "migrations.AddField('payment', 'method', models.CharField(max_length=9, db_default='cash'))": "AccessExclusiveLock",
    "migrations.AddField('payment', 'key', models.UUIDField(db_default=RandomUUID()))": "AccessExclusiveLock",
    "migrations.AlterField('invoice', 'note', models.TextField())": "AccessExclusiveLock",
    f"migrations.RenameField({RECEIPT}, 'receipt')": "AccessExclusiveLock",
    f"migrations.AlterField({RECEIPT}, {CHAR}, db_column='receipt_number')), migrations.RenameField({RECEIPT}, 'receipt')": None,
    f"migrations.AlterField({RECEIPT}, {CHAR}, db_default=''))": "AccessExclusiveLock",
    f"migrations.SeparateDatabaseAndState(state_operations=[migrations.RemoveField({RECEIPT})])": None,
    f"migrations.RemoveField({RECEIPT})": "AccessExclusiveLock",
    FILL: "RowExclusiveLock",
}
IN_THE_CATALOGUE = {
    "ADD COLUMN method varchar(9) NULL": True,
    "ADD COLUMN method varchar(9) DEFAULT 'cash' NOT NULL": True,
    "RENAME COLUMN receipt_number TO receipt": True,
    "ALTER COLUMN receipt_number SET DEFAULT ''": True,
    "DROP COLUMN receipt_number": True,
    "MODIFY received_by_id bigint NOT NULL": False,
}


@on("postgresql")
@pytest.mark.parametrize("operations", HELD, ids=range(len(HELD)))
def test_operation_holds_this_lock_as_a_second_session_sees_it(database, operations, releases):
    sandbox = releases.sandbox
    if "invoice" in operations:
        sandbox.execute("UPDATE fees_invoice SET note = ''")
    probe = (FILES / "hold_locks.py").read_text()
    found = sandbox.run(*sandbox.kind.manage, "shell", "-v", "0", input=probe, OPERATIONS=f"[{operations}]")
    assert found.status == 0, found.output
    table = "fees_invoice" if "invoice" in operations else "fees_payment"
    strongest = [[table, HELD[operations]]] if HELD[operations] else []
    held = [lock for lock in json.loads(found.stdout) if lock[1] == HELD[operations]]
    assert held == strongest
    assert HELD[operations] or json.loads(found.stdout) == []


@on("mariadb")
@pytest.mark.parametrize("change", IN_THE_CATALOGUE)
def test_mariadb_changes_the_catalogue_alone_or_refuses_to(database, change, releases):
    execute = releases.sandbox.execute
    execute("CREATE TABLE probe LIKE fees_payment")
    if IN_THE_CATALOGUE[change]:
        execute(f"ALTER TABLE probe {change}, ALGORITHM=INSTANT")
        return
    with pytest.raises(pymysql.MySQLError, match="ALGORITHM=INSTANT is not supported"):
        execute(f"ALTER TABLE probe {change}, ALGORITHM=INSTANT")
    execute(f"ALTER TABLE probe {change}, ALGORITHM=INPLACE, LOCK=NONE")


@on("postgresql", "mariadb")
def test_everybody_waits_behind_a_migration_that_waits_for_a_reader(database, releases):
    sandbox = releases.sandbox
    patience, waiting, gave_up = {
        "postgresql": (
            "SET lock_timeout = '{}s'",
            "SELECT 1 FROM pg_stat_activity"
            " WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE 'ALTER%'",
            (psycopg.errors.LockNotAvailable, "canceling statement due to lock timeout"),
        ),
        "mariadb": (
            "SET lock_wait_timeout = {}",
            "SELECT 1 FROM information_schema.processlist"
            " WHERE db = DATABASE() AND state = 'Waiting for table metadata lock'",
            (pymysql.MySQLError, "Lock wait timeout exceeded"),
        ),
    }[database]

    def migrate():
        with closing(sandbox.connect()) as connection, closing(connection.cursor()) as cursor:
            cursor.execute(patience.format(30))
            cursor.execute("ALTER TABLE fees_payment ADD COLUMN method varchar(9) NULL")

    with closing(sandbox.connect()) as reader, closing(reader.cursor()) as reading:
        reading.execute("BEGIN")
        reading.execute("SELECT COUNT(*) FROM fees_payment")
        migration = threading.Thread(target=migrate)
        migration.start()
        try:
            deadline = time.monotonic() + 20
            while not sandbox.execute(waiting):
                assert time.monotonic() < deadline, "the migration does not wait"
                time.sleep(0.05)
            with closing(sandbox.connect()) as other, closing(other.cursor()) as cursor:
                cursor.execute(patience.format(1))
                with pytest.raises(gave_up[0], match=gave_up[1]):
                    cursor.execute("SELECT COUNT(*) FROM fees_payment")
        finally:
            reading.execute("COMMIT")
            migration.join()
    assert sandbox.execute("SELECT COUNT(method) FROM fees_payment") == [(0,)]


@on("sqlite")
def test_sqlite_has_one_writer_and_readers_go_on_until_the_commit(database, releases):
    with closing(releases.sandbox.connect()) as migration, closing(releases.sandbox.connect()) as office:
        office.execute("PRAGMA busy_timeout = 100")
        migration.execute("BEGIN")
        migration.execute("ALTER TABLE fees_payment ADD COLUMN method varchar(9) NULL")
        assert office.execute("SELECT COUNT(*) FROM fees_payment").fetchone()[0] > 0
        with pytest.raises(sqlite3.OperationalError, match="database is locked"):
            office.execute("UPDATE fees_feehead SET amount = amount")
        migration.execute("COMMIT")
        office.execute("UPDATE fees_feehead SET amount = amount")

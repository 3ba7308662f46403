"""Locks that a migration waits for: each database's own texts, made by a second session, and what the advice costs."""

from __future__ import annotations

import subprocess
import time
from contextlib import closing, contextmanager, suppress
from threading import Thread

import pytest
from advice import last_line, on, on_all_djangos, page_of, write_migration
from migration_runbooks.pages.blocks import read_page

BUSY = "end-blocking-session"
on_both = on("postgresql", "mariadb")
TIMEOUT = {
    "postgresql": "django.db.utils.OperationalError: canceling statement due to lock timeout",
    "mariadb": "django.db.utils.OperationalError: (1205, 'Lock wait timeout exceeded; try restarting transaction')",
}
NOTE = 'migrations.AddField("{}", "remark", models.TextField(null=True))'
WAITS = {
    "postgresql": "SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'",
    "mariadb": "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE DB = DATABASE()"
    " AND (STATE LIKE 'Waiting for%lock' OR INFO LIKE 'UPDATE `fees_payment`%')",
}
UPDATES = """from django.db import migrations


def change(apps, schema_editor):
    apps.get_model("fees", "Invoice").objects.filter(id=1).update(note="by migration")
    apps.get_model("fees", "Payment").objects.filter(id=1).update(receipt_number="by migration")


class Migration(migrations.Migration):
    dependencies = [("fees", "0012_invoice_discount")]
    operations = [migrations.RunPython(change)]
"""


@contextmanager
def open_transaction(sandbox, *statements):
    """A cursor of another session, in a transaction in which the statements were run."""
    with closing(sandbox.connect()) as connection, closing(connection.cursor()) as cursor:
        for statement in ("START TRANSACTION", *statements):
            cursor.execute(statement)
        yield cursor


@contextmanager
def migrating(sandbox):
    """`migrate` in the background, ended with the test."""
    command = subprocess.Popen(
        ["uv", "run", "manage.py", "migrate"], cwd=sandbox.project, env=sandbox.environment, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )
    try:
        yield command
    finally:
        command.terminate()
        command.wait()


def until_it_waits(sandbox):
    deadline = time.monotonic() + 60
    while sandbox.execute(WAITS[sandbox.database]) == [(0,)]:
        assert time.monotonic() < deadline, "the migration never waited"
        time.sleep(0.02)


def without_timeout(sandbox):
    settings = sandbox.project / "acharya/settings.py"
    settings.write_text(settings.read_text().replace("lock_timeout=2s", "lock_timeout=60s").replace("lock_wait_timeout = 2", "lock_wait_timeout = 60"))


def use_models(sandbox, name):
    file = sandbox.project / f"fees/migrations/{name}.py"
    file.write_text(file.read_text().replace("import migrations", "import migrations, models", 1))


def remarks(sandbox):
    return [table for table, lines in sandbox.snapshot().schema.items() if any("column remark" in line for line in lines)]


@on_all_djangos
@on_both
def test_lock_timeout(database, opened):
    sandbox = opened(BUSY, database)
    before = sandbox.snapshot()
    with open_transaction(sandbox, "SELECT COUNT(*) FROM fees_invoice"):
        assert last_line(sandbox.manage("migrate").output) == TIMEOUT[database]
    assert before.difference(sandbox.snapshot()) == []
    assert sandbox.manage("migrate").status == 0


@on_all_djangos
@on("postgresql")
def test_statement_timeout(database, opened):
    sandbox = opened("healthy", database)
    write_migration(sandbox, "fees", "0013_slow", 'migrations.RunSQL("SELECT pg_sleep(30)")')
    done = sandbox.run("uv", "run", "manage.py", "migrate", PGOPTIONS="-c statement_timeout=500")
    assert last_line(done.output) == "django.db.utils.OperationalError: canceling statement due to statement timeout"


@on("postgresql")
def test_options_of_the_settings_win_over_pgoptions(database, opened):
    sandbox = opened(BUSY, database)
    show = "from django.db import connection; c = connection.cursor(); c.execute('SHOW statement_timeout'); print(c.fetchone()[0])"
    asked = {"PGOPTIONS": "-c statement_timeout=1h"}
    assert sandbox.run("uv", "run", "manage.py", "shell", "-v", "0", "-c", show, **asked).output == "0\n"
    settings = sandbox.project / "acharya/settings.py"
    settings.write_text(settings.read_text().replace('{"options": "-c lock_timeout=2s"}', "{}"))
    assert sandbox.run("uv", "run", "manage.py", "shell", "-v", "0", "-c", show, **asked).output == "1h\n"


@on_all_djangos
@on("postgresql")
def test_deadlock_on_postgresql(database, opened):
    sandbox = opened("healthy", database)
    # The migration looks for a deadlock once, a second after it began to wait; its counterpart later.
    write_migration(sandbox, "fees", "0013_two", f'migrations.RunSQL("SET LOCAL lock_timeout = 0"), {NOTE.format("invoice")}, {NOTE.format("payment")}')
    use_models(sandbox, "0013_two")
    with open_transaction(sandbox, "SELECT COUNT(*) FROM fees_payment") as other, migrating(sandbox) as command:
        until_it_waits(sandbox)
        other.execute("SELECT COUNT(*) FROM fees_invoice")
        said = command.communicate(timeout=60)[0]
    assert "\ndjango.db.utils.OperationalError: deadlock detected\nDETAIL:  Process " in said, said
    assert remarks(sandbox) == []


@on_all_djangos
@on("mariadb")
def test_deadlock_on_mariadb(database, opened):
    sandbox = opened("healthy", database)
    (sandbox.project / "fees/migrations/0013_update.py").write_text(UPDATES)
    heavy = "UPDATE fees_payment SET receipt_number = 'by another'"
    with open_transaction(sandbox, heavy) as other, migrating(sandbox) as command:
        until_it_waits(sandbox)
        with suppress(Exception):  # of the two, MariaDB ends the one that changed fewer rows: the migration
            other.execute("UPDATE fees_invoice SET note = 'by another' WHERE id = 1")
        said = command.communicate(timeout=60)[0]
    assert last_line(said) == "django.db.utils.OperationalError: (1213, 'Deadlock found when trying to get lock; try restarting transaction')"
    assert sandbox.execute("SELECT COUNT(*) FROM fees_invoice WHERE note = 'by migration'") == [(0,)]


@on_both
def test_while_the_migration_waits_nobody_can_read_the_table(database, opened):
    sandbox = opened(BUSY, database)
    without_timeout(sandbox)
    limit = {"postgresql": "SET lock_timeout = '500ms'", "mariadb": "SET lock_wait_timeout = 1"}[database]
    with open_transaction(sandbox, "SELECT COUNT(*) FROM fees_invoice") as other, migrating(sandbox) as command:
        until_it_waits(sandbox)
        with closing(sandbox.connect()) as reader, closing(reader.cursor()) as cursor:
            cursor.execute(limit)
            with pytest.raises(Exception, match="lock timeout|Lock wait timeout"):
                cursor.execute("SELECT COUNT(*) FROM fees_invoice")
        other.execute("ROLLBACK")
        assert command.wait(60) == 0


@on_both
def test_without_a_transaction_the_first_operation_stays(database, opened):
    sandbox = opened(BUSY, database)
    write_migration(sandbox, "fees", "0014_two", f"{NOTE.format('feehead')}, {NOTE.format('payment')}", "atomic = False\n")
    use_models(sandbox, "0014_two")
    with open_transaction(sandbox, "SELECT COUNT(*) FROM fees_payment"):
        assert last_line(sandbox.manage("migrate").output) == TIMEOUT[database]
    assert remarks(sandbox) == ["fees_feehead"]
    assert sandbox.execute("SELECT COUNT(*) FROM django_migrations WHERE name = '0014_two'") == [(0,)]


@on_both
def test_fake_records_a_column_that_is_not_there(database, opened):
    sandbox = opened(BUSY, database)
    assert sandbox.manage("migrate", "--fake").status == 0
    assert sandbox.manage("migrate", "--check").status == 0
    assert "reminder" in sandbox.manage("shell", "-v", "0", "-c", "from fees.models import Invoice; list(Invoice.objects.all())").output


@on("postgresql")
def test_loop_of_the_page_gets_through_once_the_other_session_ends(database, opened):
    sandbox = opened(BUSY, database)
    (loop,) = [block.text for block in read_page(page_of("lock-timeout")).blocks if block.text.startswith("for attempt")]
    with open_transaction(sandbox, "SELECT COUNT(*) FROM fees_invoice") as other:
        end = Thread(target=lambda: (time.sleep(5), other.execute("ROLLBACK")))
        end.start()
        done = sandbox.run("bash", "-c", loop)
        end.join()
    assert "canceling statement due to lock timeout" in done.output
    assert done.status == 0 and done.stdout.rstrip().endswith("0013_invoice_reminder... OK"), done.output

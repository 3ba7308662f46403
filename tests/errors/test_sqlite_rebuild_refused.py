"""Each cause gives exactly its text and is repaired as the page says; switching foreign keys off lets orphans in."""

from __future__ import annotations

import pytest
from advice import find_cause, last_line, on, on_all_djangos, write_migration

SLUG = "sqlite-rebuild-refused"
REFUSED = (
    "django.db.utils.NotSupportedError: SQLite schema editor cannot be used while foreign key constraint checks are enabled."
    " Make sure to disable them before entering a transaction.atomic() context because SQLite does not support disabling"
    " them in the middle of a multi-statement transaction."
)
PREPARE = "uv run manage.py shell -v 0 < scripts/prepare_database.py"
STATEMENTS = {
    "ADD COLUMN code varchar(9) UNIQUE": "Cannot add a UNIQUE column",
    "ADD COLUMN code varchar(9) NOT NULL": "Cannot add a NOT NULL column with default value NULL",
}
TEST = """
from django.core.management import call_command
from django.test import TestCase


class Migrations(TestCase):
    def test_back_and_forth(self):
        call_command("migrate", "fees", "0011", verbosity=0)
"""
IN_SETTINGS = '\nDATABASES["default"].setdefault("OPTIONS", {})["init_command"] = "PRAGMA foreign_keys = OFF"\n'
ORPHAN = "from fees.models import Payment; Payment.objects.filter(pk=Payment.objects.first().pk).update(invoice_id=999999)"
on_sqlite = on("sqlite")


@on_all_djangos
@on_sqlite
def test_call_inside_a_transaction_is_refused_and_changes_nothing(database, opened):
    sandbox = opened(SLUG, database)
    before = sandbox.snapshot()
    assert last_line(sandbox.run("bash", "-c", PREPARE).output) == REFUSED
    assert before.difference(sandbox.snapshot()) == []
    assert "call_command" in find_cause(sandbox, SLUG).output


@on_all_djangos
@on_sqlite
@pytest.mark.parametrize("statement", STATEMENTS)
def test_what_sqlite_can_not_add_in_place(database, statement, opened):
    sandbox = opened("healthy", database)
    write_migration(sandbox, "fees", "0013_sql", f"migrations.RunSQL('ALTER TABLE fees_feehead {statement}')")
    before = sandbox.snapshot()
    assert last_line(sandbox.manage("migrate").output) == f"django.db.utils.OperationalError: {STATEMENTS[statement]}"
    assert before.difference(sandbox.snapshot()) == []


@on_sqlite
def test_what_sqlite_can_not_drop_in_place(database, opened):
    sandbox = opened("healthy", database)
    write_migration(sandbox, "students", "0010_sql", "migrations.RunSQL('ALTER TABLE students_student DROP COLUMN admission_number')")
    assert last_line(sandbox.manage("migrate").output) == 'django.db.utils.OperationalError: cannot drop UNIQUE column: "admission_number"'


@on_sqlite
def test_test_case_is_a_transaction_and_transaction_test_case_is_none(database, opened):
    sandbox = opened("healthy", database)
    file = sandbox.project / "fees/tests.py"
    file.write_text(TEST)
    assert REFUSED in sandbox.manage("test", "fees", timeout=300).output
    file.write_text(TEST.replace("TestCase", "TransactionTestCase"))
    done = sandbox.manage("test", "fees", timeout=300)
    assert done.status == 0, done.output


@on_sqlite
@pytest.mark.parametrize("pragma", ["connection.cursor().execute('PRAGMA foreign_keys = OFF')", "connection.disable_constraint_checking()"])
def test_pragma_inside_the_transaction_does_nothing(database, pragma, opened):
    sandbox = opened(SLUG, database)
    file = sandbox.project / "scripts/prepare_database.py"
    file.write_text(file.read_text().replace("import transaction", "import connection, transaction").replace("    call", f"    {pragma}\n    call"))
    assert last_line(sandbox.run("bash", "-c", PREPARE).output) == REFUSED


@on_sqlite
def test_atomic_false_in_the_migration_does_not_help(database, opened):
    sandbox = opened("healthy", database)
    write_migration(sandbox, "fees", "0013_sql", "migrations.RunSQL('SELECT 1')", "atomic = False")
    (sandbox.project / "run.py").write_text(
        "from django.core.management import call_command\nfrom django.db import transaction\n\nwith transaction.atomic():\n    call_command('migrate')\n"
    )
    assert last_line(sandbox.run("bash", "-c", "uv run manage.py shell -v 0 < run.py").output) == REFUSED


@on_sqlite
def test_foreign_keys_switched_off_in_the_settings_let_orphans_in(database, opened):
    sandbox = opened(SLUG, database)
    refused = sandbox.manage("shell", "-v", "0", "-c", ORPHAN)
    assert refused.status == 1 and "FOREIGN KEY constraint failed" in refused.output
    settings = next(sandbox.project.glob("*/settings.py"))
    settings.write_text(settings.read_text() + IN_SETTINGS)
    (sandbox.project / "fees/migrations/0013_fee_head_code.py").unlink()
    write_migration(sandbox, "fees", "0013_nothing", "migrations.RunSQL('SELECT 1')")
    assert sandbox.run("bash", "-c", PREPARE).status == 0
    assert sandbox.manage("shell", "-v", "0", "-c", ORPHAN).status == 0
    write_migration(sandbox, "fees", "0014_nothing", "migrations.RunSQL('SELECT 1')")
    assert "has an invalid foreign key" in last_line(sandbox.manage("migrate").output)


@on_sqlite
def test_fake_leaves_the_column_out(database, opened):
    sandbox = opened(SLUG, database)
    assert sandbox.manage("migrate", "--fake").status == 0
    done = sandbox.manage("shell", "-v", "0", "-c", "from fees.models import FeeHead; FeeHead.objects.first()")
    assert "no such column: fees_feehead.code" in done.output


@on("postgresql", "mariadb")
def test_other_databases_run_the_same_code(database, opened):
    sandbox = opened("healthy", database)
    (sandbox.project / "run.py").write_text(
        "from django.core.management import call_command\nfrom django.db import transaction\n\nwith transaction.atomic():\n    call_command('migrate')\n"
    )
    assert sandbox.run("bash", "-c", "uv run manage.py shell -v 0 < run.py").status == 0

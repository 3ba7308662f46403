"""The page's check finds invalid indexes; what else people are told to do keeps them, and a unique one lets duplicates in."""

from __future__ import annotations

import psycopg
import pytest
from advice import find_cause, last_line, on, on_all_djangos, write_migration

SLUG = "invalid-index"
FAILED = "rebuild-invalid-index"
INDEX = "payment_paid_at_idx"
ATOMIC = "django.db.utils.NotSupportedError: The {}Concurrently operation cannot be executed inside a transaction (set atomic = False on the migration)."
BLOCK = "django.db.utils.InternalError: CREATE INDEX CONCURRENTLY cannot run inside a transaction block"
EXISTS = 'django.db.utils.ProgrammingError: relation "{}" already exists'
UNIQUE = "CREATE UNIQUE INDEX CONCURRENTLY{} one_head ON fees_feehead (name)"
TWICE = "INSERT INTO fees_feehead (name, amount) VALUES ('Twice', 1)"
IMPORTS = "from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently\nfrom django.db import migrations, models\n"
on_postgresql = on("postgresql")


def write(sandbox, name: str, operations: str, attributes: str = "") -> None:
    write_migration(sandbox, "fees", name, operations, attributes)
    file = sandbox.project / f"fees/migrations/{name}.py"
    file.write_text(file.read_text().replace("from django.db import migrations\n", IMPORTS, 1))


def is_valid(sandbox, index: str) -> bool:
    return sandbox.execute(f"SELECT indisvalid FROM pg_index WHERE indexrelid = '{index}'::regclass")[0][0]


def open_with_failed_unique_index(opened, database):
    """Open a world in which a migration met duplicates, so that its unique index is invalid."""
    sandbox = opened("healthy", database)
    sandbox.execute(TWICE)
    sandbox.execute(TWICE)
    write(sandbox, "0013_one_head", f"migrations.RunSQL('{UNIQUE.format('')}')", "atomic = False")
    assert 'could not create unique index "one_head"' in sandbox.manage("migrate").output
    return sandbox


@on_postgresql
def test_check_of_the_page_finds_the_index_and_changes_nothing(database, opened):
    sandbox = opened(FAILED, database)
    before = sandbox.snapshot()
    assert find_cause(sandbox, SLUG).output == f"{INDEX} on fees_payment is invalid\n1 invalid indexes\n"
    assert before.difference(sandbox.snapshot()) == []
    assert find_cause(opened("healthy", database), SLUG).output == "0 invalid indexes\n"


@on_all_djangos
@on_postgresql
@pytest.mark.parametrize("operation, named", [
    ("AddIndexConcurrently('payment', models.Index(fields=['amount'], name='amount_idx'))", "AddIndex"),
    ("RemoveIndexConcurrently('invoice', 'invoice_student_due_idx')", "RemoveIndex"),
])
def test_atomic_migration_is_refused_before_anything_happens(database, operation, named, opened):
    sandbox = opened("healthy", database)
    write(sandbox, "0013_index", operation)
    before = sandbox.snapshot()
    assert last_line(sandbox.manage("migrate").output) == ATOMIC.format(named)
    assert before.difference(sandbox.snapshot()) == []


@on_all_djangos
@on_postgresql
def test_statement_in_an_atomic_migration_is_refused_and_atomic_false_repairs_it(database, opened):
    sandbox = opened("healthy", database)
    write(sandbox, "0013_one_head", f"migrations.RunSQL('{UNIQUE.format('')}')")
    before = sandbox.snapshot()
    assert last_line(sandbox.manage("migrate").output) == BLOCK
    assert before.difference(sandbox.snapshot()) == []
    file = sandbox.project / "fees/migrations/0013_one_head.py"
    file.write_text(file.read_text().replace("    dependencies", "    atomic = False\n    dependencies"))
    assert sandbox.manage("migrate").status == 0 and is_valid(sandbox, "one_head")


@on_postgresql
def test_duplicates_leave_an_index_that_refuses_none_and_the_retry_names_it(database, opened):
    sandbox = open_with_failed_unique_index(opened, database)
    assert last_line(sandbox.manage("migrate").output) == EXISTS.format("one_head")
    sandbox.execute(TWICE)
    done = sandbox.run("runbook", "run", "rebuild-invalid-index", "--apply", "--yes")
    assert done.status != 0 and "fees_feehead has 3 rows with (name)=(Twice)" in done.output
    sandbox.execute("DELETE FROM fees_feehead WHERE name = 'Twice'")
    assert sandbox.run("runbook", "run", "rebuild-invalid-index", "--apply", "--yes").status == 0
    assert sandbox.manage("migrate").status == 0 and is_valid(sandbox, "one_head")


@on_postgresql
def test_index_that_failed_in_its_second_reading_refuses_duplicates(database, opened):
    sandbox = opened("healthy", database)
    with sandbox.connect() as reader, sandbox.connect() as builder:
        reader.autocommit = False
        reader.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        reader.execute("SELECT count(*) FROM fees_payment")
        builder.execute("SET lock_timeout = '300ms'")
        with pytest.raises(psycopg.errors.LockNotAvailable):
            builder.execute(UNIQUE.format(""))
    assert not is_valid(sandbox, "one_head")
    sandbox.execute(TWICE)
    with pytest.raises(psycopg.errors.UniqueViolation):
        sandbox.execute(TWICE)


@on_postgresql
def test_if_not_exists_keeps_the_invalid_index_and_duplicates_come_in(database, opened):
    sandbox = open_with_failed_unique_index(opened, database)
    file = sandbox.project / "fees/migrations/0013_one_head.py"
    file.write_text(file.read_text().replace("CONCURRENTLY", "CONCURRENTLY IF NOT EXISTS"))
    assert sandbox.manage("migrate").status == 0
    assert not is_valid(sandbox, "one_head")
    sandbox.execute(TWICE)


@on_postgresql
def test_fake_hides_the_invalid_index(database, opened):
    sandbox = opened(FAILED, database)
    assert sandbox.manage("migrate", "fees", "0013", "--fake").status == 0
    assert sandbox.manage("migrate", "--check").status == 0
    assert sandbox.manage("makemigrations", "--check").status == 0
    assert not is_valid(sandbox, INDEX)


@on_postgresql
def test_add_index_locks_out_every_write(database, opened):
    sandbox = opened("healthy", database)
    locks = "SELECT 1 / count(*) FROM pg_locks WHERE pid = pg_backend_pid() AND relation = ''fees_payment''::regclass AND mode = ''ShareLock''"
    write(sandbox, "0013_index", "migrations.AddIndex('payment', models.Index(fields=['amount'], name='amount_idx')),"
          f" migrations.RunSQL(\"{locks.replace(chr(39) * 2, chr(39))}\")")
    done = sandbox.manage("migrate")
    assert done.status == 0, done.output
    with sandbox.connect() as building, sandbox.connect() as writing:
        building.autocommit = False
        building.execute("LOCK TABLE fees_payment IN SHARE MODE")
        writing.execute("SET lock_timeout = '200ms'")
        with pytest.raises(psycopg.errors.LockNotAvailable):
            writing.execute("UPDATE fees_payment SET amount = amount")


@on_postgresql
def test_column_before_a_failed_index_stays(database, opened):
    sandbox = opened("healthy", database)
    sandbox.execute(TWICE)
    sandbox.execute(TWICE)
    write(sandbox, "0013_both", "migrations.AddField('feehead', 'code', models.TextField(null=True)),"
          f" migrations.RunSQL('{UNIQUE.format('')}')", "atomic = False")
    assert 'could not create unique index "one_head"' in sandbox.manage("migrate").output
    assert last_line(sandbox.manage("migrate").output).endswith('column "code" of relation "fees_feehead" already exists')

"""Every cause gives exactly the message; the page's check finds it before `migrate`; what people are told costs data."""

from __future__ import annotations

from contextlib import closing

from advice import find_cause, last_line, on, on_all, on_all_djangos, write_migration
from sqlite_alone import on_sqlite_alone

SLUG = "null-values-found"
WORLD = "fill-null-values"
NULLS = "SELECT COUNT(*) FROM fees_invoice WHERE note IS NULL"
EMPTY = "SELECT COUNT(*) FROM fees_invoice WHERE note = ''"
REQUIRED = {
    "sqlite": "django.db.utils.IntegrityError: NOT NULL constraint failed: new__fees_invoice.note",
    "postgresql": 'django.db.utils.IntegrityError: column "note" of relation "fees_invoice" contains null values',
    "mariadb": "django.db.utils.DataError: (1265, \"Data truncated for column 'note' at row 1\")",
}
ADDED = {
    "sqlite": "django.db.utils.IntegrityError: NOT NULL constraint failed: new__fees_invoice.grade",
    "postgresql": 'django.db.utils.IntegrityError: column "grade" of relation "fees_invoice" contains null values',
}
WRITTEN = {
    "sqlite": "django.db.utils.IntegrityError: NOT NULL constraint failed: fees_invoice.number",
    "postgresql": 'django.db.utils.IntegrityError: null value in column "number" of relation "fees_invoice" violates not-null constraint',
    "mariadb": "django.db.utils.IntegrityError: (1048, \"Column 'number' cannot be null\")",
}
GRADE = 'migrations.AddField("invoice", "grade", models.IntegerField())'
APPLICATION = (
    'migrations.AlterField("invoice", "application", models.ForeignKey("admissions.Application",'
    " on_delete=models.PROTECT, default=1), preserve_default=False)"
)


def add_migration(sandbox, operations: str) -> None:
    write_migration(sandbox, "fees", "0013_change", operations)
    file = sandbox.project / "fees/migrations/0013_change.py"
    file.write_text(file.read_text().replace("import migrations", "import migrations, models", 1))


def count(sandbox, query: str) -> int:
    return sandbox.execute(query)[0][0]


def test_check_of_the_page_says_what_is_not_there_yet(opened):
    sandbox = opened("healthy", "sqlite")
    add_migration(sandbox, f"{GRADE[:-2]}null=True)), {GRADE.replace('AddField', 'AlterField')}")
    found = find_cause(sandbox, SLUG)
    told = "fees.0013_change: fees_invoice.grade is not there yet. Run this again when the migrations before it are applied."
    assert (found.status, found.output) == (0, f"{told}\nColumns that stand in the way: 0\n")


@on_all_djangos
@on_all
def test_rows_hold_null(database, opened):
    sandbox = opened(WORLD, database)
    before, nulls = sandbox.snapshot(), count(sandbox, NULLS)
    assert last_line(sandbox.manage("migrate").output) == REQUIRED[database]
    found = find_cause(sandbox, SLUG)
    assert found.status == 1
    assert found.output.startswith(f"fees.0013_require_note: fees_invoice.note holds NULL in {nulls} of ")
    assert before.difference(sandbox.snapshot()) == []
    healthy = find_cause(opened("healthy", database), SLUG)
    assert (healthy.status, healthy.output) == (0, "Columns that stand in the way: 0\n")


@on_all_djangos
@on("sqlite", "postgresql")
def test_column_has_no_default(database, opened):
    sandbox = opened("healthy", database)
    add_migration(sandbox, GRADE)
    assert last_line(sandbox.manage("migrate").output) == ADDED[database]
    assert "fees.0013_change: fees_invoice.grade is added without a default to " in find_cause(sandbox, SLUG).output
    file = sandbox.project / "fees/migrations/0013_change.py"
    file.write_text(file.read_text().replace("IntegerField()", "IntegerField(null=True)"))
    assert find_cause(sandbox, SLUG).status == 0
    assert sandbox.manage("migrate").status == 0


@on("mariadb")
def test_column_without_a_default_is_0_in_every_row(database, opened):
    sandbox = opened("healthy", database)
    add_migration(sandbox, GRADE)
    assert "fees_invoice.grade is added without a default to " in find_cause(sandbox, SLUG).output
    assert sandbox.manage("migrate").status == 0
    assert count(sandbox, "SELECT COUNT(*) FROM fees_invoice WHERE grade <> 0") == 0


@on_all_djangos
@on_all
def test_migration_writes_null(database, opened):
    sandbox = opened("healthy", database)
    add_migration(sandbox, "migrations.RunSQL('UPDATE fees_invoice SET number = NULL')")
    assert WRITTEN[database] in sandbox.manage("migrate").output.splitlines()
    assert find_cause(sandbox, SLUG).output == "Columns that stand in the way: 0\n"


def test_unattended_makemigrations_writes_a_migration_that_can_not_run_and_says_so_in_one_line(opened):
    sandbox = opened("healthy", "sqlite")
    models = sandbox.project / "fees/models.py"
    models.write_text(models.read_text().replace("note = models.TextField(null=True, blank=True)", "note = models.TextField()"))
    done = sandbox.manage("makemigrations", "fees", "--noinput")
    assert done.status == 0
    assert "Field 'note' on model 'invoice' given a default of NOT PROVIDED and must be corrected.\n" in done.output
    assert last_line(sandbox.manage("migrate").output) == REQUIRED["sqlite"]


def test_deleted_rows_leave_payments_that_point_to_nothing_on_sqlite(opened):
    sandbox = opened(WORLD, "sqlite")
    sandbox.execute("DELETE FROM fees_invoice WHERE note IS NULL")
    assert count(sandbox, "SELECT COUNT(*) FROM fees_payment WHERE invoice_id NOT IN (SELECT id FROM fees_invoice)") > 0


@on("postgresql", "mariadb")
def test_servers_refuse_to_delete_them(database, opened):
    sandbox = opened(WORLD, database)
    before = sandbox.snapshot()
    try:
        sandbox.execute("DELETE FROM fees_invoice WHERE note IS NULL")
    except Exception as error:
        assert "foreign key constraint" in str(error)
    else:
        raise AssertionError("nothing refused it")
    assert before.difference(sandbox.snapshot()) == []


@on_all
def test_one_off_default_for_a_foreign_key_is_a_lie_in_every_row(database, opened):
    sandbox = opened("healthy", database)
    named = "SELECT COUNT(*) FROM fees_invoice WHERE application_id = 1"
    nulls = count(sandbox, "SELECT COUNT(*) FROM fees_invoice WHERE application_id IS NULL")
    assert nulls > 1 and count(sandbox, named) == 1
    add_migration(sandbox, APPLICATION)
    assert sandbox.manage("migrate").status == 0
    assert count(sandbox, named) == nulls + 1


@on_all_djangos
@on_all
def test_blank_text_is_filled_unasked_on_sqlite_alone(database, opened):
    sandbox = opened("healthy", database)
    nulls, empty = count(sandbox, NULLS), count(sandbox, EMPTY)
    add_migration(sandbox, 'migrations.AlterField("invoice", "note", models.TextField(blank=True))')
    done = sandbox.manage("migrate")
    if database == "sqlite":
        assert done.status == 0 and (count(sandbox, NULLS), count(sandbox, EMPTY)) == (0, nulls + empty)
    else:
        assert last_line(done.output) == REQUIRED[database]
        assert (count(sandbox, NULLS), count(sandbox, EMPTY)) == (nulls, empty)


@on_sqlite_alone
def test_fake_leaves_the_column_as_it_was(database, opened):
    sandbox = opened(WORLD, database)
    nulls = count(sandbox, NULLS)
    assert sandbox.manage("migrate", "fees", "0013", "--fake").status == 0
    assert sandbox.manage("migrate", "--check").status == 0
    sandbox.execute("UPDATE fees_invoice SET note = NULL WHERE note = ''")
    assert count(sandbox, NULLS) > nulls


@on("mariadb")
def test_without_strict_mode_null_becomes_an_empty_text(database, opened):
    sandbox = opened(WORLD, database)
    nulls, empty = count(sandbox, NULLS), count(sandbox, EMPTY)
    with closing(sandbox.connect()) as connection, closing(connection.cursor()) as cursor:
        cursor.execute("SET SESSION sql_mode = ''")
        cursor.execute("ALTER TABLE fees_invoice MODIFY note longtext NOT NULL")
    assert (count(sandbox, NULLS), count(sandbox, EMPTY)) == (0, nulls + empty)

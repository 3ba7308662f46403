"""Every cause gives exactly the message; the page's check tells them apart; usual advice hides the cause or loses data."""

from __future__ import annotations

import pytest
from advice import find_cause, on_all, on_all_djangos, write_migration
from migration_runbooks.pages.match import matches

SLUG = "missing-table-or-column"
FAKED = "undo-wrong-fake:forward"
READ = "from fees.models import {0}; print(len({0}.objects.all()))"
NO_COLUMN = {
    "sqlite": "django.db.utils.OperationalError: no such column: fees_invoice.{}",
    "postgresql": "django.db.utils.ProgrammingError: column fees_invoice.{} does not exist",
    "mariadb": "django.db.utils.OperationalError: (1054, \"Unknown column 'fees_invoice.{}' in '[..]'\")",
}
NO_COLUMN_TO_WRITE = {
    "sqlite": "django.db.utils.OperationalError: table fees_feehead has no column named note",
    "postgresql": 'django.db.utils.ProgrammingError: column "note" of relation "fees_feehead" does not exist',
    "mariadb": "django.db.utils.OperationalError: (1054, \"Unknown column 'note' in '[..]'\")",
}
NO_TABLE = {
    "sqlite": "django.db.utils.OperationalError: no such table: {}",
    "postgresql": 'django.db.utils.ProgrammingError: relation "{}" does not exist',
    "mariadb": "django.db.utils.ProgrammingError: (1146, \"Table '[..].{}' doesn't exist\")",
}
REAL_MODEL = """
from django.db import migrations

def forwards(apps, schema_editor):
    from fees.models import Invoice
    print(len(Invoice.objects.all()))

class Migration(migrations.Migration):
    dependencies = [("fees", "0012_invoice_discount")]
    operations = [migrations.RunPython(forwards)]
"""
FIELD = "note = models.TextField(null=True, blank=True)"


def fails_with(done, text: str) -> bool:
    """Whether a command failed, and one line of what it printed is the text."""
    return done.status != 0 and any(matches(text, line) for line in done.output.splitlines())


def read(sandbox, model: str, **variables: str):
    return sandbox.run("uv", "run", "manage.py", "shell", "-v", "0", "-c", READ.format(model), **variables)


def add_field(sandbox, name: str, after: str) -> None:
    models = sandbox.project / "fees" / "models.py"
    models.write_text(models.read_text().replace(after, f"{after}\n    {name} = models.DateField(null=True)", 1))


@on_all
@on_all_djangos
def test_migrations_that_wait(database, opened):
    sandbox = opened("healthy", database)
    assert find_cause(sandbox, SLUG).output.count("\n") == 1
    assert sandbox.manage("migrate", "fees", "0008").status == 0
    assert fails_with(read(sandbox, "Scholarship"), NO_TABLE[database].format("fees_scholarship"))
    assert fails_with(read(sandbox, "Invoice"), NO_COLUMN[database].format("discount"))
    before = sandbox.snapshot()
    printed = find_cause(sandbox, SLUG).output.splitlines()[1:]
    assert [line.split(" waits")[1] for line in printed] == ["", "", "", ""]
    assert before.difference(sandbox.snapshot()) == []
    assert sandbox.manage("migrate").status == 0 and read(sandbox, "Invoice").status == 0


@on_all
@on_all_djangos
def test_column_that_is_written(database, opened):
    sandbox = opened("healthy", database)
    add_field(sandbox, "note", "name = models.CharField(max_length=50)")
    done = sandbox.manage("shell", "-v", "0", "-c", "from fees.models import FeeHead; FeeHead.objects.create(name='x', amount=1)")
    assert fails_with(done, NO_COLUMN_TO_WRITE[database]), done.output


@on_all
@on_all_djangos
def test_recorded_but_never_made(database, opened):
    sandbox = opened(FAKED, database)
    assert sandbox.manage("migrate", "--check").status == 0
    assert fails_with(read(sandbox, "Invoice"), NO_COLUMN[database].format("discount"))
    assert "fees.0012_invoice_discount is recorded, and these do not exist: fees_invoice.discount\n" in find_cause(sandbox, SLUG).output
    repaired = sandbox.run("runbook", "run", "undo-wrong-fake", "--apply", "--yes")
    assert repaired.status == 0 and sandbox.manage("migrate").status == 0 and read(sandbox, "Invoice").status == 0


@on_all
@on_all_djangos
def test_another_database(database, opened):
    """On PostgreSQL a search_path that looks elsewhere does what another database does."""
    sandbox = opened("healthy", database)
    if database == "mariadb":
        ((name,),) = sandbox.execute("SELECT DATABASE()")
        sandbox.execute(f"CREATE DATABASE {name}_other")
        other = {"DATABASE_URL": sandbox.environment["DATABASE_URL"].replace(name, f"{name}_other")}
    else:
        other = {"DATABASE_URL": "sqlite:///other.sqlite3"} if database == "sqlite" else {"PGOPTIONS": "-c search_path=elsewhere"}
    assert fails_with(read(sandbox, "Invoice", **other), NO_TABLE[database].format("fees_invoice"))
    assert read(sandbox, "Invoice").status == 0


@on_all
@on_all_djangos
def test_migration_that_imports_the_model_of_today(database, opened):
    sandbox = opened("healthy", database)
    file = sandbox.project / "fees/migrations/0013_count.py"
    file.write_text(REAL_MODEL)
    add_field(sandbox, "paid_on", FIELD)
    assert sandbox.manage("makemigrations", "fees").status == 0
    assert fails_with(sandbox.manage("migrate"), NO_COLUMN[database].format("paid_on"))
    file.write_text(REAL_MODEL.replace("from fees.models import Invoice", 'Invoice = apps.get_model("fees", "Invoice")'))
    assert sandbox.manage("migrate").status == 0


@on_all
@on_all_djangos
def test_query_at_import(database, opened):
    sandbox = opened("healthy", database)
    assert sandbox.manage("migrate", "fees", "0008").status == 0
    urls = sandbox.project / "acharya/urls.py"
    text = urls.read_text()
    urls.write_text(f"{text}\nfrom fees.models import Scholarship\nCHOICES = list(Scholarship.objects.all())\n")
    done = sandbox.manage("migrate")
    assert fails_with(done, NO_TABLE[database].format("fees_scholarship")) and "Running migrations" not in done.output
    urls.write_text(f"{text}\nfrom fees.models import Scholarship\ndef choices():\n    return list(Scholarship.objects.all())\n")
    assert sandbox.manage("migrate").status == 0


@on_all
def test_fake_makes_every_check_green_and_keeps_the_error(database, opened):
    sandbox = opened("healthy", database)
    assert sandbox.manage("migrate", "fees", "0011").status == 0
    assert sandbox.manage("migrate", "--run-syncdb", "--fake").status == 0
    assert sandbox.manage("migrate", "--check").status == 0
    assert fails_with(read(sandbox, "Invoice"), NO_COLUMN[database].format("discount"))


def test_run_syncdb_makes_nothing_for_an_app_with_migrations(opened):
    sandbox = opened(FAKED, "sqlite")
    assert sandbox.manage("migrate", "--run-syncdb").status == 0
    assert fails_with(read(sandbox, "Invoice"), NO_COLUMN["sqlite"].format("discount"))


@on_all
def test_fake_to_zero_stops_at_the_first_table_that_exists(database, opened):
    sandbox = opened(FAKED, database)
    assert sandbox.manage("migrate", "fees", "zero", "--fake").status == 0
    done = sandbox.manage("migrate")
    assert done.status == 1 and "Applying fees.0001_initial..." in done.output and "already exists" in done.output


def test_rebuild_over_a_missing_column_writes_its_name_into_every_row_on_sqlite(opened):
    sandbox = opened("healthy", "sqlite")
    sandbox.execute("ALTER TABLE fees_payment DROP COLUMN receipt_number")
    operation = 'migrations.AlterField("payment", "amount", models.DecimalField(max_digits=12, decimal_places=2))'
    write_migration(sandbox, "fees", "0013_wider", operation)
    file = sandbox.project / "fees/migrations/0013_wider.py"
    file.write_text(file.read_text().replace("import migrations", "import migrations, models", 1))
    done = sandbox.manage("migrate")
    assert done.status == 0, done.output
    assert sandbox.execute("SELECT DISTINCT receipt_number FROM fees_payment") == [("receipt_number",)]


@pytest.mark.parametrize("world", ["adopt-existing-table", "adopt-existing-column"])
def test_check_of_the_page_says_what_is_there_though_its_migration_waits(world, opened):
    assert " waits, and these exist: " in find_cause(opened(world, "sqlite"), SLUG).output

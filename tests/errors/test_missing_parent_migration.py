"""The page's check says where the file went; advice that makes the error go makes the tables a second time."""

from __future__ import annotations

from advice import START_AGAIN, find_cause, last_line, migration_files, on_all, on_all_djangos
from sqlite_alone import on_sqlite_alone

SLUG = "missing-parent-migration"
DELETED = "restore-missing-migration"
RENAMED = "restore-missing-migration:renamed"
ERROR = (
    "django.db.migrations.exceptions.NodeNotFoundError: Migration fees.0010_invoice_student_due_index dependencies "
    "reference nonexistent parent node ('fees', '0009_scholarship')"
)
LOST = "fees/migrations/0009_scholarship.py"
DEPENDENT = "fees/migrations/0010_invoice_student_due_index.py"
LAST = "fees/migrations/0012_invoice_discount.py"
EMPTY = (
    "from django.db import migrations\n\n\nclass Migration(migrations.Migration):\n"
    '    dependencies = [("fees", "0008_payment_amount_positive")]\n'
)
EXISTS = {
    "sqlite": 'django.db.utils.OperationalError: table "fees_scholarship" already exists',
    "postgresql": 'django.db.utils.ProgrammingError: relation "fees_scholarship" already exists',
    "mariadb": "django.db.utils.OperationalError: (1050, \"Table 'fees_scholarship' already exists\")",
}


def depend_on(sandbox, file: str, app: str, name: str) -> None:
    path = sandbox.project / file
    path.write_text(path.read_text().replace("dependencies = [", f'dependencies = [("{app}", "{name}"), '))


def made_again(sandbox, database: str) -> bool:
    """Whether the next migration makes the tables of the lost one, and stops because they exist."""
    written = sandbox.manage("makemigrations", "fees")
    assert written.status == 0 and "Create model Scholarship" in written.output, written.output
    return EXISTS[database] in sandbox.manage("migrate").output.splitlines()


@on_sqlite_alone
def test_check_of_the_page_names_the_deleted_file(database, opened):
    printed = find_cause(opened(DELETED, database), SLUG).output
    assert "fees.0009_scholarship is missing, and was applied here" in printed
    assert f"D\t{LOST}" in printed


def test_check_of_the_page_names_the_renamed_file(opened):
    assert f"R100\t{LOST}\tfees/migrations/0009_add_scholarships.py" in find_cause(opened(RENAMED, "sqlite"), SLUG).output


@on_all
@on_all_djangos
def test_each_cause_raises_the_same_text(database, opened):
    for world in (DELETED, RENAMED):
        assert last_line(opened(world, database).manage("migrate").output) == ERROR
    ignored = opened("healthy", database)
    (ignored.project / LOST).unlink()
    assert last_line(ignored.manage("migrate").output) == ERROR


@on_all
def test_check_of_the_page_tells_a_removed_app_from_a_package_with_other_names(database, opened):
    sandbox = opened(DELETED, database)
    (sandbox.project / LOST).write_text(EMPTY)
    depend_on(sandbox, LAST, "auth", "0099_gone")
    depend_on(sandbox, LAST, "library", "0001_initial")
    text = "Migration fees.0012_invoice_discount dependencies reference nonexistent parent node ('{}', '{}')"
    assert last_line(sandbox.manage("migrate").output).endswith(text.format("library", "0001_initial"))
    printed = find_cause(sandbox, SLUG).output
    assert "auth.0099_gone is missing, and was not applied here\nIts package ships: 0001_initial" in printed
    assert "library.0001_initial is missing, and was not applied here\nThe app library is not installed\nMissing migrations: 2" in printed


def test_every_command_but_shell_and_check_stops_with_the_same_error(opened):
    sandbox = opened(DELETED, "sqlite")
    for command in ("makemigrations", "showmigrations", "migrate --fake", "migrate --plan", "sqlmigrate fees 0010", "squashmigrations fees 0010"):
        done = sandbox.manage(*command.split())
        assert done.status == 1 and last_line(done.output) == ERROR, command
    assert "no issues" in sandbox.manage("check").output
    assert sandbox.manage("shell", "-v", "0", "-c", "print(1)").status == 0


@on_all
def test_another_number_makes_the_tables_a_second_time(database, opened):
    sandbox = opened(DELETED, database)
    file = sandbox.project / DEPENDENT
    file.write_text(file.read_text().replace("0009_scholarship", "0008_payment_amount_positive"))
    assert sandbox.manage("migrate", "--check").status == 0
    assert made_again(sandbox, database)


@on_all
def test_empty_file_makes_them_a_second_time_and_a_new_database_never_gets_them(database, opened):
    sandbox, new = opened(DELETED, database), opened("empty", database)
    for each in (sandbox, new):
        (each.project / LOST).write_text(EMPTY)
    assert made_again(sandbox, database)
    done = new.manage("migrate")
    assert done.status == 0, done.output
    assert "fees_scholarship" not in new.snapshot().rows
    assert "fees_invoice" in new.snapshot().rows


@on_all
def test_start_again_loses_rows_or_stops_at_what_exists(database, opened):
    sandbox = opened(DELETED, database)
    before, files = sandbox.snapshot(), migration_files(sandbox)
    done = sandbox.run("bash", "-c", START_AGAIN)
    assert "fees/migrations/0006_number_existing_invoices.py" in files - migration_files(sandbox)
    if database == "sqlite":
        assert before.rows["fees_invoice"] and not sandbox.snapshot().rows["fees_invoice"]
    else:
        assert done.status == 1 and ("already exists" in last_line(done.output) or "Duplicate" in last_line(done.output))

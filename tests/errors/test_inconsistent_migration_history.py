"""The page tells the causes apart; what else people are told to do destroys data, or Django itself."""

from __future__ import annotations

import shutil
import sysconfig
from pathlib import Path

import pytest
from advice import DELETE_MIGRATIONS, START_AGAIN, find_cause, last_line, migration_files, on, on_all_djangos

SLUG = "inconsistent-migration-history"
LOST = "repair-migration-history"
ERROR = "InconsistentMigrationHistory: Migration admin.0001_initial is applied before its dependency users.0001_initial"
FAKES = ["--fake", "--fake users", "--fake users 0001", "--fake-initial", "users --prune", "admin zero --fake", "--check"]
NOWHERE = "Rows of apps that are not installed: none\nRows without a file: none\n"
CAUSES = {
    "repair-migration-history": (
        "users.0001_initial has no row; 18 of its 18 columns exist\nadmin.0001_initial has a row; 8 of its 8 columns exist\n"
        + NOWHERE,
    ),
    "repair-migration-history:copied": (
        "fees.0011_payment_received_by has no row; 0 of its 1 columns exist\n"
        "fees.0012_invoice_discount has a row; 0 of its 1 columns exist\n" + NOWHERE,
    ),
    "move-dependency-to-new-migration": (
        "attendance.0008_leave_request_approved_at has no row; 0 of its 1 columns exist\n"
        "fees.0002_payment has a row; 5 of its 5 columns exist\n" + NOWHERE,
    ),
    "move-dependency-to-new-migration:run-before": (
        "attendance.0008_leave_request_approved_at has no row; 0 of its 1 columns exist\n"
        "fees.0002_payment has a row; 5 of its 5 columns exist\n" + NOWHERE,
    ),
    "switch-to-custom-user": (
        "users.0001_initial has no row; 0 of its",
        "Rows of apps that are not installed: none",
        "User model users.User; table auth_user exists",
    ),
    "rename-app": ("Rows of apps that are not installed: users.0001_initial ",),
}


@pytest.mark.parametrize("world", CAUSES)
def test_check_of_the_page_tells_the_causes_apart_and_changes_nothing(world, opened):
    sandbox = opened(world, "sqlite")
    before = sandbox.snapshot()
    done = find_cause(sandbox, SLUG)
    assert done.status == 0, done.output
    for part in CAUSES[world]:
        assert part in done.output
    assert ("table auth_user exists" in done.output) == (world == "switch-to-custom-user")
    assert before.difference(sandbox.snapshot()) == []


def test_check_of_the_page_sees_a_renamed_file(opened):
    sandbox = opened("healthy", "sqlite")
    sandbox.run("bash", "-c", "mv users/migrations/0001_initial.py users/migrations/0001_custom_user.py")
    sandbox.run("bash", "-c", "sed -i 's/\"users\", \"0001_initial\"/\"users\", \"0001_custom_user\"/' */migrations/*.py")
    assert "is applied before its dependency users.0001_custom_user" in sandbox.manage("migrate").output
    assert "Rows without a file: users.0001_initial\n" in find_cause(sandbox, SLUG).output


@on_all_djangos
def test_no_form_of_fake_gets_past_the_error(opened):
    sandbox = opened(LOST, "sqlite")
    for arguments in FAKES:
        done = sandbox.manage("migrate", *arguments.split())
        assert done.status == 1 and ERROR in last_line(done.output), arguments


def test_check_showmigrations_and_tests_see_nothing(opened):
    sandbox = opened(LOST, "sqlite")
    for command in ("check", "showmigrations", "test"):
        assert sandbox.manage(command).status == 0, command


def test_start_again_loses_every_row_on_sqlite(opened):
    sandbox = opened(LOST, "sqlite")
    before, files = sandbox.snapshot(), migration_files(sandbox)
    assert sandbox.run("bash", "-c", START_AGAIN).status == 0
    after = sandbox.snapshot()
    for table in ("users_user", "students_student", "fees_invoice", "fees_payment"):
        assert before.rows[table] and not after.rows[table]
    assert "fees/migrations/0006_number_existing_invoices.py" in files - migration_files(sandbox)


@on("postgresql", "mariadb")
def test_start_again_keeps_the_error_on_a_server_and_loses_the_files(database, opened):
    sandbox = opened(LOST, database)
    before, files = sandbox.snapshot(), migration_files(sandbox)
    done = sandbox.run("bash", "-c", START_AGAIN)
    assert done.status == 1 and ERROR in last_line(done.output)
    assert before.difference(sandbox.snapshot()) == []
    assert len(files - migration_files(sandbox)) > 30


def test_deleting_migrations_with_find_destroys_django_in_a_virtual_environment_of_the_project(opened):
    sandbox = opened("healthy", "sqlite")
    python, packages = environment_in(sandbox)
    engine = packages / "django/db/migrations"
    before = {file.relative_to(packages) for file in packages.rglob("*.py")}
    assert sandbox.run(python, "manage.py", "check").status == 0

    sandbox.run("bash", "-c", DELETE_MIGRATIONS)

    lost = before - {file.relative_to(packages) for file in packages.rglob("*.py")}
    assert {"executor.py", "loader.py", "migration.py", "recorder.py"} <= {file.name for file in lost}
    assert [file.name for file in engine.glob("*.py")] == ["__init__.py"]
    assert len(lost) == 40
    broken = sandbox.run(python, "manage.py", "check")
    assert last_line(broken.output) == "ModuleNotFoundError: No module named 'django.db.migrations.migration'"
    installed = sandbox.run("uv", "pip", "install", "--no-deps", "--python", python, "django")
    assert installed.status == 0 and sandbox.run(python, "manage.py", "check").output == broken.output


def environment_in(sandbox) -> tuple[Path, Path]:
    """Make a virtual environment with a Django of its own in the project: its Python, and the folder of its packages."""
    made = sandbox.run("python", "-m", "venv", "--without-pip", ".venv")
    assert made.status == 0, made.output
    ours = Path(sysconfig.get_path("purelib"))
    packages = next((sandbox.project / ".venv/lib").glob("python*/site-packages"))
    for part in ("django", *(folder.name for folder in ours.glob("django-5*.dist-info"))):
        shutil.copytree(ours / part, packages / part, ignore=shutil.ignore_patterns("*.po", "__pycache__"))
    (packages / "others.pth").write_text(f"{ours}\n")
    return sandbox.project / ".venv/bin/python", packages


def test_emptying_the_history_and_fake_initial_erases_columns_on_sqlite(opened):
    sandbox = opened(LOST, "sqlite")
    before, accounts = sandbox.snapshot(), "SELECT COUNT(user_id) > 0 FROM students_student"
    assert sandbox.execute(accounts) == [(1,)]
    sandbox.execute("DELETE FROM django_migrations")
    done = sandbox.manage("migrate", "--fake-initial")
    assert "students.0002_student_user... OK" in done.output
    assert 'table "students_student_guardians" already exists' in last_line(done.output)
    lost = "\n".join(before.difference(sandbox.snapshot(), ignore={"django_migrations"}))
    assert "- students_student: column admission_number" in lost
    assert "- students_student: column older_sibling_id" in lost
    assert sandbox.execute(accounts) == [(0,)]


@on("postgresql", "mariadb")
def test_emptying_the_history_and_fake_initial_stops_at_once_on_a_server(database, opened):
    sandbox = opened(LOST, database)
    before = sandbox.snapshot()
    sandbox.execute("DELETE FROM django_migrations")
    done = sandbox.manage("migrate", "--fake-initial")
    assert done.status == 1 and "contenttypes.0002_remove_content_type_name..." in done.output
    assert before.difference(sandbox.snapshot(), ignore={"django_migrations"}) == []


def test_running_a_lost_migration_again_resets_its_column_on_sqlite(opened):
    sandbox = opened("healthy", "sqlite")
    given = "SELECT COUNT(*) FROM fees_invoice WHERE discount <> 0"
    assert sandbox.execute(given) == [(12,)]
    sandbox.execute("DELETE FROM django_migrations WHERE app = 'fees' AND name = '0012_invoice_discount'")
    done = sandbox.manage("migrate")
    assert done.status == 0 and last_line(done.output).endswith("fees.0012_invoice_discount... OK")
    assert sandbox.execute(given) == [(0,)]

"""What can't be had is refused before the first change, with the reason and the next command."""

from __future__ import annotations

import pytest
from resetting import plant_circle
from sqlite_alone import on_sqlite_alone

LEAF = "0012_invoice_discount"


@pytest.mark.parametrize(("words", "message"), [
    ((), "Name at least one app"),
    (("nothing",), "There is no app 'nothing' in INSTALLED_APPS. Apps of this project with migrations: admissions, attendance, fees, students, users."),
    (("auth",), "auth is not an app of this project"),
    (("notes",), "notes has no migrations"),
    (("fees", "--database=archive"), "There is no database 'archive' in DATABASES"),
    (("fees", "--carry-over=fees.0001_initial"), "'fees.0001_initial' is no migration of these apps with operations that makemigrations can't write. Those are: fees.0006_number_existing_invoices."),
    (("fees", "--carry-over=fees.0006_number_existing_invoices", "--leave-out=fees.0006_number_existing_invoices"), "carry it over or leave it out, not both"),
], ids=lambda value: value[0] if value and isinstance(value, tuple) else "")  # fmt: skip
@on_sqlite_alone
def test_bad_input(acharya_reset, words, message):
    acharya_reset.add("notes/__init__.py", "")
    acharya_reset.add("notes/models.py", "from django.db import models\n\n\nclass Note(models.Model):\n    pass\n")
    acharya_reset.settings('INSTALLED_APPS += ["notes"]')
    acharya_reset.refused(message, *words, status=2)


@on_sqlite_alone
def test_resume_and_undo_without_a_reset(acharya_reset):
    acharya_reset.refused("There is no reset to undo", "--undo", status=2, apply=False)
    acharya_reset.refused("--undo takes no app", "fees", "--undo", status=2, apply=False)
    assert acharya_reset.command("--resume").output.startswith("Nothing to resume")


def uncommitted(reset):
    git = ("git", "-c", "user.name=A", "-c", "user.email=a@example.org")
    for command in (("init", "-q"), ("add", "."), ("commit", "-qm", "All")):
        assert reset.sandbox.run(*git, *command).status == 0
    reset.edit("fees/migrations/0003_invoice_application.py", "class", "# new\nclass")


def model_changed(reset):
    reset.edit("fees/models.py", "    discount = models", "    late = models.IntegerField(default=0)\n    discount = models")


def not_applied(reset):
    reset.migration("fees", "0013_nothing", LEAF)


def not_applied_elsewhere(reset):
    reset.migration("attendance", "0009_nothing", "0008_leave_request_approved_at")


def package_depends(reset):
    for file in ("__init__.py", "migrations/__init__.py"):
        reset.add(f"site-packages/borrowed/{file}", "")
    reset.add(
        "site-packages/borrowed/migrations/0001_initial.py",
        f'from django.db import migrations\n\n\nclass Migration(migrations.Migration):\n    dependencies = [("fees", "{LEAF}")]\n',
    )
    reset.settings('import sys\nsys.path.append(str(BASE_DIR / "site-packages"))\nINSTALLED_APPS += ["borrowed"]')
    reset.migrate()


def run_before(reset):
    reset.edit(f"fees/migrations/{LEAF}.py", "    operations", '    run_before = [("attendance", "0008_leave_request_approved_at")]\n    operations')


def computed_dependencies(reset):
    reset.edit("fees/migrations/0009_scholarship.py", '("students", "0008_one_class_per_name_and_year"),\n    ]', '] + [("students", "0008_one_class_per_name_and_year")]')


def two_leaves(reset):
    reset.migration("fees", "0012_other", "0011_payment_received_by")
    reset.sandbox.execute("INSERT INTO django_migrations (app, name, applied) VALUES ('fees', '0012_other', CURRENT_TIMESTAMP)")


def broken_file(reset):
    reset.add("fees/migrations/0013_broken.py", "def")


def kept_out_by_router(reset):
    reset.add("acharya/router.py", "class NoFees:\n    def allow_migrate(self, db, app_label, **hints):\n        return False if app_label == 'fees' else None\n")
    reset.settings('DATABASE_ROUTERS = ["acharya.router.NoFees"]')


def a_replica(reset):
    reset.settings('DATABASES["copy"] = {**DATABASES["default"], "TEST": {"MIRROR": "default"}}')


@pytest.mark.parametrize(("plant", "app", "message"), [
    (uncommitted, "fees", "fees/migrations/0003_invoice_application.py is not committed. Commit it first"),
    (model_changed, "fees", "model-changes-without-migration: The models of fees have changes without a migration: Add field late to invoice"),
    (not_applied, "fees", "unapplied-migration: fees.0013_nothing"),
    (not_applied_elsewhere, "fees", "unapplied-migration: attendance.0009_nothing"),
    (package_depends, "fees", f"borrowed.0001_initial, installed from a package, depends on fees.{LEAF}"),
    (run_before, "fees", f"fees.{LEAF} has run_before"),
    (computed_dependencies, "students", "does not write its dependencies as a plain list"),
    (two_leaves, "fees", "conflicting-leaves"),
    (broken_file, "fees", "unreadable-migration"),
    (plant_circle, "fees", "Reset these apps together: python manage.py reset_migrations fees students"),
    (kept_out_by_router, "fees", "Your database router keeps fees out of database 'default'"),
], ids=lambda value: value.__name__ if callable(value) else "")  # fmt: skip
@on_sqlite_alone
def test_refused_for_what_files_say(acharya_reset, plant, app, message):
    plant(acharya_reset)
    acharya_reset.refused(message, app)


@on_sqlite_alone
def test_a_replica_is_refused(acharya_reset):
    a_replica(acharya_reset)
    acharya_reset.refused("Database 'copy' is a replica of 'default'. Use --database with that one.", "fees", "--database=copy")


@on_sqlite_alone
def test_the_plan_of_what_is_refused_ends_with_status_1(acharya_reset):
    model_changed(acharya_reset)
    acharya_reset.refused("Refused, nothing was changed:", "fees", apply=False)


DROPPED = {
    "sqlite": "DROP INDEX invoice_student_due_idx",
    "postgresql": "DROP INDEX invoice_student_due_idx",
    "mariadb": "ALTER TABLE fees_invoice ADD INDEX kept (student_id), DROP INDEX invoice_student_due_idx",
}


@pytest.mark.parametrize(("statement", "message"), [
    ("ALTER TABLE fees_payment DROP COLUMN receipt_number", "missing-column: Column fees_payment.receipt_number is missing"),
    (DROPPED, "missing-index: Table fees_invoice lacks the index invoice_student_due_idx"),
    ("CREATE INDEX by_receipt ON fees_payment (receipt_number)", "extra-index: Table fees_payment has the index by_receipt"),
], ids=["column", "index", "extra"])  # fmt: skip
def test_refused_for_what_the_schema_is(acharya_reset, statement, message):
    acharya_reset.sandbox.execute(statement if isinstance(statement, str) else statement[acharya_reset.sandbox.database])
    acharya_reset.refused(message, "fees")


@pytest.mark.parametrize(("statement", "message"), [
    ("INSERT INTO django_migrations (app, name, applied) VALUES ('fees', '0099_gone', CURRENT_TIMESTAMP)", "ghost-row: fees.0099_gone"),
    (f"INSERT INTO django_migrations (app, name, applied) VALUES ('fees', '{LEAF}', CURRENT_TIMESTAMP)", f"duplicate-history-row: fees.{LEAF} is recorded 2 times"),
    ("DELETE FROM django_migrations WHERE app = 'students' AND name = '0002_student_user'", "inconsistent-history"),
], ids=["ghost", "duplicate", "inconsistent"])  # fmt: skip
@on_sqlite_alone
def test_refused_for_what_is_recorded(acharya_reset, statement, message):
    acharya_reset.sandbox.execute(statement)
    acharya_reset.refused(message, "fees")


@pytest.mark.parametrize("database", ["mariadb"], indirect=True)
def test_a_backup_that_fails_leaves_all_as_it_was(acharya_reset):
    """A table that can't be backed up whole can be made on MariaDB alone."""
    acharya_reset.sandbox.execute("CREATE TABLE loose (id integer PRIMARY KEY) ENGINE=MyISAM")
    acharya_reset.refused("These tables are not InnoDB", "fees")
    assert acharya_reset.command("--resume").output.startswith("Nothing to resume")
    acharya_reset.sandbox.execute("DROP TABLE loose")
    acharya_reset.apply("fees")


def test_no_password_is_shown_or_kept(acharya_reset):
    """It is in the settings. PostgreSQL asks for none here, and MariaDB refuses who gives one."""
    acharya_reset.settings('DATABASES["default"]["PASSWORD"] = "open:sesame"')
    done = acharya_reset.command("fees", "--apply")
    said = done.output
    assert done.status == 0 or (acharya_reset.sandbox.database == "mariadb" and "Database 'default' can't be reached" in said), said
    assert "sesame" not in said
    kept = [file for file in (acharya_reset.sandbox.project / ".runbook").rglob("*") if file.is_file() and b"sesame" in file.read_bytes()]
    assert kept == []

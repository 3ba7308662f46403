"""The plan changes nothing; --apply keeps every row and the schema, and a fresh database gets the very same one."""

from __future__ import annotations

import pytest
from migration_runbooks.worlds.djangos import DJANGOS, OWN
from resetting import plant_circle
from sqlite_alone import on_sqlite_alone

EVERY_APP = ("fees", "students", "users", "admissions", "attendance")


@pytest.mark.parametrize(
    ("apps", "django"), [(("fees",), OWN), (EVERY_APP, DJANGOS[-1])], indirect=["django"], ids=["fees", "every app on the newest Django"]
)
def test_apply(acharya_reset, apps):
    assert_applied_and_undone(acharya_reset, apps)


@on_sqlite_alone
@pytest.mark.parametrize("apps", [("users",), ("students",)])
def test_apply_to_an_app_on_which_others_depend(acharya_reset, apps):
    """Each database resets them among all apps, above."""
    assert_applied_and_undone(acharya_reset, apps)


def assert_applied_and_undone(reset, apps):
    sandbox = reset.sandbox
    before, files = sandbox.snapshot(), sandbox.files()
    planned = reset.command(*apps)
    assert planned.status == 0 and planned.output.endswith(f"reset_migrations {' '.join(apps)} --apply\n"), planned.output
    assert before.difference(sandbox.snapshot()) == [] and sandbox.files() == files

    fresh = reset.fresh()
    said = reset.apply(*apps)
    after = sandbox.snapshot()
    assert before.difference(after, ignore={"django_migrations"}) == []
    for app in apps:
        expected = {"0001_reset", "0002_create_role_groups"} if app == "users" else {"0001_reset"}
        assert reset.migrations(app) == reset.history(app) == expected
        assert f"{app}/migrations/0001_reset.py" in planned.output
    assert {row for row in before.rows["django_migrations"] if not set(row) & set(apps)} <= set(after.rows["django_migrations"])
    assert f"reset_migrations {' '.join(apps)} --apply" in said
    assert "No migrations to apply" in reset.manage("migrate").output
    assert fresh.difference(reset.fresh()) == []

    new_files = sandbox.files()
    again = reset.command(*apps, "--apply")
    assert again.status == 0 and "Nothing to do" in again.output, again.output
    assert after.difference(sandbox.snapshot()) == [] and sandbox.files() == new_files

    undone = reset.command("--undo")
    assert undone.status == 0, undone.output
    assert before.difference(sandbox.snapshot()) == [] and sandbox.files() == files
    assert "Nothing to undo" in reset.command("--undo").output


@on_sqlite_alone
def test_only_planned_files_change(acharya_reset):
    sandbox = acharya_reset.sandbox
    files = sandbox.files()
    planned = {line.strip() for line in acharya_reset.command("students").output.splitlines() if line.startswith("  ") and line.endswith(".py")}
    acharya_reset.apply("students")
    now = sandbox.files()
    assert {name for name in files.keys() | now.keys() if files.get(name) != now.get(name)} == planned
    assert '("students", "0001_reset")' in now["fees/migrations/0009_scholarship.py"]
    changed = "fees/migrations/0009_scholarship.py"
    assert now[changed].replace("0001_reset", "0008_one_class_per_name_and_year") == files[changed]


def test_records_come_back_with_their_ids_and_times(acharya_reset):
    query = "SELECT id, app, name, applied FROM django_migrations ORDER BY id"
    before = acharya_reset.sandbox.execute(query)
    acharya_reset.apply("fees")
    assert acharya_reset.command("--undo").status == 0
    assert acharya_reset.sandbox.execute(query) == before


def test_apps_that_point_to_each_other(acharya_reset):
    """Invoices also point to applications, and those to students: the refusal names what is needed as well."""
    reset, sandbox = acharya_reset, acharya_reset.sandbox
    plant_circle(reset)
    before, fresh = sandbox.snapshot(), reset.fresh()
    said = reset.refused("The new files would depend on each other in a circle", "students", "fees")
    together = said.rpartition("reset_migrations ")[2].split()
    assert together == ["students", "fees", "admissions"]
    reset.apply(*together)
    assert before.difference(sandbox.snapshot(), ignore={"django_migrations"}) == []
    for app in together:
        assert reset.migrations(app) == reset.history(app) <= {"0001_reset", "0002_reset"}
    assert fresh.difference(reset.fresh()) == []
    assert "Nothing to do" in reset.command(*together, "--apply").output
    assert reset.command("--undo").status == 0
    assert before.difference(sandbox.snapshot()) == []


@on_sqlite_alone
def test_a_committed_file_of_fingerprints_goes_with_it(acharya_reset):
    reset = acharya_reset
    assert reset.manage("check_migration_integrity", "--write-fingerprints").status == 0
    files = reset.sandbox.files()
    reset.apply("students")
    assert "0008_one_class_per_name_and_year" not in reset.sandbox.files()["migration_fingerprints.json"]
    clean = reset.manage("check_migration_integrity")
    assert clean.stdout.strip() == "Files, history, schema and rows agree.", clean.output
    assert reset.command("--undo").status == 0
    assert reset.sandbox.files() == files


@on_sqlite_alone
def test_lines_elsewhere_that_name_a_removed_migration_are_told(acharya_reset):
    acharya_reset.add("fees/tests.py", 'BEFORE = ("fees", "0006_number_existing_invoices")\n')
    said = acharya_reset.command("fees").output
    assert """fees/tests.py:1 names a removed migration: "fees", "0006_number_existing_invoices". Change it by hand.""" in said


def test_the_library(library_reset):
    reset, sandbox = library_reset, library_reset.sandbox
    before, files, fresh = sandbox.snapshot(), sandbox.files(), library_reset.fresh()
    reset.apply("catalog")
    assert before.difference(sandbox.snapshot(), ignore={"django_migrations"}) == []
    assert reset.migrations("catalog") == reset.history("catalog") == {"0001_reset"}
    assert '("catalog", "0001_reset")' in sandbox.files()["loans/migrations/0001_initial.py"]
    assert fresh.difference(reset.fresh()) == []
    assert reset.command("--undo").status == 0
    assert before.difference(sandbox.snapshot()) == [] and sandbox.files() == files

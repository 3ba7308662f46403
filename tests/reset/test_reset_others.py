"""Another database with the old history takes the new files, as by `git pull`: the same command replaces its records alone."""

from __future__ import annotations

import re

from sqlite_alone import on_sqlite_alone


def test_another_database_is_told_by_the_same_command(acharya_reset, other_reset):
    """`students`, so that files of other apps change too; the other one also has a later migration to run."""
    first, other = acharya_reset, other_reset
    said = first.apply("students")
    command = re.search(r"3\. python manage\.py reset_migrations (.*)", said)[1].split()
    assert command == ["students", "--apply"]
    first.migration("fees", "0013_later", "0012_invoice_discount")
    other.take_files_of(first.sandbox)
    before, files = other.sandbox.snapshot(), other.sandbox.files()

    forgotten = other.manage("migrate")
    assert forgotten.status == 1 and "InconsistentMigrationHistory" in forgotten.output, forgotten.output
    assert before.difference(other.sandbox.snapshot()) == []

    planned = other.command("students")
    assert planned.status == 0 and "Files: none." in planned.output, planned.output
    assert before.difference(other.sandbox.snapshot()) == []

    told = other.command(*command)
    assert told.status == 0 and "9 records became 1" in told.output, told.output
    assert other.history("students") == {"0001_reset"}
    assert before.difference(other.sandbox.snapshot(), ignore={"django_migrations"}) == [] and other.sandbox.files() == files
    other.migrate()
    assert other.history("fees") >= {"0013_later"}
    assert "Nothing to do" in other.command(*command).output

    assert other.command("--undo").status == 0
    assert other.history("students") == {row[1] for row in before.rows["django_migrations"] if row[0] == "students"}
    assert other.sandbox.files() == files


@on_sqlite_alone
def test_one_that_did_not_run_all_is_refused(acharya_reset, other_reset):
    first, other = acharya_reset, other_reset
    other.migrate("fees", "0011")
    old = other.sandbox.files()
    first.apply("fees")
    other.take_files_of(first.sandbox)
    forgotten = other.manage("migrate")
    assert forgotten.status == 1 and "already exists" in forgotten.output, forgotten.output
    said = other.refused("Database 'default' has not run fees.0012_invoice_discount, which the new files stand for.", "fees")
    assert "Take the files from before the reset" in said
    (other.sandbox.project / "fees/migrations/0001_reset.py").unlink()
    for name, text in old.items():
        other.add(name, text)
    other.migrate()
    other.take_files_of(first.sandbox)
    other.apply("fees")
    assert "No migrations to apply" in other.manage("migrate").output


@on_sqlite_alone
def test_one_whose_schema_differs_is_refused(acharya_reset, other_reset):
    other_reset.sandbox.execute("CREATE INDEX by_receipt ON fees_payment (receipt_number)")
    acharya_reset.apply("fees")
    other_reset.take_files_of(acharya_reset.sandbox)
    other_reset.refused("extra-index: Table fees_payment has the index by_receipt", "fees")


@on_sqlite_alone
def test_apps_that_were_reset_together_are_told_together(acharya_reset, other_reset):
    acharya_reset.apply("students", "attendance")
    other_reset.take_files_of(acharya_reset.sandbox)
    other_reset.refused("Name all: python manage.py reset_migrations attendance students", "students")
    other_reset.refused("First: python manage.py reset_migrations attendance students --apply", "fees")
    other_reset.apply("students", "attendance")
    assert other_reset.history("attendance") == other_reset.history("students") == {"0001_reset"}
    assert other_reset.manage("migrate", "--check").status == 0


def test_a_second_alias_is_named_in_what_is_left_to_do(acharya_reset, other_reset):
    """Both databases in one project."""
    address = repr(other_reset.sandbox.environment["DATABASE_URL"])
    acharya_reset.settings(f'DATABASES["archive"] = read_url({address})')
    said = acharya_reset.apply("fees")
    assert "  python manage.py reset_migrations fees --database archive --apply" in said
    told = acharya_reset.command("fees", "--database=archive", "--apply")
    assert told.status == 0, told.output
    assert other_reset.history("fees") == {"0001_reset"}
    assert acharya_reset.command("--undo").status == 0
    assert len(other_reset.history("fees")) == 12 and acharya_reset.history("fees") == {"0001_reset"}

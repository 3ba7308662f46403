"""Each kind of file that can't be loaded stops Django with its text; deleting or emptying it costs more than it saves."""

from __future__ import annotations

import pytest
from advice import find_cause, last_line, on, on_all, on_all_djangos

SLUG = "bad-migration-file"
NUMBERED = "admissions/migrations/0010_one_document_per_title.py"
SPELLED = "attendance/migrations/0007_spell_out_marks.py"
BROKEN = {
    "no class": ("fees/migrations/0013_notes.py", "x = 1\n"),
    "markers": ("fees/migrations/0013_notes.py", "<<<<<<< HEAD\nx = 1\n=======\nx = 2\n>>>>>>> other\n"),
    "no module": ("fees/migrations/0013_notes.py", "from fees.gone import f\n"),
    "no name": ("fees/migrations/0013_notes.py", "from fees.models import gone\n"),
    "stale": ("fees/migrations/0013_notes.pyc", "compiled by another Python"),
}
TEXTS = {
    "no class": "django.db.migrations.exceptions.BadMigrationError: Migration 0013_notes in app fees has no Migration class",
    "markers": "SyntaxError: invalid syntax",
    "no module": "ModuleNotFoundError: No module named 'fees.gone'",
    "no name": "ImportError: cannot import name 'gone' from 'fees.models' (",
    "stale": "ImportError: Couldn't import 'fees.migrations.0013_notes' as it appears to be a stale .pyc file.",
}
EXISTS = {
    "postgresql": 'relation "one_document_per_title" already exists',
    "mariadb": "Duplicate key name 'one_document_per_title'",
}


def succeeds(sandbox, *command: str) -> str:
    done = sandbox.manage(*command)
    assert done.status == 0, done.output
    return done.output


@pytest.mark.parametrize("cause", BROKEN)
@on_all_djangos
def test_each_file_stops_every_command_with_its_text(django, cause, opened):
    sandbox = opened("healthy", "sqlite")
    file, text = BROKEN[cause]
    (sandbox.project / file).write_text(text)
    for command in ("migrate", "makemigrations", "showmigrations"):
        done = sandbox.manage(command)
        assert done.status == 1 and last_line(done.output).startswith(TEXTS[cause]), done.output
    printed = find_cause(sandbox, SLUG).output
    assert printed.startswith(file) and printed.endswith("\n1 problems in migration files\n"), printed


@on_all
def test_check_of_the_page_lists_all_and_reads_only(database, opened):
    sandbox = opened(SLUG, database)
    before, files = sandbox.snapshot(), sandbox.files()
    assert last_line(sandbox.manage("migrate").output) == TEXTS["markers"]
    assert find_cause(sandbox, SLUG).output.endswith("\n5 problems in migration files\n")
    assert before.difference(sandbox.snapshot()) == [] and sandbox.files() == files
    assert find_cause(opened("healthy", database), SLUG).output == "0 problems in migration files\n"
    assert "no issues" in succeeds(sandbox, "check")


def test_deleted_file_is_missed_by_the_next_one(opened):
    sandbox = opened("healthy", "sqlite")
    (sandbox.project / SPELLED).unlink()
    assert last_line(sandbox.manage("migrate").output).endswith("nonexistent parent node ('attendance', '0007_spell_out_marks')")


@on_all
def test_emptied_file_is_made_again(database, opened):
    sandbox = opened("healthy", database)
    file = sandbox.project / NUMBERED
    file.write_text(file.read_text().split("    operations = [")[0] + "    operations = []\n")
    assert "Create constraint one_document_per_title" in succeeds(sandbox, "makemigrations", "admissions")
    done = sandbox.manage("migrate")
    if database == "sqlite":
        assert done.status == 0
    else:
        assert done.status == 1 and EXISTS[database] in last_line(done.output)


@on("sqlite")
def test_first_migration_is_overwritten_where_the_folder_is_no_package(database, opened):
    sandbox, new = opened("healthy", database), opened("empty", database)
    first = sandbox.project / "fees/migrations/0001_initial.py"
    before = first.read_text()
    (sandbox.project / "fees/migrations/__init__.py").unlink()
    succeeds(sandbox, "makemigrations", "fees")
    assert first.read_text() != before and "Scholarship" in first.read_text() and "Scholarship" not in before
    assert succeeds(sandbox, "migrate").rstrip().endswith("No migrations to apply.")
    for name, text in sandbox.files().items():
        if name.startswith("fees/"):
            (new.project / name).write_text(text)
    assert new.manage("migrate").status == 1


@on("sqlite")
def test_migration_that_another_app_needs_is_missing_where_the_folder_is_no_package(database, opened):
    sandbox = opened("healthy", database)
    (sandbox.project / "students/migrations/__init__.py").unlink()
    done = sandbox.manage("migrate")
    assert done.status == 1 and "NodeNotFoundError" in last_line(done.output) and "('students', '" in last_line(done.output)


@on_all
def test_new_database_gets_no_tables_where_the_folder_is_no_package(database, opened):
    sandbox = opened("empty", database)
    (sandbox.project / "fees/migrations/__init__.py").unlink()
    succeeds(sandbox, "migrate")
    tables = sandbox.snapshot().rows
    assert "fees_invoice" not in tables and "students_student" in tables
    assert succeeds(sandbox, "makemigrations", "--check") == "No changes detected\n"
    assert "fees/migrations: no __init__.py" in find_cause(sandbox, SLUG).output

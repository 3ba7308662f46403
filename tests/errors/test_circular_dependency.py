"""The page's check names the places that matter; what else people are told to do finds nothing or breaks more."""

from __future__ import annotations

import pytest
from advice import START_AGAIN, find_cause, last_line, migration_files, on_all, on_all_djangos
from sqlite_alone import on_sqlite_alone

SLUG = "circular-dependency"
EDITED = "break-dependency-cycle"
SQUASHED = "break-dependency-cycle:squashed"
ERROR = "django.db.migrations.exceptions.CircularDependencyError: "


def drop_dependency(file, app: str) -> None:
    """Take the dependencies on an app out of a migration's file and leave all else."""
    lines = file.read_text().splitlines(keepends=True)
    kept = [line for line in lines if not line.strip().startswith((f'("{app}", ', f"('{app}', "))]
    assert len(kept) < len(lines)
    file.write_text("".join(kept))


@on_all
def test_check_of_the_page_names_the_edited_file(database, opened):
    printed = find_cause(opened(EDITED, database), SLUG).output
    numbers = dict(
        line.strip().removeprefix("needs ").removesuffix(")").split(" (applied as number ")
        for line in printed.splitlines()[:4]
    )
    assert int(numbers["admissions.0003_application_student"]) < int(numbers["fees.0012_invoice_discount"])
    assert int(numbers["fees.0003_invoice_application"]) > int(numbers["admissions.0006_rename_state_to_status"])


def test_check_of_the_page_names_the_squashed_file(opened):
    sandbox = opened(SQUASHED, "sqlite")
    assert "0011_application_fee_invoice (squashed)\n  needs fees.0012" in find_cause(sandbox, SLUG).output


def test_check_of_the_page_names_files_that_never_ran(opened):
    sandbox = opened(EDITED, "sqlite")
    sandbox.execute("DELETE FROM django_migrations WHERE app IN ('admissions', 'fees')")
    assert "admissions.0003_application_student (not applied)\n" in find_cause(sandbox, SLUG).output


def test_check_of_the_page_sees_a_healthy_project(opened):
    assert find_cause(opened("healthy", "sqlite"), SLUG).output == "No ring\n"


@pytest.mark.parametrize("world", [EDITED, SQUASHED])
@on_all_djangos
def test_showmigrations_and_empty_migrations_raise_the_same_error_and_check_is_green(world, opened):
    sandbox = opened(world, "sqlite")
    for command in ("showmigrations --verbosity=2", "makemigrations admissions --empty", "migrate --fake", "migrate --plan"):
        done = sandbox.manage(*command.split())
        assert done.status == 1 and last_line(done.output).startswith(ERROR), command
    checked = sandbox.manage("check")
    assert "no issues" in checked.output and checked.status == 0


@on_sqlite_alone
def test_deleting_the_dependency_turns_every_check_green_and_leaves_the_column_out(database, opened):
    sandbox = opened(EDITED, database)
    file = sandbox.project / "admissions/migrations/0003_application_student.py"
    drop_dependency(file, "fees")
    for command in ("check", "makemigrations --check", "migrate --check", "migrate"):
        assert sandbox.manage(*command.split()).status == 0, command
    query = sandbox.manage("shell", "-v", "0", "-c", "from admissions.models import Application; Application.objects.first()")
    assert query.status == 1 and "fee_invoice_id" in query.output

    empty = opened("empty", database)
    for changed in ("admissions/models.py", "admissions/migrations/0003_application_student.py"):
        (empty.project / changed).write_text((sandbox.project / changed).read_text())
    assert last_line(empty.manage("migrate").output) == "ValueError: Related model 'fees.invoice' cannot be resolved"


def test_squashed_file_inherits_the_dependency_that_is_taken_out(opened):
    sandbox = opened(SQUASHED, "sqlite")
    drop_dependency(next((sandbox.project / "admissions/migrations").glob("*squashed*")), "fees")
    assert last_line(sandbox.manage("migrate").output).startswith(ERROR)


@on_all
def test_start_again_loses_rows_or_stops_at_what_exists(database, opened):
    sandbox = opened(EDITED, database)
    before, files = sandbox.snapshot(), migration_files(sandbox)
    done = sandbox.run("bash", "-c", START_AGAIN)
    assert "fees/migrations/0006_number_existing_invoices.py" in files - migration_files(sandbox)
    if database == "sqlite":
        assert before.rows["fees_invoice"] and not sandbox.snapshot().rows["fees_invoice"]
    else:
        assert done.status == 1 and ("already exists" in last_line(done.output) or "Duplicate" in last_line(done.output))

"""Bringing the replaced files back is the way out of a squash that half a database has; the short cuts leave columns out."""

from __future__ import annotations

import pytest
from advice import find_cause, last_line, on_all, on_all_djangos
from migration_runbooks.paths import RUNBOOKS
from migration_runbooks.worlds.djangos import OLDEST_AND_NEWEST

SLUG = "squash-problem"
SQUASH = "0009_scholarship_squashed_0011_payment_received_by"
REPLACED = ("0009_scholarship", "0010_invoice_student_due_index", "0011_payment_received_by")
NEXT = "fees/migrations/0012_invoice_discount.py"
ERROR = (
    "django.db.migrations.exceptions.NodeNotFoundError: Migration fees.0012_invoice_discount depends on nonexistent node "
    "('fees', '0011_payment_received_by'). Django tried to replace migration fees.0011_payment_received_by with any of "
    f"[fees.{SQUASH}] but wasn't able to because some of the replaced migrations are already applied."
)
CANNOT_SQUASH = (
    "CommandError: You cannot squash squashed migrations! Please transition it to a normal migration first: "
    "https://docs.djangoproject.com/en/5.2/topics/migrations/#squashing-migrations"
)
CANNOT_PRUNE = "  Cannot use --prune because the following squashed migrations have their 'replaces' attributes and may not be recorded as applied:"
NO_COLUMN = {
    "sqlite": "no such column: fees_payment.received_by_id",
    "postgresql": "column fees_payment.received_by_id does not exist",
    "mariadb": "Unknown column 'fees_payment.received_by_id'",
}
RING = (
    "from django.db import migrations\n\n\nclass Migration(migrations.Migration):\n"
    '    replaces = [("fees", "{}")]\n    dependencies = [("fees", "0012_invoice_discount")]\n    operations = []\n'
)


def succeeds(sandbox, *command: str) -> str:
    done = sandbox.manage(*command)
    assert done.status == 0, done.output
    return done.output


def bring_back(sandbox) -> None:
    files = [f"fees/migrations/{name}.py" for name in REPLACED]
    done = sandbox.run("git", "checkout", "--quiet", "HEAD^", "--", *files)
    assert done.status == 0, done.output


def remove(sandbox) -> None:
    for name in REPLACED:
        (sandbox.project / f"fees/migrations/{name}.py").unlink()


def edit(sandbox, file: str, old: str, new: str) -> None:
    path = sandbox.project / file
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))


def has_no_column(sandbox) -> bool:
    asked = sandbox.manage("shell", "-v", "0", "-c", "from fees.models import Payment; Payment.objects.first()")
    return asked.status == 1 and NO_COLUMN[sandbox.database] in asked.output


def record(sandbox, *names: str) -> None:
    code = "from django.db import connection as c; from django.db.migrations.recorder import MigrationRecorder as R; "
    succeeds(sandbox, "shell", "-v", "0", "-c", code + "; ".join(f"R(c).record_applied('fees', '{name}')" for name in names))


@on_all_djangos
@on_all
def test_exact_text_and_the_check_reads_only(django, database, opened):
    sandbox = opened(SLUG, database)
    before, files = sandbox.snapshot(), sandbox.files()
    assert last_line(sandbox.manage("migrate").output) == ERROR
    printed = find_cause(sandbox, SLUG).output
    assert f"fees.{SQUASH} (not recorded) replaces\n    fees.0009_scholarship: recorded, no file\n" in printed
    assert "    fees.0011_payment_received_by: not recorded, no file\n2 squashed" in printed
    assert before.difference(sandbox.snapshot()) == [] and sandbox.files() == files


@on_all
def test_with_the_files_back_the_rest_runs_and_the_files_can_go(database, opened):
    sandbox = opened(SLUG, database)
    rows = sandbox.snapshot().rows["fees_invoice"]
    bring_back(sandbox)
    assert "Applying fees.0011_payment_received_by... OK" in succeeds(sandbox, "migrate")
    assert len(sandbox.snapshot().rows["fees_invoice"]) == len(rows) > 0
    remove(sandbox)
    succeeds(sandbox, "migrate", "--check")
    assert succeeds(sandbox, "makemigrations", "--check") == "No changes detected\n"
    assert CANNOT_PRUNE in succeeds(sandbox, "migrate", "--prune", "fees").splitlines()


@on_all
def test_lost_record_is_an_inconsistent_history_once_the_files_are_back(database, opened):
    sandbox = opened(SLUG, database)
    bring_back(sandbox)
    succeeds(sandbox, "migrate")
    remove(sandbox)
    sandbox.execute("DELETE FROM django_migrations WHERE name = '0010_invoice_student_due_index'")
    assert last_line(sandbox.manage("migrate").output) == ERROR
    bring_back(sandbox)
    assert last_line(sandbox.manage("migrate").output).endswith(
        "Migration fees.0011_payment_received_by is applied before its dependency fees.0010_invoice_student_due_index on database 'default'."
    )
    found = sandbox.bash(RUNBOOKS / "repair-migration-history" / "diagnose.sh")
    assert found.status == 1 and "RECORD=fees.0010_invoice_student_due_index\nREMOVE=\n" in found.output


@on_all_djangos
def test_squash_of_a_squash(django, opened):
    done = opened("healthy", "sqlite").manage("squashmigrations", "attendance", "0004", "--noinput")
    if django == OLDEST_AND_NEWEST[0]:
        assert done.status == 1 and last_line(done.output) == CANNOT_SQUASH
    else:
        assert "Created new squashed migration" in done.output


@pytest.mark.parametrize("django", OLDEST_AND_NEWEST[1:], indirect=True)
def test_squashes_that_replace_each_other(django, opened):
    sandbox = opened("healthy", "sqlite")
    for name, other in (("0013_a", "0013_b"), ("0013_b", "0013_a")):
        (sandbox.project / f"fees/migrations/{name}.py").write_text(RING.format(other))
    done = sandbox.manage("migrate")
    assert done.status == 1 and last_line(done.output).startswith("CommandError: Cyclical squash replacement found, starting at ")


@on_all
def test_recorded_by_hand_the_rest_never_runs(database, opened):
    sandbox = opened(SLUG, database)
    record(sandbox, "0011_payment_received_by", SQUASH)
    succeeds(sandbox, "migrate")
    succeeds(sandbox, "migrate", "--check")
    assert has_no_column(sandbox)


@on_all
def test_without_replaces_the_squash_stops_at_its_first_table(database, opened):
    sandbox = opened(SLUG, database)
    edit(sandbox, f"fees/migrations/{SQUASH}.py", "replaces = ", "once_replaced = ")
    edit(sandbox, NEXT, "0011_payment_received_by", SQUASH)
    done = sandbox.manage("migrate")
    assert done.status == 1 and "fees_scholarship" in last_line(done.output) and "already exists" in last_line(done.output)


@on_all
def test_another_parent_leaves_the_column_out(database, opened):
    sandbox = opened(SLUG, database)
    edit(sandbox, NEXT, "0011_payment_received_by", "0008_payment_amount_positive")
    succeeds(sandbox, "migrate")
    succeeds(sandbox, "migrate", "--check")
    assert has_no_column(sandbox)
    assert "Conflicting migrations detected" in sandbox.manage("makemigrations").output


def test_squash_as_the_parent_loses_the_parents(opened):
    sandbox = opened(SLUG, "sqlite")
    edit(sandbox, NEXT, "0011_payment_received_by", SQUASH)
    done = sandbox.manage("migrate")
    assert "Conflicting migrations detected" in done.output and "(0008_payment_amount_positive, 0012_invoice_discount in fees)" in done.output
    assert last_line(succeeds(sandbox, "makemigrations", "--merge", "--noinput")) == "No conflicts detected to merge."


def test_other_commands_stop_with_the_same_error(opened):
    sandbox = opened(SLUG, "sqlite")
    for command in ("migrate --fake", "migrate --prune fees", "showmigrations"):
        assert last_line(sandbox.manage(*command.split()).output) == ERROR, command
    assert "no issues" in sandbox.manage("check").output
    assert succeeds(sandbox, "makemigrations", "--check") == "No changes detected\n"

"""Every cause gives exactly the message; the page's check finds them before `migrate`, which SQLite may not stop."""

from __future__ import annotations

from advice import find_cause, last_line, on, on_all, on_all_djangos, write_migration
from sqlite_alone import on_sqlite_alone

SLUG = "column-already-exists"
LOST = "adopt-existing-column:nullable"
DEFAULT = "adopt-existing-column"
ERROR = {
    "sqlite": "django.db.utils.OperationalError: duplicate column name: {1}",
    "postgresql": 'django.db.utils.ProgrammingError: column "{1}" of relation "{0}" already exists',
    "mariadb": "django.db.utils.OperationalError: (1060, \"Duplicate column name '{1}'\")",
}
NOTE = 'migrations.AddField("{}", "{}", models.TextField(null=True))'
FAILS = "migrations.RunSQL('SELECT * FROM no_such_table')"
DISCOUNTS = "SELECT COUNT(*) FROM fees_invoice WHERE discount <> 0"


def add_migration(sandbox, name: str, operations: str) -> None:
    write_migration(sandbox, "fees", name, operations)
    file = sandbox.project / f"fees/migrations/{name}.py"
    file.write_text(file.read_text().replace("import migrations", "import migrations, models", 1))


@on_all
@on_all_djangos
def test_one_record_was_lost(database, opened):
    sandbox = opened(LOST, database)
    before = sandbox.snapshot()
    assert last_line(sandbox.manage("migrate").output) == ERROR[database].format("attendance_leaverequest", "approved_at")
    name = "attendance.0008_leave_request_approved_at"
    assert f"\n{name} waits, and these exist: attendance_leaverequest.approved_at\n" in find_cause(sandbox, SLUG).output
    assert before.difference(sandbox.snapshot()) == []


@on_all
@on_all_djangos
def test_backward_fake_took_several_records(database, opened):
    sandbox = opened("healthy", database)
    healthy = sandbox.snapshot()
    assert sandbox.manage("migrate", "fees", "0010", "--fake").status == 0
    assert last_line(sandbox.manage("migrate").output) == ERROR[database].format("fees_payment", "received_by_id")
    assert find_cause(sandbox, SLUG).output.count(" waits, and these exist: ") == 2
    assert sandbox.run("runbook", "run", "undo-wrong-fake", "--apply", "--yes").status == 0
    assert healthy.difference(sandbox.snapshot()) == []


@on_all
@on_all_djangos
def test_two_migrations_add_the_same_column(database, opened):
    sandbox = opened("healthy", database)
    add_migration(sandbox, "0013_note_again", NOTE.format("invoice", "note"))
    assert last_line(sandbox.manage("migrate").output) == ERROR[database].format("fees_invoice", "note")
    assert find_cause(sandbox, SLUG).output.endswith("\nfees.0013_note_again waits\n")
    file = sandbox.project / "fees/migrations/0013_note_again.py"
    file.write_text(file.read_text().replace(NOTE.format("invoice", "note"), ""))
    assert sandbox.manage("migrate").status == 0


@on("mariadb")
@on_all_djangos
def test_migration_that_stopped_half_way(database, opened):
    sandbox = opened("healthy", database)
    add_migration(sandbox, "0013_remark", f"{NOTE.format('feehead', 'remark')}, {FAILS}, {NOTE.format('feehead', 'other')}")
    assert "(1146, " in last_line(sandbox.manage("migrate").output)
    assert last_line(sandbox.manage("migrate").output) == ERROR[database].format("fees_feehead", "remark")
    assert "fees.0013_remark waits, and these exist: fees_feehead.remark\n" in find_cause(sandbox, SLUG).output


def test_check_of_the_page_finds_a_column_that_sqlite_would_erase_without_an_error(opened):
    sandbox = opened(DEFAULT, "sqlite")
    assert sandbox.execute(DISCOUNTS) == [(12,)]
    assert "fees.0012_invoice_discount waits, and these exist: fees_invoice.discount\n" in find_cause(sandbox, SLUG).output
    assert sandbox.manage("migrate").status == 0
    assert sandbox.execute(DISCOUNTS) == [(0,)]


@on_all
def test_dropping_the_column_loses_its_values(database, opened):
    sandbox = opened(DEFAULT, database)
    sandbox.execute("ALTER TABLE fees_invoice DROP COLUMN discount")
    assert sandbox.manage("migrate").status == 0
    assert sandbox.execute(DISCOUNTS) == [(0,)]


@on_sqlite_alone
def test_fake_without_a_target_records_what_nothing_made(database, opened):
    sandbox = opened(DEFAULT, database)
    add_migration(sandbox, "0013_remark", NOTE.format("feehead", "remark"))
    assert sandbox.manage("migrate", "fees", "--fake").status == 0
    assert sandbox.manage("migrate", "--check").status == 0
    assert "fees.0013_remark is recorded, and these do not exist: fees_feehead.remark\n" in find_cause(sandbox, SLUG).output

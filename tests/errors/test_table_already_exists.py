"""Every cause gives exactly the message; the page's check tells them apart; both kinds of `--fake` accept what is wrong."""

from __future__ import annotations

from advice import find_cause, last_line, on, on_all, on_all_djangos, write_migration
from sqlite_alone import on_sqlite_alone

SLUG = "table-already-exists"
LOST = "adopt-existing-table"
ERROR = {
    "sqlite": 'django.db.utils.OperationalError: table "{}" already exists',
    "postgresql": 'django.db.utils.ProgrammingError: relation "{}" already exists',
    "mariadb": "django.db.utils.OperationalError: (1050, \"Table '{}' already exists\")",
}
MADE = "fees_scholarship.id fees_scholarship.name fees_scholarship.percent"
REFUND = 'migrations.CreateModel("Refund", [("id", models.BigAutoField(primary_key=True))])'
FAILS = "migrations.RunSQL('SELECT * FROM no_such_table')"


@on_all
@on_all_djangos
def test_one_record_was_lost(database, opened):
    sandbox = opened(LOST, database)
    before = sandbox.snapshot()
    assert last_line(sandbox.manage("migrate").output) == ERROR[database].format("fees_scholarship")
    assert f"\nfees.0009_scholarship waits, and these exist: {MADE} fees_scholarship_students.id" in find_cause(sandbox, SLUG).output
    assert before.difference(sandbox.snapshot()) == []


@on_all
@on_all_djangos
def test_table_of_another_shape(database, opened):
    sandbox = opened(LOST, database)
    sandbox.execute("ALTER TABLE fees_scholarship RENAME COLUMN name TO title")
    assert last_line(sandbox.manage("migrate").output) == ERROR[database].format("fees_scholarship")
    assert "these exist: fees_scholarship.id fees_scholarship.percent fees" in find_cause(sandbox, SLUG).output


@on_all
@on_all_djangos
def test_records_of_a_whole_app_are_missing(database, opened):
    sandbox = opened("healthy", database)
    healthy = sandbox.snapshot()
    assert sandbox.manage("migrate", "fees", "zero", "--fake").status == 0
    assert last_line(sandbox.manage("migrate").output) == ERROR[database].format("fees_feehead")
    assert find_cause(sandbox, SLUG).output.count(" waits, and these exist: ") > 3
    assert sandbox.run("runbook", "run", "undo-wrong-fake", "--apply", "--yes").status == 0
    assert healthy.difference(sandbox.snapshot()) == []


@on("mariadb")
@on_all_djangos
def test_migration_that_stopped_half_way(database, opened):
    sandbox = opened("healthy", database)
    write_migration(sandbox, "fees", "0013_refund", f"{REFUND}, {FAILS}")
    file = sandbox.project / "fees/migrations/0013_refund.py"
    file.write_text(file.read_text().replace("import migrations", "import migrations, models", 1))
    assert "(1146, " in last_line(sandbox.manage("migrate").output)
    assert last_line(sandbox.manage("migrate").output) == ERROR[database].format("fees_refund")


@on_sqlite_alone
def test_fake_without_a_target_records_what_nothing_made(database, opened):
    sandbox = opened(LOST, database)
    assert sandbox.manage("migrate", "fees", "--fake").status == 0
    assert sandbox.manage("migrate", "--check").status == 0
    printed = find_cause(sandbox, SLUG).output
    for name, column in (("0011_payment_received_by", "fees_payment.received_by_id"), ("0012_invoice_discount", "fees_invoice.discount")):
        assert f"fees.{name} is recorded, and these do not exist: {column}\n" in printed
    assert sandbox.manage("dumpdata", "fees.invoice").status != 0


@on_all
def test_fake_initial_accepts_a_table_that_lacks_a_column(database, opened):
    """As when a table was made by hand: it looks for the table alone."""
    sandbox = opened("healthy", database)
    assert sandbox.manage("migrate", "attendance", "zero").status == 0
    sandbox.execute("CREATE TABLE attendance_record (id integer PRIMARY KEY, day date)")
    done = sandbox.manage("migrate", "attendance", "0001_squashed", "--fake-initial")
    assert done.status == 0 and "FAKED" in done.output, done.output
    assert "these do not exist: attendance_record.mark" in find_cause(sandbox, SLUG).output
    assert sandbox.manage("dumpdata", "attendance.record").status != 0

"""The page's check finds orphans everywhere; what else people are told to do finds none or makes more."""

from __future__ import annotations

from advice import find_cause, last_line, on, on_all, on_all_djangos, write_migration

SLUG = "foreign-key-violation"
ORPHANS = "quarantine-orphaned-rows"
FOUND = "fees_invoice.student_id = 999999: 2 rows, and no such row in students_student\n2 orphaned rows\n"
NAMED = "The row in table 'fees_invoice' with primary key '3' has an invalid foreign key"
NOTHING = "migrations.RunPython(migrations.RunPython.noop)"
FAILS = "migrations.RunSQL('SELECT * FROM no_such_table')"
FAILED_TWICE = (
    "ALTER TABLE fees_invoice_heads DROP FOREIGN KEY fees_invoice_heads_feehead_id_d30a06db_fk_fees_feehead_id",
    "ALTER TABLE fees_invoice_heads DROP FOREIGN KEY fees_invoice_heads_invoice_id_fd9a56a3_fk_fees_invoice_id",
)


def open_with_orphans_past_the_constraint(opened):
    """Open a healthy SQLite world and write orphans the way the sqlite3 program does: it enforces no foreign key."""
    sandbox = opened("healthy", "sqlite")
    sandbox.execute("UPDATE fees_invoice SET student_id = 999999 WHERE id IN (3, 7)")
    return sandbox


def shell(sandbox, code: str):
    return sandbox.manage("shell", "-v", "0", "-c", code)


@on_all
def test_check_of_the_page_finds_orphans_and_changes_nothing(database, opened):
    sandbox = opened(ORPHANS, database)
    before = sandbox.snapshot()
    found = find_cause(sandbox, SLUG)
    assert (found.status, found.output) == (1, FOUND)
    assert before.difference(sandbox.snapshot()) == []
    healthy = find_cause(opened("healthy", database), SLUG)
    assert (healthy.status, healthy.output) == (0, "0 orphaned rows\n")


@on_all
def test_filter_for_null_finds_none_of_the_orphans_but_healthy_rows(database, opened):
    sandbox = opened(ORPHANS, database)
    counted = "from fees.models import Invoice; print(Invoice.objects.filter({}__isnull=True).count())"
    assert shell(sandbox, counted.format("student")).output == "0\n"
    assert int(shell(sandbox, counted.format("application")).output) > 0


def test_integrity_check_of_sqlite_says_ok(opened):
    sandbox = opened(ORPHANS, "sqlite")
    assert sandbox.execute("PRAGMA integrity_check") == [("ok",)]


@on("postgresql", "mariadb")
def test_check_constraints_of_django_finds_nothing_while_the_constraint_is_missing(database, opened):
    done = shell(opened(ORPHANS, database), "from django.db import connection; connection.check_constraints()")
    assert (done.status, done.output) == (0, "")


def test_one_orphan_stops_a_migration_of_another_app_that_changes_nothing_on_sqlite(opened):
    sandbox = open_with_orphans_past_the_constraint(opened)
    write_migration(sandbox, "users", "0006_nothing", NOTHING)
    done = sandbox.manage("migrate", "users")
    assert done.status == 1 and NAMED in last_line(done.output)
    assert "[ ] 0006_nothing" in sandbox.manage("showmigrations", "users").output


@on("postgresql", "mariadb")
def test_orphans_stop_no_other_migration_on_a_server(database, opened):
    sandbox = opened(ORPHANS, database)
    write_migration(sandbox, "users", "0006_nothing", NOTHING)
    assert sandbox.manage("migrate", "users").status == 0


@on_all_djangos
def test_last_line_hides_the_error_that_came_first_on_sqlite(opened):
    sandbox = open_with_orphans_past_the_constraint(opened)
    write_migration(sandbox, "users", "0006_fails", FAILS)
    lines = sandbox.manage("migrate", "users").output
    assert NAMED in last_line(lines)
    first, hidden = lines.index("no such table: no_such_table"), lines.index("During handling of the above exception")
    assert first < hidden


def test_migration_that_is_not_atomic_is_done_and_recorded_in_spite_of_the_error_on_sqlite(opened):
    sandbox = open_with_orphans_past_the_constraint(opened)
    write_migration(sandbox, "users", "0006_done", NOTHING, attributes="atomic = False")
    assert NAMED in last_line(sandbox.manage("migrate", "users").output)
    assert "[X] 0006_done" in sandbox.manage("showmigrations", "users").output


def test_deleting_the_named_rows_makes_more_orphans(opened):
    sandbox = opened(ORPHANS, "sqlite")
    sandbox.execute("DELETE FROM fees_invoice WHERE student_id = 999999")
    printed = find_cause(sandbox, SLUG).output
    assert "fees_payment.invoice_id = 3" in printed and "fees_invoice_heads.invoice_id = 3" in printed


@on("mariadb")
@on_all_djangos
def test_second_try_fails_with_another_error_until_what_is_left_is_dropped(database, opened):
    sandbox = opened(ORPHANS, database)
    assert "(1452, " in last_line(sandbox.manage("migrate").output)
    assert 'errno: 121 "Duplicate key on write or update"' in last_line(sandbox.manage("migrate").output)
    sandbox.execute("DELETE FROM fees_payment WHERE invoice_id IN (3, 7)")
    sandbox.execute("DELETE FROM fees_invoice_heads WHERE invoice_id IN (3, 7)")
    sandbox.execute("DELETE FROM fees_invoice WHERE student_id = 999999")
    assert "errno: 121" in last_line(sandbox.manage("migrate").output)
    for statement in FAILED_TWICE:
        sandbox.execute(statement)
    assert sandbox.manage("migrate").status == 0


@on_all
def test_migration_that_writes_orphans_or_deletes_parents_leaves_none(database, opened):
    sandbox = opened("healthy", database)
    for number, statement in ((13, "UPDATE fees_invoice SET student_id = 999999"), (14, "DELETE FROM students_student")):
        write_migration(sandbox, "fees", f"00{number}_wrong", f"migrations.RunSQL('{statement}')")
        done = sandbox.manage("migrate")
        assert done.status == 1 and "IntegrityError" in last_line(done.output) + done.output.splitlines()[-2]
        assert find_cause(sandbox, SLUG).output == "0 orphaned rows\n"
        (sandbox.project / f"fees/migrations/00{number}_wrong.py").unlink()

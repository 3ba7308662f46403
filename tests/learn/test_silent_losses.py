"""The traps of docs/learn/silent-losses.md: where each bites, and where it doesn't."""

from __future__ import annotations

import pytest
from traps import ORPHAN, add_migration, forget, last_error, python, recorded, values

NOTHING = "migrations.RunPython(migrations.RunPython.noop, migrations.RunPython.noop)"
UNKNOWN_TABLE = 'migrations.RunSQL("UPDATE users_locker SET number = 1")'
DUE_DATE_MAY_WAIT = 'migrations.AlterField("invoice", "due_on", models.DateField(null=True))'
DISCOUNT = "0012_invoice_discount"


@pytest.mark.on("sqlite")
def test_lost_row_of_history_erases_a_column_on_sqlite(school):
    assert any(values(school, "discount"))
    forget(school, "fees", DISCOUNT)
    done = school.manage("migrate")
    assert done.status == 0 and f"{DISCOUNT}... OK" in done.output
    assert not any(values(school, "discount"))


@pytest.mark.on("postgresql", "mariadb")
def test_lost_row_of_history_stops_the_servers(school):
    before = school.snapshot(ignore=["django_migrations"])
    forget(school, "fees", DISCOUNT)
    done = school.manage("migrate")
    assert done.status == 1 and "discount" in last_error(done)
    assert before.difference(school.snapshot(ignore=["django_migrations"])) == []


def test_lost_row_of_a_nullable_column_stops_every_database(school):
    """SQLite adds such a column without making the table anew, so that it notices the one that is there."""
    before = school.snapshot(ignore=["django_migrations"])
    forget(school, "attendance", "0008_leave_request_approved_at")
    done = school.manage("migrate")
    assert done.status == 1 and "approved_at" in last_error(done)
    assert before.difference(school.snapshot(ignore=["django_migrations"])) == []


def test_missing_column_gets_its_name_as_value_on_sqlite_only(school):
    invoices = len(values(school, "id"))
    school.execute("ALTER TABLE fees_invoice DROP COLUMN note")
    add_migration(school, "fees", "0013_due_date_may_wait", DISCOUNT, DUE_DATE_MAY_WAIT)
    done = school.manage("migrate")
    assert done.status == 0, done.output
    if school.database == "sqlite":
        assert values(school, "note") == ["note"] * invoices
    else:
        with pytest.raises(Exception, match="note"):
            values(school, "note")


def test_one_orphan_stops_every_migration_on_sqlite_only(school):
    python(school, ORPHAN)
    add_migration(school, "users", "0006_nothing", "0005_user_role_name_index", NOTHING)
    done = school.manage("migrate")
    if school.database == "sqlite":
        assert done.status == 1 and "The row in table 'fees_invoice'" in last_error(done)
        assert "0006_nothing" not in recorded(school, "users")
    else:
        assert done.status == 0, done.output
        assert "0006_nothing" in recorded(school, "users")


@pytest.mark.on("sqlite")
def test_orphan_raises_after_a_migration_that_is_not_atomic_was_recorded(school):
    python(school, ORPHAN)
    add_migration(school, "users", "0006_nothing", "0005_user_role_name_index", NOTHING, atomic=False)
    done = school.manage("migrate")
    assert done.status == 1 and "IntegrityError" in last_error(done)
    assert "0006_nothing" in recorded(school, "users")


def test_last_line_hides_the_cause_on_sqlite_only(school):
    python(school, ORPHAN)
    add_migration(school, "users", "0006_nothing", "0005_user_role_name_index", UNKNOWN_TABLE)
    done = school.manage("migrate")
    assert done.status == 1 and "users_locker" in done.output
    assert ("users_locker" in last_error(done)) is (school.database != "sqlite")

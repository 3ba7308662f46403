"""A removed field: in one step, in two, and what SQLite does to the column in between."""

from __future__ import annotations

import pytest
from two_releases import ALL_WORK, on_all, page

FIELD = "models.CharField(max_length=20, blank=True, db_default='')"
REMOVE = "migrations.RemoveField('payment', 'receipt_number')"
FORGET = (
    f"migrations.AlterField('payment', 'receipt_number', {FIELD}),"
    f"migrations.SeparateDatabaseAndState(state_operations=[{REMOVE}])"
)
DROP = (
    f"migrations.SeparateDatabaseAndState(state_operations=[migrations.AddField('payment', 'receipt_number', {FIELD})]),"
    f"{REMOVE}"
)
WIDER = "migrations.AlterField('payment', 'amount', models.DecimalField(max_digits=12, decimal_places=2))"
COUNT = "SELECT COUNT(*) FROM fees_payment WHERE receipt_number <> ''"
PAGE = page("remove-a-field")
SELECT_FAILS = {
    "sqlite": "no such column: fees_payment.receipt_number",
    "postgresql": "column fees_payment.receipt_number does not exist",
    "mariadb": "(1054, \"Unknown column 'fees_payment.receipt_number' in 'SELECT'\")",
}


@pytest.fixture
def removed(releases):
    releases.change_model("    receipt_number = models.CharField(max_length=20, blank=True)\n", "")
    releases.forget_in_admin()
    return releases


@on_all
def test_one_step_stops_the_running_release_and_loses_the_values(database, removed):
    removed.write_migration("0013_remove", REMOVE)
    assert removed.new().startswith("INSERT fails") and removed.new().endswith("SELECT, UPDATE work\n")
    [(before,)] = removed.sandbox.execute(COUNT)
    assert before > 0 and removed.migrate().status == 0
    assert removed.old().count(" fails: ") == 3 and SELECT_FAILS[database] in removed.old()
    assert SELECT_FAILS[database] in PAGE
    assert removed.migrate("0012").status == 0
    assert removed.sandbox.execute(COUNT) == [(0,)]


@on_all
def test_two_steps_serve_both_releases_and_keep_the_values_until_the_second(database, removed):
    removed.write_migration("0013_forget", FORGET)
    removed.write_migration("0014_drop", DROP)
    values = removed.sandbox.execute("SELECT id, receipt_number FROM fees_payment ORDER BY id")
    assert removed.migrate("0013").status == 0
    assert (removed.old(), removed.new()) == (ALL_WORK, ALL_WORK)
    assert removed.sandbox.execute("SELECT id, receipt_number FROM fees_payment ORDER BY id") == values
    assert removed.migrate("0014").status == 0
    assert removed.new() == ALL_WORK and removed.old().count(" fails: ") == 3
    assert removed.migrate("0013").status == 0
    assert (removed.old(), removed.new()) == (ALL_WORK, ALL_WORK)


@on_all
def test_only_sqlite_drops_the_column_when_another_migration_changes_the_table_in_between(database, removed):
    removed.write_migration("0013_forget", FORGET)
    removed.write_migration("0014_wider", WIDER)
    removed.write_migration("0015_drop", DROP)
    assert removed.migrate("0014").status == 0
    if database != "sqlite":
        assert removed.old() == ALL_WORK
        assert removed.migrate().status == 0
        return
    assert removed.old().count(" fails: ") == 3
    dropped = removed.migrate()
    assert dropped.status != 0 and "no such column" in dropped.output.splitlines()[-1]

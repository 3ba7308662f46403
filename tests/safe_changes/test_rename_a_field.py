"""A renamed field: the column renamed too, kept, or doubled until nobody uses the old one."""

from __future__ import annotations

import pytest
from two_releases import ALL_WORK, on_all, page

OLD = "receipt_number = models.CharField(max_length=20, blank=True)"
RENAME = "migrations.RenameField('payment', 'receipt_number', 'receipt')"
PAGE = page("rename-a-field")
SELECT_FAILS = {
    "sqlite": "OperationalError: no such column: fees_payment.receipt_number",
    "postgresql": "ProgrammingError: column fees_payment.receipt_number does not exist",
    "mariadb": "OperationalError: (1054, \"Unknown column 'fees_payment.receipt_number' in 'SELECT'\")",
}


@pytest.fixture
def renamed(releases):
    releases.change_model(OLD, "receipt = models.CharField(max_length=20, blank=True)")
    releases.forget_in_admin()
    return releases


@on_all
def test_renamed_column_stops_every_statement_of_one_release_or_the_other(database, renamed):
    renamed.write_migration("0013_rename", RENAME)
    assert renamed.new().count(" fails: ") == 3
    assert renamed.old() == ALL_WORK
    assert renamed.migrate().status == 0
    assert renamed.old().count(" fails: ") == 3
    assert f"SELECT fails: {SELECT_FAILS[database]}" in renamed.old()
    assert SELECT_FAILS[database].split(": ", 1)[1] in PAGE
    assert renamed.new() == ALL_WORK


@on_all
def test_kept_column_serves_both_releases_before_and_after_the_migration(database, renamed):
    kept = "models.CharField(max_length=20, blank=True, db_column='receipt_number')"
    renamed.change_model("receipt = models.CharField(max_length=20, blank=True)", f"receipt = {kept}")
    renamed.write_migration("0013_rename", f"migrations.AlterField('payment', 'receipt_number', {kept}), {RENAME}")
    before = renamed.sandbox.snapshot(ignore={"django_migrations"})
    assert (renamed.old(), renamed.new()) == (ALL_WORK, ALL_WORK)
    assert renamed.migrate().status == 0
    assert (renamed.old(), renamed.new()) == (ALL_WORK, ALL_WORK)
    assert before.difference(renamed.sandbox.snapshot(ignore={"django_migrations"})) == []
    assert renamed.sandbox.manage("makemigrations", "--check", "fees").status == 0


@on_all
def test_second_column_serves_both_releases_and_late_rows_are_found(database, releases):
    field = "models.CharField(max_length=20, blank=True, db_default='')"
    releases.change_model(f"    {OLD}\n", f"    {OLD}\n    receipt = {field}\n")
    releases.write_migration("0013_receipt", f"migrations.AddField('payment', 'receipt', {field})")
    assert releases.migrate().status == 0
    assert (releases.old(), releases.new()) == (ALL_WORK, ALL_WORK)
    differing = "SELECT COUNT(*) FROM fees_payment WHERE receipt <> receipt_number"
    assert releases.sandbox.execute(differing) == releases.sandbox.execute("SELECT COUNT(*) FROM fees_payment")

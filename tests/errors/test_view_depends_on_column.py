"""The page's check lists what views read; dropping with CASCADE loses more, and removing a column loses views unseen."""

from __future__ import annotations

import pytest
from advice import find_cause, last_line, on, on_all_djangos, write_migration

SLUG = "view-depends-on-column"
WORLD = "rebuild-dependent-views"
REMOVE = "migrations.RemoveField('payment', 'receipt_number')"
DEPENDS = "django.db.utils.InternalError: cannot drop column receipt_number of table fees_payment because other objects depend on it\n"
VIEWS = {
    "sqlite": "SELECT name FROM sqlite_master WHERE type = 'view' ORDER BY 1",
    "postgresql": "SELECT viewname FROM pg_views WHERE schemaname = 'public' ORDER BY 1",
    "mariadb": "SELECT table_name FROM information_schema.views WHERE table_schema = DATABASE() ORDER BY 1",
}
NEW = (
    "migrations.RunSQL(['DROP VIEW IF EXISTS receipt_totals', 'DROP VIEW IF EXISTS invoice_receipts'], 'SELECT 1'), {},"
    " migrations.RunSQL('CREATE VIEW invoice_receipts AS SELECT invoice_id, amount FROM fees_payment', 'DROP VIEW invoice_receipts')"
)


def views(sandbox) -> list[str]:
    return [name for (name,) in sandbox.execute(VIEWS[sandbox.database])]


def open_with_removal(opened, database, operations: str = REMOVE):
    """Open the world with a migration that removes the column instead of changing its type."""
    sandbox = opened(WORLD, database)
    (sandbox.project / "fees/migrations/0013_longer_receipt_number.py").unlink()
    write_migration(sandbox, "fees", "0013_remove", operations)
    return sandbox


@on("sqlite", "postgresql")
def test_check_of_the_page_lists_what_views_read_and_changes_nothing(database, opened):
    sandbox = opened(WORLD, database)
    before = sandbox.snapshot()
    lines = find_cause(sandbox, SLUG).output.splitlines()
    assert lines[0].startswith("invoice_receipts reads") and lines[-1].startswith("receipt_totals reads")
    assert before.difference(sandbox.snapshot()) == []
    assert find_cause(opened("healthy", database), SLUG).output == ""


@on_all_djangos
@on("postgresql")
def test_removing_the_column_drops_the_views_without_a_word_up_to_5_2(database, django, opened):
    sandbox = open_with_removal(opened, database)
    done = sandbox.manage("migrate")
    if django == "5.2":
        assert done.status == 0 and views(sandbox) == []
    else:
        assert done.status == 1 and DEPENDS in done.output and len(views(sandbox)) == 2


@on_all_djangos
@on("sqlite")
def test_removing_the_column_stops_at_the_view(database, opened):
    sandbox = open_with_removal(opened, database)
    text = "django.db.utils.OperationalError: error in view invoice_receipts after drop column: no such column: receipt_number"
    assert last_line(sandbox.manage("migrate").output) == text
    assert len(views(sandbox)) == 2


@on_all_djangos
@on("sqlite", "postgresql")
def test_deleting_the_model_drops_or_breaks_the_views_without_a_word(database, opened):
    sandbox = open_with_removal(opened, database, "migrations.DeleteModel('payment')")
    assert sandbox.manage("migrate").status == 0
    if database == "postgresql":
        assert views(sandbox) == []
    else:
        assert find_cause(sandbox, SLUG).output.count(" is broken: no such table: main.fees_payment\n") == 2


@on("sqlite", "postgresql")
def test_new_definition_in_the_migration_lets_the_column_go(database, opened):
    sandbox = open_with_removal(opened, database, NEW.format(REMOVE))
    assert sandbox.manage("migrate").status == 0
    assert views(sandbox) == ["invoice_receipts"]


@on("sqlite")
def test_broken_view_of_another_table_stops_every_rebuild_until_it_is_dropped(database, opened):
    sandbox = opened("healthy", database)
    sandbox.execute("CREATE VIEW old_report AS SELECT * FROM gone")
    assert find_cause(sandbox, SLUG).output.startswith("old_report is broken: no such table: main.gone")
    write_migration(sandbox, "fees", "0013_unrelated", "migrations.RemoveConstraint('payment', 'payment_amount_positive')")
    assert last_line(sandbox.manage("migrate").output) == "django.db.utils.OperationalError: error in view old_report: no such table: main.gone"
    sandbox.execute("DROP VIEW old_report")
    assert sandbox.manage("migrate").status == 0


@on("mariadb")
def test_mariadb_changes_the_column_and_the_view_fails_when_it_is_read(database, opened):
    sandbox = opened("healthy", database)
    sandbox.execute("CREATE VIEW receipts AS SELECT receipt_number FROM fees_payment")
    write_migration(sandbox, "fees", "0013_remove", REMOVE)
    assert sandbox.manage("migrate").status == 0 and views(sandbox) == ["receipts"]
    with pytest.raises(Exception, match="references invalid table"):
        sandbox.execute("SELECT * FROM receipts")


@on("postgresql")
def test_cascade_takes_the_views_above_and_every_right_along(database, opened):
    sandbox = opened(WORLD, database)
    assert sandbox.execute("SELECT has_table_privilege('pg_monitor', 'receipt_totals', 'SELECT')") == [(True,)]
    sandbox.execute("DROP VIEW invoice_receipts CASCADE")
    assert views(sandbox) == []
    assert sandbox.manage("migrate").status == 0
    sandbox.execute("CREATE VIEW receipt_totals AS SELECT invoice_id, count(*) AS receipts FROM fees_payment GROUP BY 1")
    assert sandbox.execute("SELECT has_table_privilege('pg_monitor', 'receipt_totals', 'SELECT')") == [(False,)]


@on("postgresql")
def test_fake_leaves_the_column_as_it_is(database, opened):
    sandbox = opened(WORLD, database)
    assert sandbox.manage("migrate", "fees", "0013", "--fake").status == 0
    assert sandbox.manage("migrate", "--check").status == 0
    longer = "from fees.models import Payment; Payment.objects.update(receipt_number='R' * 30)"
    assert "value too long" in sandbox.manage("shell", "-v", "0", "-c", longer).output

"""A change of many rows: it can be killed and run again, gives way, and late rows of the old release are found."""

from __future__ import annotations

from contextlib import closing

import pytest
from migration_runbooks.pages.blocks import read_page
from migration_runbooks.paths import DOCS
from two_releases import ALL_WORK, FILES, on, on_all, page

PAGE = DOCS / "safe-changes" / "change-data-at-scale.md"
MONTH = "models.PositiveSmallIntegerField(null=True)"
RECEIPT = "    receipt_number = models.CharField(max_length=20, blank=True)\n"
EMPTY = "SELECT COUNT(*) FROM fees_payment WHERE month IS NULL"
WAITS = {
    "sqlite": "database is locked",
    "postgresql": "canceling statement due to lock timeout",
    "mariadb": "(1205, 'Lock wait timeout exceeded; try restarting transaction')",
}
REFUSES_NULL = {
    "sqlite": "NOT NULL constraint failed: new__fees_payment.month",
    "postgresql": 'column "month" of relation "fees_payment" contains null values',
    "mariadb": "(1265, \"Data truncated for column 'month' at row 1\")",
}


@pytest.fixture
def filling(releases):
    """The page's migration, in batches of 10, on a column that is empty in every row."""
    releases.change_model(RECEIPT, f"{RECEIPT}    month = {MONTH}\n")
    releases.write_migration("0013_payment_month", f"migrations.AddField('payment', 'month', {MONTH})")
    [text] = [block.text for block in read_page(PAGE).blocks if block.fence.title and "0014_fill" in block.fence.title]
    releases.fill = releases.sandbox.project / "fees" / "migrations" / "0014_fill_payment_month.py"
    releases.fill.write_text(text.replace("BATCH = 1000", "BATCH = 10").replace("PAUSE = 0.1", "PAUSE = 0"))
    assert releases.migrate("0013").status == 0
    return releases


def empty(releases) -> int:
    return releases.sandbox.execute(EMPTY)[0][0]


@on_all
def test_killed_between_two_batches_it_keeps_what_is_done_and_goes_on(database, filling):
    whole, good = empty(filling), filling.fill.read_text()
    kill = "import os, signal; os.kill(os.getpid(), signal.SIGKILL) if pks[0] > 10 else time.sleep(PAUSE)"
    filling.fill.write_text(good.replace("time.sleep(PAUSE)", kill))
    assert filling.migrate().status != 0
    assert 0 < empty(filling) < whole
    filling.fill.write_text(good)
    filling.sandbox.execute("UPDATE fees_payment SET month = 13 WHERE id = (SELECT MAX(id) FROM (SELECT id FROM fees_payment) p)")
    assert filling.migrate().status == 0
    assert empty(filling) == 0
    assert filling.sandbox.execute("SELECT COUNT(*) FROM fees_payment WHERE month = 13") == [(1,)]


@on_all
def test_who_waits_in_the_middle_of_each_way(database, filling):
    lines = filling.shell((FILES / "who_waits.py").read_text()).splitlines()
    waits = [line for line in lines if "the office waits" in line]
    assert [line.split(",")[0] for line in waits] == ["one_update", "loop_over_save", "batches"]
    assert all(line.endswith(WAITS[database]) for line in waits)
    assert lines[2].endswith("1 of its 2 changes are kept") and lines[4].endswith("2 of its 2 changes are kept")
    assert WAITS[database] in page("change-data-at-scale")


@on("postgresql")
def test_gives_up_behind_a_locked_row_and_goes_on_when_run_again(database, filling):
    whole = empty(filling)
    with closing(filling.sandbox.connect()) as office:
        office.execute("BEGIN")
        office.execute("UPDATE fees_payment SET receipt_number = 'office' WHERE id = (SELECT MAX(id) FROM fees_payment)")
        command = [*filling.sandbox.kind.manage, "migrate", "fees"]
        gave_up = filling.sandbox.run(*command, PGOPTIONS="-c lock_timeout=200ms")
        assert gave_up.status != 0 and WAITS["postgresql"] in gave_up.output
        assert 0 < empty(filling) < whole
        office.execute("COMMIT")
    assert filling.migrate().status == 0
    assert empty(filling) == 0
    assert filling.sandbox.execute("SELECT COUNT(*) FROM fees_payment WHERE receipt_number = 'office'") == [(1,)]


@on_all
def test_one_late_row_stops_not_null_and_nothing_is_changed(database, filling):
    assert filling.migrate().status == 0
    filling.written.append("0014_fill_payment_month")
    filling.sandbox.execute("UPDATE fees_payment SET month = NULL WHERE id = 1")
    not_null = "migrations.AlterField('payment', 'month', models.PositiveSmallIntegerField())"
    filling.write_migration("0015_require", not_null)
    before = filling.sandbox.snapshot()
    refused = filling.migrate()
    assert refused.status != 0 and REFUSES_NULL[database] in refused.output, refused.output
    assert before.difference(filling.sandbox.snapshot()) == []
    assert REFUSES_NULL[database].split(" at row")[0] in page("change-data-at-scale")
    assert filling.migrate("0013").status == 0
    assert filling.migrate().status == 0


@on_all
def test_both_releases_work_until_null_is_forbidden(database, filling):
    constraints = '        constraints = [models.CheckConstraint(condition=models.Q(amount__gt=0), name="payment_amount_positive")]\n'
    fills = "\n    def save(self, **options):\n        self.month = self.paid_at.month\n        super().save(**options)\n"
    filling.change_model(constraints, constraints + fills)
    assert (filling.old(), filling.new()) == (ALL_WORK, ALL_WORK)
    assert filling.migrate().status == 0
    assert (filling.old(), filling.new()) == (ALL_WORK, ALL_WORK)
    filling.written.append("0014_fill_payment_month")
    filling.write_migration("0015_require", "migrations.AlterField('payment', 'month', models.PositiveSmallIntegerField())")
    assert filling.migrate().status == 0
    assert filling.old().startswith("INSERT fails") and filling.new() == ALL_WORK

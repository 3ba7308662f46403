"""Several faults at once, and what must not hide what."""

from __future__ import annotations

import pytest
from faults import ALONE_ON_SQLITE, FAULTS, assert_told
from planting import drop_index, edit, sql
from sqlite_alone import on_sqlite_alone

OF_THE_DATABASE = ("column dropped", "unique added", "table left over", "content type")


def test_many_faults_at_once_are_all_found(checked):
    """Among them all that are planted alone on SQLite only: so each is found on each database."""
    planted = [fault for fault in FAULTS if fault.name in OF_THE_DATABASE or fault.databases == ALONE_ON_SQLITE]
    assert {fault.name for fault in planted} >= set(OF_THE_DATABASE)
    for fault in planted:
        fault.plant(checked.sandbox)
    findings = checked.findings()
    found = []
    for fault in planted:
        (finding,) = [each for each in findings if each["id"] == fault.id and each["object"].endswith(fault.object)]
        assert_told(finding, fault)
        found.append(finding)
    others = {(each["id"], each["level"], each["object"]) for each in findings if each not in found}
    assert others == set().union(*(fault.also for fault in planted))


def test_a_broken_graph_does_not_hide_orphaned_rows(checked):
    for fault in FAULTS:
        if fault.name in ("cycle", "orphans", "column dropped"):
            fault.plant(checked.sandbox)
    report = checked.report()
    ids = {each["id"] for each in report["findings"]}
    assert {"dependency-cycle", "orphaned-rows", "missing-column", "could-not-check"} == ids
    assert report["status"] == 1
    assert any("compared with the models alone" in note for note in report["not_checked"])


def test_a_history_that_cannot_be_read_does_not_hide_orphaned_rows(checked):
    next(fault for fault in FAULTS if fault.name == "orphans").plant(checked.sandbox)
    sql(checked.sandbox, "ALTER TABLE django_migrations RENAME COLUMN applied TO happened")
    findings = checked.findings()
    assert any(each["id"] == "orphaned-rows" for each in findings)
    assert any(each["id"] == "could-not-check" and each["object"] == "the recorded history" for each in findings)


def test_rows_can_be_left_out_and_that_is_said(checked):
    next(fault for fault in FAULTS if fault.name == "orphans").plant(checked.sandbox)
    report = checked.report("--skip-rows")
    assert (report["findings"], report["status"]) == ([], 0)
    assert any("--skip-rows" in note for note in report["not_checked"])
    if checked.sandbox.database == "postgresql":
        sql(checked.sandbox, "ANALYZE")
    report = checked.report("--row-limit=0")
    assert any("rows of fees_payment" in note for note in report["not_checked"])
    assert [each["id"] for each in checked.findings("--row-limit=100000000")] == ["orphaned-rows"]


def test_quick_finds_a_missing_column_and_says_what_it_cannot_see(checked):
    sql(checked.sandbox, "ALTER TABLE fees_payment DROP COLUMN receipt_number")
    report = checked.report("--quick")
    assert [(each["id"], each["object"]) for each in report["findings"]] == [("missing-column", "fees_payment.receipt_number")]
    assert any(note.startswith("types, lengths, defaults") for note in report["not_checked"])


@on_sqlite_alone
def test_drift_of_a_package_is_one_warning_that_names_it(checked):
    edit(checked.sandbox, "acharya/settings.py", 'DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"', "")
    package = checked.sandbox.project / "site-packages" / "borrowed"
    (package / "migrations").mkdir(parents=True)
    for init in (package, package / "migrations"):
        (init / "__init__.py").write_text("")
    (package / "models.py").write_text("from django.db import models\n\n\nclass Book(models.Model):\n    a = models.IntegerField(null=True)\n    b = models.IntegerField(null=True)\n")
    with (checked.sandbox.project / "acharya" / "settings.py").open("a") as settings:
        settings.write('\nimport sys\nsys.path.append(str(BASE_DIR / "site-packages"))\nINSTALLED_APPS += ["borrowed"]\nDEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"\n')
    found = [(each["id"], each["level"], each["app"]) for each in checked.findings()]
    assert found == [("model-changes-without-migration", "warning", "borrowed")]


INVOICES = {
    "one": "CASE WHEN i % 99999 = 0 OR i = 250000 THEN 900000 ELSE (SELECT min(id) FROM fees_invoice) END",
    "many": "CASE WHEN i % 99999 = 0 OR i = 250000 THEN 900000 + i ELSE (SELECT min(id) FROM fees_invoice) + i % 50 END",
}


@pytest.mark.parametrize(("spread", "invoices", "index"), [(1, "one", "no index"), (10**12, "many", "no index"), (1, "many", "index")])
@on_sqlite_alone  # there alone is a table searched piece by piece
def test_orphans_are_found_in_every_piece_of_a_large_table(checked, spread, invoices, index):
    sql(
        checked.sandbox,
        "INSERT INTO fees_payment (id, invoice_id, amount, paid_at, receipt_number) WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n "
        f"WHERE i < 250000) SELECT 1000 + i * {spread}, {INVOICES[invoices]}, 1, '2026-01-01', '' FROM n",
    )
    if index == "no index":
        drop_index(checked.sandbox, "fees_payment", "invoice_id")
    (found,) = [each for each in checked.findings() if each["id"] == "orphaned-rows"]
    keys = ", ".join(str(1000 + i * spread) for i in (99_999, 199_998, 250_000))
    assert f"3 rows, among them those with the keys {keys}." in found["message"]

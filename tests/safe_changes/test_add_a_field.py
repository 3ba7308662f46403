"""A new column: which defaults let the release that runs go on inserting, and which ones rewrite the table."""

from __future__ import annotations

import pytest
from two_releases import ALL_WORK, on, on_all, page

RECEIPT = "    receipt_number = models.CharField(max_length=20, blank=True)\n"
PAGE = page("add-a-field")
INSERT_FAILS = {
    "sqlite": "INSERT fails: IntegrityError: NOT NULL constraint failed: fees_payment.method",
    "postgresql": 'INSERT fails: IntegrityError: null value in column "method" of relation "fees_payment" '
    "violates not-null constraint",
    "mariadb": "INSERT fails: OperationalError: (1364, \"Field 'method' doesn't have a default value\")",
}
EVERY_ROW_FILLED = "migrations.RunSQL('UPDATE fees_payment SET month = 1 WHERE month IS NULL', '')"


IMPORT = "from django.db import models\n"
FUNCTIONS = "from django.contrib.postgres.functions import RandomUUID\nfrom django.db.models import functions\n"


def add_field(releases, name: str, field: str) -> None:
    releases.change_model(IMPORT, IMPORT + FUNCTIONS)
    releases.change_model(RECEIPT, f"{RECEIPT}    {name} = {field}\n")
    releases.write_migration("0013_add", f"migrations.AddField('payment', '{name}', {field})")


@on_all
def test_default_of_python_stops_inserts_of_the_running_release(database, releases):
    add_field(releases, "method", "models.CharField(max_length=10, default='cash')")
    assert releases.old() == ALL_WORK
    assert releases.migrate().status == 0
    assert releases.old() == f"{INSERT_FAILS[database]}\nSELECT, UPDATE work\n"
    assert INSERT_FAILS[database].split(": ", 2)[2] in PAGE
    assert releases.new() == ALL_WORK


@on_all
@pytest.mark.parametrize("argument", ["db_default='cash'", "null=True"])
def test_a_column_that_takes_care_of_itself_serves_both_releases(database, argument, releases):
    add_field(releases, "method", f"models.CharField(max_length=10, {argument})")
    assert releases.new().count("fails") == 3
    assert releases.migrate().status == 0
    assert (releases.old(), releases.new()) == (ALL_WORK, ALL_WORK)


@on_all
def test_null_is_forbidden_only_after_every_writer_fills_the_column(database, releases):
    add_field(releases, "month", "models.PositiveSmallIntegerField(null=True)")
    releases.write_migration("0014_fill", EVERY_ROW_FILLED)
    not_null = "migrations.AlterField('payment', 'month', models.PositiveSmallIntegerField())"
    releases.write_migration("0015_require", not_null)
    assert releases.migrate().status == 0
    assert releases.old().startswith("INSERT fails") and "month" in releases.old()


@on("postgresql")
@pytest.mark.parametrize(
    "field, rewritten",
    [
        ("models.UUIDField(db_default=RandomUUID())", True),
        ("models.DateTimeField(db_default=functions.Now())", False),
        ("models.CharField(max_length=10, db_default='cash')", False),
        ("models.CharField(max_length=10, default='cash')", False),
    ],
)
def test_only_a_volatile_default_rewrites_the_table(database, field, rewritten, releases):
    add_field(releases, "extra", field)
    before = releases.sandbox.execute("SELECT pg_relation_filenode('fees_payment')")
    assert releases.migrate().status == 0
    assert (before != releases.sandbox.execute("SELECT pg_relation_filenode('fees_payment')")) == rewritten


@on("sqlite")
@pytest.mark.parametrize(
    "field, rebuilt",
    [
        ("models.CharField(max_length=10, null=True)", False),
        ("models.CharField(max_length=10, null=True, db_default='cash')", True),
        ("models.CharField(max_length=10, null=True, default='cash')", True),
        ("models.CharField(max_length=10, db_default='cash')", True),
    ],
)
def test_what_makes_sqlite_build_the_table_anew(database, field, rebuilt, releases):
    add_field(releases, "extra", field)
    sql = releases.sandbox.manage("sqlmigrate", "fees", "0013").stdout
    assert ('CREATE TABLE "new__fees_payment"' in sql) == rebuilt

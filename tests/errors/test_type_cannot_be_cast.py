"""Every cause and its text; the page's check finds what SQLite lets pass; what people are told loses values."""

from __future__ import annotations

from contextlib import closing

from advice import find_cause, last_line, on, on_all, on_all_djangos, page_of, write_migration
from migration_runbooks.pages.blocks import read_page

SLUG = "type-cannot-be-cast"
RECEIPTS = "SELECT receipt_number FROM fees_payment ORDER BY id"
UNFIT = {
    "postgresql": 'django.db.utils.DataError: invalid input syntax for type integer: "R00001"',
    "mariadb": "django.db.utils.OperationalError: (1292, \"Truncated incorrect INTEGER value: 'R00001'\")",
}
DATE = {
    "postgresql": 'django.db.utils.DataError: invalid input syntax for type date: "R00001"',
    "mariadb": "(1292, \"Incorrect datetime value: 'R00001' for column `",
}
TO_INTEGER = 'migrations.AlterField("payment", "receipt_number", models.IntegerField())'


def add_migration(sandbox, operations: str, name: str = "0013_change") -> None:
    write_migration(sandbox, "fees", name, operations)
    file = sandbox.project / f"fees/migrations/{name}.py"
    file.write_text(file.read_text().replace("import migrations", "import migrations, models", 1))


def follow_the_page(sandbox) -> None:
    """Write the files of the page's repair, and delete the migration that failed."""
    (sandbox.project / "fees/migrations/0013_number_receipts.py").unlink()
    for block in read_page(page_of(SLUG)).blocks:
        if block.fence.kind == "file" and block.fence.title.startswith("fees/"):
            (sandbox.project / block.fence.title).write_text(block.text)


@on_all
def test_check_of_the_page_finds_them_and_changes_nothing(database, opened):
    sandbox = opened(SLUG, database)
    before = sandbox.snapshot()
    found = find_cause(sandbox, SLUG)
    assert found.status == 1
    assert found.output.splitlines()[0] == "fees.0013_number_receipts: fees_payment.receipt_number from CharField to IntegerField:"
    assert "  34 values do not fit: 'R00001', 'R00002', 'R00003'\n" in found.output
    assert before.difference(sandbox.snapshot()) == []
    healthy = find_cause(opened("healthy", database), SLUG)
    assert (healthy.status, healthy.output) == (0, "0 values do not fit\n")


def test_check_of_the_page_says_what_is_not_there_yet(opened):
    sandbox = opened("healthy", "sqlite")
    add_migration(sandbox, f"{TO_INTEGER.replace('AlterField', 'AddField').replace('Integer', 'Text').replace('receipt_number', 'grade')}, {TO_INTEGER.replace('receipt_number', 'grade')}")
    found = find_cause(sandbox, SLUG)
    told = "fees.0013_change: fees_payment.grade is not there yet. Run this again when the migrations before it are applied."
    assert (found.status, found.output) == (0, f"{told}\n0 values do not fit\n")


@on_all_djangos
@on("postgresql", "mariadb")
def test_values_do_not_fit(database, opened):
    sandbox = opened(SLUG, database)
    assert last_line(sandbox.manage("migrate").output) == UNFIT[database]


@on("postgresql", "mariadb")
def test_values_do_not_fit_a_date(database, opened):
    sandbox = opened("healthy", database)
    add_migration(sandbox, 'migrations.AlterField("payment", "receipt_number", models.DateField())')
    assert DATE[database] in last_line(sandbox.manage("migrate").output)


@on_all_djangos
def test_sqlite_keeps_texts_in_a_column_of_integers(opened):
    sandbox = opened(SLUG, "sqlite")
    assert sandbox.manage("migrate").status == 0
    assert sandbox.execute("SELECT DISTINCT typeof(receipt_number), SUM(receipt_number) FROM fees_payment") == [("text", 0.0)]


@on_all
def test_rule_that_does_not_know_a_value_stops_and_names_it(database, opened):
    sandbox = opened(SLUG, database)
    follow_the_page(sandbox)
    sandbox.execute("UPDATE fees_payment SET receipt_number = 'lost' WHERE id = 4")
    done = sandbox.manage("migrate")
    assert last_line(done.output).startswith("ValueError: Payment 4: no rule for the receipt 'lost'.")
    sandbox.execute("UPDATE fees_payment SET receipt_text = 'R00004' WHERE id = 4")
    assert sandbox.manage("migrate").status == 0


@on_all
def test_every_text_is_back_after_the_way_back(database, opened):
    sandbox = opened(SLUG, database)
    before = sandbox.snapshot()
    follow_the_page(sandbox)
    assert sandbox.manage("migrate").status == 0
    assert sandbox.manage("migrate", "fees", "0012").status == 0
    assert before.difference(sandbox.snapshot(), ignore={"django_migrations"}) == []


@on_all_djangos
@on("postgresql")
def test_postgresql_has_no_such_conversion(database, opened):
    sandbox = opened("healthy", database)
    add_migration(sandbox, 'migrations.AlterField("payment", "paid_at", models.IntegerField())')
    text = "django.db.utils.ProgrammingError: cannot cast type timestamp with time zone to integer"
    assert text in sandbox.manage("migrate").output.splitlines()
    assert "fees_payment.paid_at from DateTimeField to IntegerField:\n" in find_cause(sandbox, SLUG).output


@on("postgresql")
def test_sql_does_not_say_how(database, opened):
    sandbox = opened("healthy", database)
    change = "ALTER TABLE fees_payment ALTER receipt_number TYPE integer"
    sandbox.execute("UPDATE fees_payment SET receipt_number = id")
    add_migration(sandbox, f"migrations.RunSQL('{change}')")
    text = 'django.db.utils.ProgrammingError: column "receipt_number" cannot be cast automatically to type integer'
    assert text in sandbox.manage("migrate").output.splitlines()
    file = sandbox.project / "fees/migrations/0013_change.py"
    file.write_text(file.read_text().replace(change, f"{change} USING receipt_number::integer"))
    assert sandbox.manage("migrate").status == 0


@on("postgresql")
def test_migration_writes_it(database, opened):
    sandbox = opened("healthy", database)
    add_migration(sandbox, "migrations.RunSQL(\"UPDATE fees_scholarship SET percent = 'half'\")")
    assert 'invalid input syntax for type smallint: "half"' in sandbox.manage("migrate").output
    assert find_cause(sandbox, SLUG).status == 0


@on_all
def test_removing_the_field_and_adding_it_again_loses_every_value(database, opened):
    sandbox = opened("healthy", database)
    added = 'migrations.AddField("payment", "receipt_number", models.IntegerField(null=True))'
    add_migration(sandbox, f'migrations.RemoveField("payment", "receipt_number"), {added}')
    assert sandbox.manage("migrate").status == 0
    assert set(sandbox.execute(RECEIPTS)) == {(None,)}


@on_all
def test_values_set_to_0_do_not_come_back(database, opened):
    sandbox = opened(SLUG, database)
    sandbox.execute("UPDATE fees_payment SET receipt_number = '0'")
    assert sandbox.manage("migrate").status == 0
    assert sandbox.manage("migrate", "fees", "0012").status == 0
    assert set(sandbox.execute(RECEIPTS)) == {("0",)}


@on_all
def test_zeros_at_the_start_are_gone_after_the_way_back(database, opened):
    sandbox = opened("healthy", database)
    sandbox.execute("UPDATE fees_payment SET receipt_number = '0042'")
    add_migration(sandbox, TO_INTEGER)
    assert find_cause(sandbox, SLUG).status == 0
    assert sandbox.manage("migrate").status == 0
    assert sandbox.manage("migrate", "fees", "0012").status == 0
    assert set(sandbox.execute(RECEIPTS)) == {("42",)}


@on("mariadb")
def test_without_strict_mode_every_text_becomes_0(database, opened):
    sandbox = opened("healthy", database)
    with closing(sandbox.connect()) as connection, closing(connection.cursor()) as cursor:
        cursor.execute("SET SESSION sql_mode = ''")
        cursor.execute("ALTER TABLE fees_payment MODIFY receipt_number integer NOT NULL")
    assert set(sandbox.execute(RECEIPTS)) == {(0,)}

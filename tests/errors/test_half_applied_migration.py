"""What a migration leaves that fails in the middle, with each database's own text, and what the usual advice costs."""

from __future__ import annotations

from advice import last_line, on, on_all, on_all_djangos, write_migration

HALF = "finish-half-applied-migration"
SLUG = "half-applied-migration"
DDL_IN_A_TRANSACTION = (
    "django.db.transaction.TransactionManagementError: Executing DDL statements while in a transaction on databases"
    " that can't perform a rollback is prohibited."
)
CODE = """from django.db import migrations, models


def fill(apps, schema_editor):
    apps.get_model("fees", "FeeHead").objects.create(name="Made by code", amount=1)
    schema_editor.execute("CREATE TABLE fees_ledger (id integer)")


class Migration(migrations.Migration):
    dependencies = [("fees", "0012_invoice_discount")]
    operations = [
        migrations.AddField("feehead", "code", models.CharField(max_length=5, null=True)),
        migrations.RunPython(fill),
    ]
"""
TWO = (
    'migrations.AddField("feehead", "code", models.CharField(max_length=5, null=True)),'
    ' migrations.RunSQL("SELECT * FROM no_such_table")'
)
CONSTRAINT = "payment_amount_below_a_million"


def columns(sandbox, table: str) -> str:
    return " ".join(sandbox.snapshot().schema[table])


def use_models(sandbox, name: str) -> None:
    file = sandbox.project / f"fees/migrations/{name}.py"
    file.write_text(file.read_text().replace("import migrations", "import migrations, models", 1))


@on_all_djangos
@on("mariadb")
def test_code_that_changes_the_schema_in_a_transaction(database, opened):
    sandbox = opened("healthy", database)
    file = sandbox.project / "fees/migrations/0013_code.py"
    file.write_text(CODE)
    assert last_line(sandbox.manage("migrate").output) == DDL_IN_A_TRANSACTION
    assert "column code" in columns(sandbox, "fees_feehead"), "what ran before stays"
    assert sandbox.execute("SELECT COUNT(*) FROM fees_feehead WHERE name = 'Made by code'") == [(0,)]
    statement = '    schema_editor.execute("CREATE TABLE fees_ledger (id integer)")\n'
    file.write_text(CODE.replace(statement, "").replace("RunPython(fill)", 'RunSQL("CREATE TABLE fees_ledger (id integer)"), migrations.RunPython(fill)'))
    done = sandbox.run("runbook", "run", HALF, "--set", "APP=fees", "--set", "NAME=0013_code", "--set", "REPAIR=finish from 2", "--apply", "--yes")
    assert done.status == 0, done.output
    assert sandbox.execute("SELECT COUNT(*) FROM fees_feehead WHERE name = 'Made by code'") == [(1,)]
    assert "fees_ledger" in sandbox.snapshot().schema


@on_all
def test_only_databases_without_a_transaction_around_it_keep_half(database, opened):
    sandbox = opened("healthy", database)
    write_migration(sandbox, "fees", "0013_two", TWO)
    use_models(sandbox, "0013_two")
    assert sandbox.manage("migrate").status != 0
    assert ("column code" in columns(sandbox, "fees_feehead")) == (database == "mariadb")


@on_all_djangos
@on_all
def test_atomic_false_keeps_half_everywhere_and_the_second_run_says_that_it_exists(database, opened):
    sandbox = opened("healthy", database)
    write_migration(sandbox, "fees", "0013_two", TWO, "atomic = False\n")
    use_models(sandbox, "0013_two")
    assert "no_such_table" in sandbox.manage("migrate").output
    assert "column code" in columns(sandbox, "fees_feehead")
    again = last_line(sandbox.manage("migrate").output)
    assert "duplicate column name: code" in again or "already exists" in again or "Duplicate column name 'code'" in again


@on_all
def test_fake_records_what_is_missing(database, opened):
    sandbox = opened(HALF, database)
    assert sandbox.manage("migrate", "fees", "--fake").status == 0
    assert sandbox.manage("migrate", "--check").status == 0
    assert not any(CONSTRAINT in line for line in sandbox.snapshot().schema["fees_payment"])
    sandbox.execute("UPDATE fees_payment SET amount = 2000000 WHERE id = 1")
    if database != "sqlite":  # there the foreign key is part of the table from the start
        sandbox.execute("INSERT INTO fees_refund (id, amount, payment_id) VALUES (1, 10, 999999)")


def test_second_run_erases_a_column_with_a_default_on_sqlite(opened):
    sandbox = opened("healthy", "sqlite")
    write_migration(sandbox, "fees", "0013_two", TWO.replace("null=True", 'default=\\"-\\"').replace('\\"', '"'), "atomic = False\n")
    use_models(sandbox, "0013_two")
    assert sandbox.manage("migrate").status != 0
    sandbox.execute("UPDATE fees_feehead SET code = 'A'")
    assert sandbox.manage("migrate").status != 0
    assert set(sandbox.execute("SELECT code FROM fees_feehead")) == {("-",)}


@on_all
def test_dropping_what_is_there_loses_values_stored_since(database, opened):
    sandbox = opened(HALF, database)
    sandbox.execute("UPDATE fees_payment SET channel = 'card' WHERE id = 1")
    for statement in ("ALTER TABLE fees_payment DROP COLUMN channel", "DROP TABLE fees_refund"):
        sandbox.execute(statement)
    if database == "sqlite":
        sandbox.execute("DROP TABLE IF EXISTS new__fees_payment")
    assert sandbox.manage("migrate").status == 0
    assert sandbox.execute("SELECT COUNT(*) FROM fees_payment WHERE channel IS NOT NULL") == [(0,)]

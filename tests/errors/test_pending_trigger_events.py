"""Rows and schema in one transaction: PostgreSQL's own text, what makes it pass, and what the usual advice costs."""

from __future__ import annotations

from advice import last_line, on, on_all_djangos

MIXED = "split-schema-and-data"
FILE = "fees/migrations/0013_payments_of_the_office.py"
ERROR = 'django.db.utils.OperationalError: cannot ALTER TABLE "fees_payment" because it has pending trigger events'
PYTHON = "        migrations.RunPython(name_the_office, migrations.RunPython.noop),\n"
IMMEDIATE = 'migrations.RunSQL("SET CONSTRAINTS ALL IMMEDIATE", migrations.RunSQL.noop),'
IN_CODE = """from django.db import migrations


def fill(apps, schema_editor):
    apps.get_model("fees", "Payment").objects.filter(id=1).update(invoice_id=2)
    schema_editor.execute("ALTER TABLE fees_payment ADD COLUMN channel integer")


class Migration(migrations.Migration):
    dependencies = [("fees", "0012_invoice_discount")]
    operations = [migrations.RunPython(fill)]
"""
NOBODY = "SELECT COUNT(*) FROM fees_payment WHERE received_by_id IS NULL"
on_postgresql = on("postgresql")


def edit(sandbox, old: str, new: str) -> None:
    file = sandbox.project / FILE
    assert old in file.read_text()
    file.write_text(file.read_text().replace(old, new))


@on_postgresql
def test_whole_migration_is_rolled_back(database, opened):
    sandbox = opened(MIXED, database)
    before = sandbox.snapshot()
    assert last_line(sandbox.manage("migrate").output) == ERROR
    assert before.difference(sandbox.snapshot()) == []


@on_postgresql
def test_it_passes_where_there_is_no_row_to_write(database, opened):
    sandbox = opened(MIXED, database)
    sandbox.execute("UPDATE fees_payment SET received_by_id = (SELECT MIN(id) FROM users_user)")
    assert sandbox.manage("migrate").status == 0


@on_postgresql
def test_update_of_a_column_without_a_key_leaves_nothing_pending(database, opened):
    sandbox = opened(MIXED, database)
    edit(sandbox, "update(received_by=office)", 'update(amount=1)')
    assert sandbox.manage("migrate").status == 0


@on_postgresql
def test_checking_the_keys_in_between_is_enough(database, opened):
    sandbox = opened(MIXED, database)
    edit(sandbox, PYTHON, f"{PYTHON}        {IMMEDIATE}\n")
    assert sandbox.manage("migrate").status == 0
    assert sandbox.execute(NOBODY) == [(0,)]


@on_all_djangos
@on_postgresql
def test_code_that_changes_the_schema(database, opened):
    sandbox = opened("healthy", database)
    (sandbox.project / "fees/migrations/0013_channel.py").write_text(IN_CODE)
    assert last_line(sandbox.manage("migrate").output) == ERROR


@on_postgresql
def test_without_a_transaction_each_run_writes_again(database, opened):
    sandbox = opened(MIXED, database)
    edit(sandbox, "    dependencies", "    atomic = False\n    dependencies")
    edit(sandbox, "    office, _", '    apps.get_model("fees", "FeeHead").objects.create(name="Office", amount=1)\n    office, _')
    edit(sandbox, 'model_name="payment"', 'model_name="invoice"')  # a change that fails
    heads = "SELECT COUNT(*) FROM fees_feehead WHERE name = 'Office'"
    for times in (1, 2):
        assert sandbox.manage("migrate").status != 0
        assert sandbox.execute(heads) == [(times,)]
    assert sandbox.execute("SELECT COUNT(*) FROM django_migrations WHERE name LIKE '0013%'") == [(0,)]


@on_postgresql
def test_without_the_key_rows_that_point_nowhere_come_in(database, opened):
    sandbox = opened(MIXED, database)
    keys = "SELECT conname FROM pg_constraint WHERE conrelid = 'fees_payment'::regclass AND contype = 'f'"
    for (name,) in sandbox.execute(keys):
        sandbox.execute(f'ALTER TABLE fees_payment DROP CONSTRAINT "{name}"')
    assert sandbox.manage("migrate").status == 0
    sandbox.execute("UPDATE fees_payment SET received_by_id = 999999 WHERE id = 1")


@on_postgresql
def test_fake_changes_neither_rows_nor_schema(database, opened):
    sandbox = opened(MIXED, database)
    before = sandbox.snapshot()
    assert sandbox.manage("migrate", "--fake").status == 0
    assert sandbox.manage("migrate", "--check").status == 0
    assert sandbox.execute(NOBODY) != [(0,)]
    assert before.difference(sandbox.snapshot(), ignore={"django_migrations"}) == []

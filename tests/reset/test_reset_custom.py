"""Operations that makemigrations can't write are carried over, or left out for a reason that the plan says, or refused."""

from __future__ import annotations

import pytest
from sqlite_alone import on_sqlite_alone

LEAF = "0012_invoice_discount"

TRIGGER = {
    "sqlite": ["CREATE TRIGGER no_refund BEFORE UPDATE ON fees_payment WHEN new.amount < 0 BEGIN SELECT raise(abort, 'no refund'); END"],
    "postgresql": [
        "CREATE FUNCTION no_refund() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF new.amount < 0 THEN RAISE 'no refund'; END IF; RETURN new; END $$",
        "CREATE TRIGGER no_refund BEFORE UPDATE ON fees_payment FOR EACH ROW EXECUTE FUNCTION no_refund()",
    ],
    "mariadb": ["CREATE TRIGGER no_refund BEFORE UPDATE ON fees_payment FOR EACH ROW IF new.amount < 0 THEN SIGNAL SQLSTATE '45000'; END IF"],
}

HEADS = '''
def heads(apps, schema_editor):
    apps.get_model("fees", "FeeHead").objects.using(schema_editor.connection.alias).get_or_create(name="Sports", defaults={"amount": 50})


'''


def test_rows_index_and_trigger_are_carried_over(acharya_reset):
    """In one file with a change of the schema, which the new first file makes."""
    reset, sandbox = acharya_reset, acharya_reset.sandbox
    trigger = ", ".join(f"migrations.RunSQL({[statement]!r}, migrations.RunSQL.noop)" for statement in TRIGGER[sandbox.database])
    reset.migration(
        "fees", "0013_sports", LEAF, before=HEADS,
        operations='migrations.AlterField("feehead", "name", models.CharField(max_length=60)), migrations.RunPython(heads, migrations.RunPython.noop), '
        'migrations.RunSQL("CREATE INDEX by_receipt ON fees_payment (receipt_number)", "DROP INDEX by_receipt")',
    )  # fmt: skip
    reset.migration("fees", "0014_no_refund", "0013_sports", operations=trigger)
    reset.edit("fees/models.py", "name = models.CharField(max_length=50)\n    amount", "name = models.CharField(max_length=60)\n    amount")
    reset.migrate()
    before, fresh = sandbox.snapshot(), reset.fresh()
    said = reset.apply("fees")
    assert "fees.0006_number_existing_invoices is left out, because it changes nothing in an empty database: RunPython number_invoices" in said
    assert "fees.0013_sports is carried over as 0002_sports: RunPython heads; RunSQL CREATE INDEX by_receipt" in said
    assert reset.migrations("fees") == reset.history("fees") == {"0001_reset", "0002_sports", "0003_no_refund"}
    assert "AlterField" not in sandbox.files()["fees/migrations/0002_sports.py"]
    assert before.difference(sandbox.snapshot(), ignore={"django_migrations"}) == []
    after = reset.fresh()
    assert fresh.difference(after) == []
    assert any("no_refund" in line for line in after.schema["fees_payment"])
    assert any("Sports" in row for row in after.rows["fees_feehead"])
    assert "can't have fewer migrations" in reset.command("fees", "--apply").output
    assert reset.manage("check_migration_integrity").status == 0


def test_what_the_new_files_make_anyway_is_left_out(acharya_reset):
    reset = acharya_reset
    reset.migration(
        "fees", "0013_heads", LEAF,
        operations='migrations.SeparateDatabaseAndState([migrations.RunSQL("ALTER TABLE fees_feehead RENAME TO fees_head", '
        '"ALTER TABLE fees_head RENAME TO fees_feehead")], [migrations.AlterModelTable("feehead", "fees_head")])',
    )  # fmt: skip
    reset.edit("fees/models.py", "    amount = models.DecimalField(max_digits=10, decimal_places=2)\n\n    def __str__(self) -> str:\n        return self.name\n\n\nclass Invoice", '    amount = models.DecimalField(max_digits=10, decimal_places=2)\n\n    class Meta:\n        db_table = "fees_head"\n\n    def __str__(self) -> str:\n        return self.name\n\n\nclass Invoice')
    reset.migrate()
    before, fresh = reset.sandbox.snapshot(), reset.fresh()
    said = reset.apply("fees")
    assert "fees.0013_heads is left out, because the new files make the same" in said
    assert reset.migrations("fees") == {"0001_reset"}
    assert before.difference(reset.sandbox.snapshot(), ignore={"django_migrations"}) == []
    assert fresh.difference(reset.fresh()) == []


@on_sqlite_alone
def test_a_migration_that_depended_on_one_carried_over_still_comes_after_it(acharya_reset):
    """The rows of the groups are needed by it."""
    reset = acharya_reset
    check = "def check(apps, schema_editor):\n    assert apps.get_model('auth', 'Group').objects.using(schema_editor.connection.alias).get(name='Office')\n\n\n"
    reset.migration("fees", "0013_needs_groups", LEAF, needs='("users", "0005_user_role_name_index")', before=check, operations="migrations.RunPython(check)")
    reset.migrate()
    reset.apply("users")
    assert '("users", "0002_create_role_groups")' in reset.sandbox.files()["fees/migrations/0013_needs_groups.py"]
    assert reset.fresh().rows["auth_group"]


@on_sqlite_alone
def test_rows_are_left_out_when_a_person_says_so(acharya_reset):
    said = acharya_reset.apply("users", "--leave-out=users.0004_create_role_groups")
    assert "users.0004_create_role_groups is left out as you said: a fresh database will not have its rows in auth_group." in said
    assert acharya_reset.migrations("users") == {"0001_reset"}


@on_sqlite_alone
def test_a_part_of_the_schema_is_not_left_out_whoever_says_so(acharya_reset):
    acharya_reset.migration("fees", "0013_index", LEAF, operations='migrations.RunSQL("CREATE INDEX by_receipt ON fees_payment (receipt_number)")')
    acharya_reset.migrate()
    said = acharya_reset.refused("A fresh database would lack key fees_payment index", "fees", "--leave-out=fees.0013_index")
    assert "runbook run squash-app-migrations" in said


@on_sqlite_alone
def test_what_can_not_be_carried_over_is_refused(acharya_reset):
    """Its operations are made by a function, so they can't be told apart from the change of the schema."""
    acharya_reset.migration("fees", "0013_sports", LEAF, before=HEADS)
    acharya_reset.edit(
        "fees/migrations/0013_sports.py", "operations = []",
        "operations = [each for each in (migrations.RunPython(heads), migrations.AlterModelOptions('feehead', {}))]",
    )  # fmt: skip
    acharya_reset.migrate()
    acharya_reset.refused("fees.0013_sports must be carried over, and does not write its operations as a plain list", "fees")


@on_sqlite_alone
def test_a_data_migration_that_fails_on_the_new_schema_is_refused(acharya_reset):
    """It names a field by the name that it had then."""
    early = "def early(apps, schema_editor):\n    apps.get_model('users', 'User').objects.create(username='root', phone='1')\n\n\n"
    acharya_reset.edit("users/migrations/0003_rename_phone_to_phone_number.py", '("users", "0002_user_phone")', '("users", "0002_root")')
    acharya_reset.migration("users", "0002_root", "0002_user_phone", before=early, operations="migrations.RunPython(early)")
    acharya_reset.sandbox.execute("INSERT INTO django_migrations (app, name, applied) VALUES ('users', '0002_root', CURRENT_TIMESTAMP)")
    said = acharya_reset.refused("The new files were tried on an empty database, and fail there: users.0002_root can't be applied", "users")
    assert "squash" in said


@pytest.mark.parametrize("needs", ["from importlib import import_module; import_module('fees.migrations.0001_initial')", "from fees.migrations import named"])
@on_sqlite_alone
def test_a_data_migration_that_needs_a_file_which_goes_is_refused(acharya_reset, needs):
    """It imports that file when it runs."""
    acharya_reset.migration("fees", "named", LEAF)
    acharya_reset.migration("fees", "0014_sports", "named", before=HEADS.replace("    apps.", f"    {needs}\n    apps."), operations="migrations.RunPython(heads)")
    acharya_reset.migrate()
    acharya_reset.refused("and fail there: fees.0002_sports can't be applied to an empty database: ModuleNotFoundError", "fees")


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_extensions_come_before_the_tables_that_need_them(acharya_reset):
    """PostgreSQL alone has extensions that a migration makes."""
    reset = acharya_reset
    index = 'GinIndex(fields=["name"], name="head_name_trgm", opclasses=["gin_trgm_ops"])'
    reset.migration(
        "fees", "0013_search", LEAF, before="from django.contrib.postgres.indexes import GinIndex\nfrom django.contrib.postgres.operations import TrigramExtension\n\n\n",
        operations=f'TrigramExtension(), migrations.AddIndex("feehead", {index})',
    )  # fmt: skip
    reset.edit("fees/models.py", "from django.db import models\n", "from django.contrib.postgres.indexes import GinIndex\nfrom django.db import models\n")
    reset.edit("fees/models.py", "    def __str__(self) -> str:\n        return self.name\n\n\nclass Invoice", f"    class Meta:\n        indexes = [{index}]\n\n    def __str__(self) -> str:\n        return self.name\n\n\nclass Invoice")
    reset.migrate()
    fresh = reset.fresh()
    assert "fees.0013_search is carried over into the first file" in reset.apply("fees")
    assert reset.migrations("fees") == {"0001_reset"}
    assert fresh.difference(reset.fresh()) == []

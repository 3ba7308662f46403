from __future__ import annotations

from migration_runbooks.worlds import open_sandbox
from proof import RunbookProof, one_database

RELEASE = ("fees", "0013_late_fees_and_waivers")
RENAMES = """
from django.db import migrations, models

class Migration(migrations.Migration):
    dependencies = [("fees", "0013_late_fees_and_waivers")]
    operations = [
        migrations.RenameField("invoice", "late_fee", "surcharge"),
        migrations.RenameModel("Waiver", "Pardon"),
        migrations.AddField("Pardon", "heads", models.ManyToManyField("fees.FeeHead")),
        migrations.AddField("Pardon", "signed", models.BinaryField(null=True)),
    ]
"""
USE_RENAMES = """
from django.db import connection
with connection.cursor() as cursor:
    cursor.execute("INSERT INTO fees_pardon_heads (pardon_id, feehead_id) SELECT p.id, h.id FROM fees_pardon p, fees_feehead h")
    cursor.execute("UPDATE fees_pardon SET signed = %s WHERE id = 1", [b"\\x00\\xff"])
"""
IRREVERSIBLE = """
from django.db import migrations

class Migration(migrations.Migration):
    dependencies = [("fees", "0013_late_fees_and_waivers")]
    operations = [migrations.RunPython(lambda apps, schema_editor: None)]
"""
DROP_HALF = "ALTER TABLE fees_invoice DROP COLUMN late_fee"


def migrations(snapshot) -> set[tuple[str, str]]:
    columns = snapshot.columns["django_migrations"]
    at = [columns.index(name) for name in ("app", "name")]
    return {(row[at[0]], row[at[1]]) for row in snapshot.rows["django_migrations"]}


class TestRollBackMigration(RunbookProof):
    slug = "roll-back-migration"
    extra_inputs = {"APP": "fees", "MIGRATION": "0012_invoice_discount", "ALLOW_OTHER_APPS": ""}
    # A procedure, not the repair of an error: no command fails.
    test_the_command_fails_with_exactly_this_text = None

    def check_fixed(self, cause, broken, fixed, sandbox):
        assert migrations(broken) - migrations(fixed) == {RELEASE}
        lost = broken.difference(fixed, ignore={"django_migrations"})
        assert sorted(line.split(":")[0] for line in lost) == ["- fees_invoice", "- table fees_waiver with 3 rows"]

    def break_other_project(self, library):
        """Its last migration is the one to roll back: it made a table that holds rows."""
        self.extra_inputs = {"APP": "loans", "MIGRATION": "0002_loan_returned_on", "ALLOW_OTHER_APPS": ""}
        assert library.snapshot().rows["loans_reservation"]

    def check_other_project(self, broken, fixed, library):
        assert migrations(broken) - migrations(fixed) == {("loans", "0003_reservation")}
        assert "loans_reservation" not in fixed.rows
        assert broken.difference(fixed, ignore={"django_migrations", "loans_reservation"}) == []

    def test_renamed_many_to_many_and_binary_values_come_back(self, database, tmp_path):
        with open_sandbox(self.slug, database, tmp_path) as sandbox:
            (sandbox.project / "fees/migrations/0014_renames.py").write_text(RENAMES)
            for command in (["migrate", "fees", "-v", "0"], ["shell", "-v", "0", "-c", USE_RENAMES]):
                done = sandbox.manage(*command)
                assert done.status == 0, done.output
            before = sandbox.snapshot()
            assert before.rows["fees_pardon_heads"]
            inputs = self.diagnose(sandbox)
            self.fix(sandbox, inputs)
            rolled_back = sandbox.snapshot()
            assert not {"fees_pardon", "fees_waiver", "fees_pardon_heads"} & set(rolled_back.rows)
            assert self.step(sandbox, "undo", inputs).status == 0
            assert before.difference(sandbox.snapshot()) == []

    def test_next_new_row_gets_a_new_key_after_undo(self, database, tmp_path):
        with open_sandbox(self.slug, database, tmp_path) as sandbox:
            inputs = self.diagnose(sandbox)
            self.fix(sandbox, inputs)
            assert self.step(sandbox, "undo", inputs).status == 0
            made = sandbox.manage("shell", "-v", "0", "-c", (
                "from fees.models import Invoice, Waiver\n"
                "print(Waiver.objects.create(invoice=Invoice.objects.first(), reason='New').pk)"
            ))
            assert made.stdout.strip() == "4", made.output

    def test_rows_written_between_are_kept(self, database, tmp_path):
        with open_sandbox(self.slug, database, tmp_path) as sandbox:
            inputs = self.diagnose(sandbox)
            self.fix(sandbox, inputs)
            sandbox.execute("UPDATE fees_invoice SET note = 'written by the old release' WHERE id = 5")
            assert self.step(sandbox, "undo", inputs).status == 0
            (row,) = sandbox.execute("SELECT note, late_fee FROM fees_invoice WHERE id = 5")
            assert (row[0], int(row[1])) == ("written by the old release", 50)

    @one_database
    def test_refusals_change_nothing(self, database, tmp_path):
        with open_sandbox(self.slug, database, tmp_path) as sandbox:
            (sandbox.project / "fees/migrations/0014_irreversible.py").write_text(IRREVERSIBLE)
            assert sandbox.manage("migrate", "fees", "-v", "0").status == 0
            before = sandbox.snapshot()
            for wrong, message in (
                ({"APP": "fees", "MIGRATION": "0012"}, "can't be reversed"),
                ({"APP": "students", "MIGRATION": "zero"}, "Other apps would be rolled back too: "),
                ({"APP": "nothing", "MIGRATION": "0001"}, "There is no app 'nothing'"),
                ({"APP": "fees", "MIGRATION": "0099"}, "no single migration '0099'"),
                ({"APP": "fees", "MIGRATION": ""}, "Set APP and MIGRATION"),
            ):
                done = self.step(sandbox, "fix", {"ALLOW_OTHER_APPS": "", **wrong})
                assert done.status == 1 and message in done.output, done.output
                assert "Traceback" not in done.output
                assert before.difference(sandbox.snapshot()) == []

    def test_other_apps_that_are_allowed_go_and_come_back(self, database, tmp_path):
        with open_sandbox("healthy", database, tmp_path) as sandbox:
            before = sandbox.snapshot()
            inputs = {"APP": "admissions", "MIGRATION": "zero", "ALLOW_OTHER_APPS": "fees"}
            self.fix(sandbox, inputs)
            gone = {table for table in before.rows if table.startswith(("admissions_", "fees_"))}
            assert "admissions_application" not in sandbox.snapshot().rows
            undone = self.step(sandbox, "undo", inputs)
            assert undone.status == 0, undone.output
            assert gone <= set(sandbox.snapshot().rows)
            changes = before.difference(sandbox.snapshot())
            if database == "mariadb":  # Django makes this index before it drops the one that began with the column
                changes = [line for line in changes if "index fees_invoice_student_id_" not in line]
            assert changes == []

    def test_half_unapplied_migration_is_finished_and_no_value_is_lost(self, tmp_path, database):
        """What a kill between two statements leaves: the column is gone, the migration still recorded."""
        with open_sandbox(self.slug, database, tmp_path) as sandbox:
            before = sandbox.snapshot()
            inputs = self.diagnose(sandbox)
            saved = sandbox.run("bash", "-c", "STEP=save uv run manage.py shell -v 0 < .runbook/roll-back-migration/rollback.py", **inputs)
            assert saved.status == 0, saved.output
            sandbox.execute(DROP_HALF)
            done = self.step(sandbox, "fix", inputs)
            assert done.status == 0, done.output
            assert self.step(sandbox, "undo", inputs).status == 0
            assert before.difference(sandbox.snapshot()) == []

    def test_column_that_is_gone_without_saved_values_is_refused(self, database, tmp_path):
        with open_sandbox(self.slug, database, tmp_path) as sandbox:
            inputs = self.diagnose(sandbox)
            sandbox.execute(DROP_HALF)
            before = sandbox.snapshot()
            done = self.step(sandbox, "fix", inputs)
            assert done.status == 1 and "column fees_invoice.late_fee" in done.output, done.output
            assert before.difference(sandbox.snapshot()) == []

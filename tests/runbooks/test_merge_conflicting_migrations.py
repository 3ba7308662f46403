from __future__ import annotations

import pytest
from migration_runbooks.worlds import open_sandbox
from proof import RunbookProof, one_database

ERROR = (
    "CommandError: Conflicting migrations detected; multiple leaf nodes in the migration graph: ({} in fees).\n"
    "To fix them run 'python manage.py makemigrations --merge'"
)
MERGE = "0014_merge_0013_invoice_reminded_on_0013_payment_channel"
REMINDED, CHANNEL = "0013_invoice_reminded_on", "0013_payment_channel"


def recorded(snapshot, app="fees"):
    return {name for label, name in snapshot.rows["django_migrations"] if label == app}


class TestMergeConflictingMigrations(RunbookProof):
    slug = "merge-conflicting-migrations"
    errors = {
        "": ERROR.format(f"{REMINDED}, {CHANNEL}"),
        "same-field": ERROR.format("0013_alter_receipt_number, 0013_longer_receipt_number"),
        "repeated": ERROR.format(f"{REMINDED}, 0013_reminder_date"),
    }

    def check_fixed(self, cause, broken, fixed, sandbox):
        assert broken.difference(fixed) == []
        files = sandbox.files()
        ends = {"": MERGE, "same-field": "0014_longer_receipt_number", "repeated": REMINDED}
        assert f"fees/migrations/{ends[cause]}.py" in files
        assert "fees/migrations/0013_longer_receipt_number.py" not in files
        assert "fees/migrations/0013_reminder_date.py" not in files
        for command in (("makemigrations", "--check"), ("migrate", "--plan")):
            done = sandbox.manage(*command)
            assert done.status == 0, done.output

    @pytest.mark.parametrize("branches", [(), (REMINDED,), (CHANNEL,), (REMINDED, CHANNEL)], ids=["none", "one", "the other", "both"])
    def test_merge_on_a_database_that_ran_some_of_the_branches(self, database, branches, tmp_path):
        with open_sandbox(self.slug, database, tmp_path) as sandbox:
            self.apply(sandbox, *branches)
            broken = sandbox.snapshot()
            inputs = self.diagnose(sandbox)
            assert inputs["REPAIR"] == "merge"
            self.fix(sandbox, inputs)
            self.verify(sandbox, inputs)
            migrated = sandbox.manage("migrate", "--verbosity", "0")
            assert migrated.status == 0, migrated.output
            after = sandbox.snapshot()
            assert recorded(after) - recorded(broken) == {REMINDED, CHANNEL, MERGE} - set(branches)
            assert {len(rows) for name, rows in after.rows.items() if name == "fees_invoice"} == {len(broken.rows["fees_invoice"])}
            for command in (("makemigrations", "--check"), ("migrate", "--check")):
                assert sandbox.manage(*command).status == 0
            assert self.step(sandbox, "undo", inputs).status == 0
            assert MERGE not in recorded(sandbox.snapshot())
            assert f"fees/migrations/{MERGE}.py" not in sandbox.files()

    def apply(self, sandbox, *names):
        """Make the database one that ran exactly these branches: each is migrated while the other file is away."""
        folder, away = sandbox.project / "fees/migrations", sandbox.place.directory
        (folder / f"{CHANNEL}.py").rename(away / f"{CHANNEL}.py")
        if REMINDED not in names:
            assert sandbox.manage("migrate", "fees", "0012", "--verbosity", "0").status == 0
        (folder / f"{REMINDED}.py").rename(away / f"{REMINDED}.py")
        (away / f"{CHANNEL}.py").rename(folder / f"{CHANNEL}.py")
        if CHANNEL in names:
            done = sandbox.manage("migrate", "fees", "--verbosity", "0")
            assert done.status == 0, done.output
        (away / f"{REMINDED}.py").rename(folder / f"{REMINDED}.py")
        assert recorded(sandbox.snapshot()) & {REMINDED, CHANNEL} == set(names)

    def cannot_tell(self, sandbox, *texts):
        files = sandbox.files()
        done = self.step(sandbox, "diagnose")
        assert done.status == 2 and all(text in done.output for text in texts), done.output
        assert "Traceback" not in done.output and "REPAIR=merge\n" not in done.output and sandbox.files() == files

    def refused(self, sandbox, inputs, reason):
        files = sandbox.files()
        done = self.step(sandbox, "fix", inputs)
        assert done.status == 1 and "Refused, nothing was changed" in done.stderr and reason in done.stderr, done.output
        assert sandbox.files() == files

    @one_database
    @pytest.mark.parametrize("inputs, reason", [
        ({"APP": "nowhere"}, "not two last migrations"),
        ({"MIGRATION": "0001_initial"}, "not two last migrations"),
        ({"OTHER_MIGRATION": REMINDED}, "not two last migrations"),
        ({"REPAIR": "guess"}, "REPAIR is merge"),
        ({"REPAIR": "move"}, "is recorded in this database"),
        ({"REPAIR": "drop"}, "is recorded in this database"),
        ({"REPAIR": "drop", "MIGRATION": CHANNEL, "OTHER_MIGRATION": REMINDED}, "does more than"),
    ])
    def test_values_that_fit_nothing_are_refused(self, database, inputs, reason, tmp_path):
        with open_sandbox(self.slug, database, tmp_path) as sandbox:
            self.refused(sandbox, {**self.diagnose(sandbox), **inputs}, reason)

    @one_database
    def test_same_field_needs_a_person_unless_exactly_one_ran_and_the_models_agree(self, database, tmp_path):
        applied, waiting = "0013_alter_receipt_number", "0013_longer_receipt_number"
        with open_sandbox(f"{self.slug}:same-field", database, tmp_path) as sandbox:
            inputs = self.diagnose(sandbox)
            assert (inputs["REPAIR"], inputs["MIGRATION"]) == ("move", waiting)
            self.refused(sandbox, {**inputs, "REPAIR": "merge"}, "Both change fees.payment.receipt_number")
            models = sandbox.project / "fees/models.py"
            models.write_text(models.read_text().replace("max_length=40", "max_length=30"))
            self.cannot_tell(sandbox, f"models.py says what {applied} makes", "REPAIR=move")
            sandbox.execute(f"DELETE FROM django_migrations WHERE name = '{applied}'")
            self.cannot_tell(sandbox, "Both change fees.payment.receipt_number. Neither is recorded here")
            self.fix(sandbox, {**inputs, "MIGRATION": applied, "OTHER_MIGRATION": waiting})
            assert sandbox.manage("makemigrations", "--check").status == 0

    @one_database
    def test_moved_migration_that_was_applied_is_not_moved_back(self, database, tmp_path):
        with open_sandbox(f"{self.slug}:same-field", database, tmp_path) as sandbox:
            inputs = self.diagnose(sandbox)
            self.fix(sandbox, inputs)
            assert sandbox.manage("migrate", "--verbosity", "0").status == 0
            undone = self.step(sandbox, "undo", inputs)
            assert undone.status == 1 and "0014_longer_receipt_number was applied" in undone.stderr

    @one_database
    def test_same_change_that_nobody_or_everybody_recorded_needs_a_person(self, database, tmp_path):
        with open_sandbox(f"{self.slug}:repeated", database, tmp_path) as sandbox:
            sandbox.execute(f"DELETE FROM django_migrations WHERE name = '{REMINDED}'")
            self.cannot_tell(sandbox, "Both do the same, and neither is recorded here", "REPAIR=drop")

    @one_database
    def test_dropped_migration_that_another_database_recorded_is_named_there(self, database, tmp_path):
        with open_sandbox(f"{self.slug}:repeated", database, tmp_path) as sandbox:
            inputs = self.diagnose(sandbox)
            self.fix(sandbox, inputs)
            sandbox.execute("UPDATE django_migrations SET name = '0013_reminder_date' WHERE name = '0013_invoice_reminded_on'")
            done = self.step(sandbox, "verify", inputs)
            assert done.status == 1 and "0013_reminder_date is recorded in this database" in done.output

    @one_database
    def test_code_beside_an_alteration_needs_a_person_and_beside_an_addition_does_not(self, database, tmp_path):
        with open_sandbox("healthy", database, tmp_path) as sandbox:
            fees = {"app": "fees", "parent": "0012_invoice_discount"}
            write(sandbox, "0013_code", '[migrations.RunSQL("SELECT 1", "SELECT 1")]', **fees)
            write(sandbox, "0013_more", '[migrations.AddField("payment", "channel", models.TextField(null=True))]', **fees)
            assert self.diagnose(sandbox)["REPAIR"] == "merge"
            write(sandbox, "0013_more", '[migrations.RenameField("payment", "receipt_number", "receipt")]', **fees)
            self.cannot_tell(sandbox, "One of them runs Python or SQL")
            self.fix(sandbox, {"APP": "fees", "MIGRATION": "0013_code", "OTHER_MIGRATION": "0013_more", "REPAIR": "merge"})

    @one_database
    def test_renamed_and_altered_field_has_no_safe_order(self, database, tmp_path):
        with open_sandbox("healthy", database, tmp_path) as sandbox:
            fees = {"app": "fees", "parent": "0012_invoice_discount"}
            write(sandbox, "0013_a", '[migrations.RenameField("payment", "receipt_number", "receipt")]', **fees)
            write(sandbox, "0013_b", '[migrations.RemoveField("payment", "receipt_number")]', **fees)
            self.cannot_tell(sandbox, "no order can be right", "Rewrite the one that was applied nowhere")
            inputs = {"APP": "fees", "MIGRATION": "0013_a", "OTHER_MIGRATION": "0013_b"}
            for repair in ("merge", "move"):
                self.refused(sandbox, {**inputs, "REPAIR": repair}, "no order can be right")

    @one_database
    def test_file_without_dependencies_is_put_behind_the_others(self, database, tmp_path):
        with open_sandbox("healthy", database, tmp_path) as sandbox:
            file = sandbox.project / "fees/migrations/0013_channel.py"
            write(sandbox, "0013_channel", "[]", app="fees")
            file.write_text(file.read_text().replace('[("fees", "0003_reservation")]', "[]"))
            inputs = {"APP": "fees", "MIGRATION": "0013_channel", "OTHER_MIGRATION": "0012_invoice_discount", "REPAIR": "move"}
            self.fix(sandbox, inputs)
            self.verify(sandbox, inputs)
            assert '("fees", "0012_invoice_discount")' in sandbox.files()["fees/migrations/0013_channel.py"]

    def break_other_project(self, library):
        write(library, "0004_loan_fine", '[migrations.AddField("loan", "fine", models.IntegerField(null=True))]')
        write(library, "0004_reservation_note", '[migrations.AddField("reservation", "note", models.TextField(null=True))]')
        models = library.project / "loans" / "models.py"
        text = models.read_text().replace("    lent_on = ", "    fine = models.IntegerField(null=True)\n    lent_on = ")
        models.write_text(text + "    note = models.TextField(null=True)\n")

    def check_other_project(self, broken, fixed, library):
        assert broken.difference(fixed) == []
        assert "loans/migrations/0005_merge_0004_loan_fine_0004_reservation_note.py" in library.files()
        for command in (("makemigrations", "--check"), ("migrate", "--plan")):
            done = library.manage(*command)
            assert done.status == 0, done.output


def write(sandbox, name, operations, app="loans", parent="0003_reservation"):
    (sandbox.project / app / "migrations" / f"{name}.py").write_text(
        "from django.db import migrations, models\n\n\nclass Migration(migrations.Migration):\n"
        f'    dependencies = [("{app}", "{parent}")]\n    operations = {operations}\n'
    )

from __future__ import annotations

import pytest
from migration_runbooks.worlds import open_sandbox
from proof import RunbookProof

NAME = "0013_payments_of_the_office"
FILE = f"fees/migrations/{NAME}.py"
PART = f"fees/migrations/{NAME}_part_1.py"
SCHEMA_FIRST = """# A comment at the top.
from django.db import migrations, models

LIMIT = 3


def unused(value):
    return value


def fill(apps, schema_editor):
    payments = apps.get_model("fees", "Payment").objects
    payments.filter(id__lte=LIMIT).update(channel="cash", invoice_id=1)


class Migration(migrations.Migration):
    dependencies = [("fees", "0012_invoice_discount")]
    operations = [
        # Old payments have none.
        migrations.AddField("payment", "channel", models.CharField(max_length=5, null=True)),
        migrations.RunPython(fill, migrations.RunPython.noop),  # in batches later
        migrations.RunSQL("UPDATE fees_payment SET channel = 'bank' WHERE channel IS NULL", migrations.RunSQL.noop),
        # Ümlaute stay whole, and this one too.
        migrations.AlterField("payment", "channel", models.CharField(max_length=5)), migrations.AddField("payment", "cash", models.BooleanField(default=False)),
    ]
"""
FINES = """from django.db import migrations, models


def move(apps, schema_editor):
    loans = apps.get_model("loans", "Loan").objects
    loans.filter(id__gt=5).update(reader_id=loans.earliest("id").reader_id)


class Migration(migrations.Migration):
    dependencies = [("loans", "0003_reservation")]
    operations = [
        migrations.RunPython(move),
        migrations.AddField("loan", "fine", models.IntegerField(default=0)),
    ]
"""


class TestSplitSchemaAndData(RunbookProof):
    slug = "split-schema-and-data"
    errors = {"": 'django.db.utils.OperationalError: cannot ALTER TABLE "fees_payment" because it has pending trigger events'}

    def check_fixed(self, cause, broken, fixed, sandbox):
        assert broken.difference(fixed) == [], "files alone change"
        files = sandbox.files()
        assert "RunPython" in files[PART] and "AlterField" not in files[PART]
        assert "AlterField" in files[FILE] and "RunPython" not in files[FILE] and "office" not in files[FILE].split("class")[0]
        assert sandbox.manage("makemigrations", "--check").status == 0

    def test_migrate_after_the_fix_writes_the_rows_and_changes_the_column(self, database, tmp_path):
        with open_sandbox(self.slug, database, tmp_path) as sandbox:
            before = sandbox.snapshot()
            assert sandbox.manage("migrate").status != 0
            assert before.difference(sandbox.snapshot()) == [], "PostgreSQL rolled the whole migration back"
            self.fix(sandbox, self.diagnose(sandbox))
            assert sandbox.manage("migrate").status == 0
            assert sandbox.execute("SELECT COUNT(*) FROM fees_payment WHERE received_by_id IS NULL") == [(0,)]
            widths = sandbox.execute("SELECT character_maximum_length FROM information_schema.columns WHERE column_name = 'receipt_number'")
            assert widths == [(30,)]

    def test_three_parts_keep_comments_order_and_only_what_each_needs(self, database, tmp_path):
        with open_sandbox("healthy", database, tmp_path) as sandbox:
            file = sandbox.project / "fees/migrations/0013_channel.py"
            file.write_text(SCHEMA_FIRST)
            later = sandbox.project / "fees/migrations/0014_later.py"
            later.write_text(
                "from django.db import migrations\n\n\nclass Migration(migrations.Migration):\n"
                '    dependencies = [("fees", "0013_channel")]\n    operations = []\n'
            )
            assert "pending trigger events" in sandbox.manage("migrate").output
            inputs = self.diagnose(sandbox)
            self.fix(sandbox, inputs)
            files = sandbox.files()
            one, two, three = (files[f"fees/migrations/0013_channel{end}.py"] for end in ("_part_1", "_part_2", ""))
            assert "# Old payments have none." in one and "def fill" not in one and "LIMIT" not in one
            assert "def fill" in two and "LIMIT = 3" in two and "def unused" not in two and "RunSQL" in two
            assert "# Ümlaute stay whole, and this one too." in three and "AddField" in three
            assert '("fees", "0013_channel_part_1"),' in two and '("fees", "0013_channel_part_2"),' in three
            done = sandbox.manage("migrate")
            assert done.status == 0, done.output
            assert done.output.index("0013_channel_part_2") < done.output.index("0013_channel... OK") < done.output.index("0014_later")
            assert sandbox.execute("SELECT channel, COUNT(*) FROM fees_payment GROUP BY 1 ORDER BY 1")[1] == ("cash", 3)

    def test_undo_refuses_once_a_part_is_recorded(self, database, tmp_path):
        with open_sandbox(self.slug, database, tmp_path) as sandbox:
            inputs = self.diagnose(sandbox)
            self.fix(sandbox, inputs)
            assert sandbox.manage("migrate", "fees", f"{NAME}_part_1").status == 0
            files = sandbox.files()
            done = self.step(sandbox, "undo", inputs)
            assert done.status == 1 and f"fees.{NAME}_part_1 is recorded by now" in done.stderr
            assert sandbox.files() == files

    def test_recorded_migration_stays_as_it_is(self, database, tmp_path):
        with open_sandbox(self.slug, database, tmp_path) as sandbox:
            inputs = self.diagnose(sandbox)
            assert sandbox.manage("migrate", "--fake").status == 0
            self.refused(sandbox, inputs, "is recorded in this database")

    @pytest.mark.parametrize(("old", "new", "why"), [
        ("operations = [", "operations = [*[", "not one plain list"),
        ("class Migration", "MORE = 1\n\n\nclass Migration", ""),
        ("    dependencies", "    initial = True\n    dependencies", "it says `initial`"),
        ("    dependencies = [", "    dependencies = [*()] + [", ""),
    ])
    def test_files_of_another_form_are_split_right_or_refused(self, database, old, new, why, tmp_path):
        with open_sandbox(self.slug, database, tmp_path) as sandbox:
            inputs, file = self.diagnose(sandbox), sandbox.project / FILE
            text = file.read_text().replace(old, new)
            file.write_text(f"{text.rstrip()}]\n" if "*[" in new else text)
            if why:
                self.refused(sandbox, inputs, why)
            else:
                self.fix(sandbox, inputs)
                assert sandbox.manage("migrate").status == 0

    def test_file_of_that_name_is_not_overwritten(self, database, tmp_path):
        with open_sandbox(self.slug, database, tmp_path) as sandbox:
            inputs = self.diagnose(sandbox)
            (sandbox.project / PART).write_text((sandbox.project / FILE).read_text() + "\n# mine\n")
            self.refused(sandbox, inputs, f"{PART} is there already")

    @pytest.mark.parametrize("values", [{}, {"APP": "fees", "NAME": "0099_nothing"}])
    def test_values_that_name_nothing_change_nothing(self, database, values, tmp_path):
        with open_sandbox(self.slug, database, tmp_path) as sandbox:
            self.refused(sandbox, values, "is not a migration of this project")

    def refused(self, sandbox, inputs, why):
        files, before = sandbox.files(), sandbox.snapshot()
        done = self.step(sandbox, "fix", inputs)
        assert done.status == 1 and why in done.stderr and "Refused, nothing was changed" in done.stderr, done.output
        assert sandbox.files() == files and before.difference(sandbox.snapshot()) == []

    def break_other_project(self, library):
        (library.project / "loans/migrations/0004_fine.py").write_text(FINES)
        assert 'cannot ALTER TABLE "loans_loan" because' in library.manage("migrate").output

    def check_other_project(self, broken, fixed, library):
        assert broken.difference(fixed) == []
        planned = library.manage("migrate", "--plan").output
        assert planned.index("loans.0004_fine_part_1") < planned.index("loans.0004_fine\n")

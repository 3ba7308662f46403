from __future__ import annotations

import pytest
from migration_runbooks.worlds import open_sandbox
from proof import RunbookProof

SCHOOLS = "SELECT id, previous_school FROM admissions_application"
KEPT = "runbook_kept_admissions_application_previous_school"
SHORT_NOTE = """from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("fees", "0012_invoice_discount")]
    operations = [migrations.AlterField("invoice", "note", models.CharField(max_length=10, null=True))]
"""
SHORT_NUMBER = SHORT_NOTE.replace('"note", models.CharField(max_length=10, null=True)', '"number", models.CharField(max_length=3, unique=True)')
SHORT_TITLE = """from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("catalog", "0003_book_pages")]
    operations = [migrations.AlterField("book", "title", models.CharField(max_length=15, db_index=True))]
"""
WARNING = {
    "sqlite": "SQLite does not stop: it would keep them as they are",
    "postgresql": "PostgreSQL does not stop here: `migrate` would cut them without a word.",
    "mariadb": "`migrate` stops at them.",
}


class TestFitLongValues(RunbookProof):
    slug = "fit-long-values"
    extra_inputs = {"ENDING": "…"}
    errors = {
        "postgresql": "django.db.utils.DataError: value too long for type character varying(50)",
        "mariadb": "django.db.utils.DataError: (1406, \"Data too long for column 'previous_school' at row 3\")",
    }

    def test_the_command_fails_with_exactly_this_text(self, database, cause, django, acharya, tmp_path):
        if database == "sqlite":
            pytest.skip("SQLite does not stop: see the next test")
        super().test_the_command_fails_with_exactly_this_text(database, cause, django, acharya, tmp_path)

    def test_what_migrate_does_without_the_fix_is_what_diagnose_says(self, database, tmp_path):
        with open_sandbox("healthy", database, tmp_path) as sandbox:
            (sandbox.project / "fees/migrations/0013_short_note.py").write_text(SHORT_NOTE)
            before = sandbox.execute("SELECT id, note FROM fees_invoice")
            assert WARNING[database] in self.step(sandbox, "diagnose").output
            assert (sandbox.manage("migrate").status == 0) == (database != "mariadb")
            cut = [(key, note and note[:10]) for key, note in before]
            assert sorted(sandbox.execute("SELECT id, note FROM fees_invoice")) == sorted(cut if database == "postgresql" else before)

    def check_fixed(self, cause, broken, fixed, sandbox):
        assert broken.difference(fixed, ignore={"admissions_application", KEPT}) == []
        assert len(fixed.rows[KEPT]) == 10
        schools = [school for _, school in sandbox.execute(SCHOOLS)]
        assert max(map(len, schools)) == 50 and sum(school.endswith("…") for school in schools) == 10
        assert {len(school) for school, in sandbox.execute(f"SELECT was FROM {KEPT}")} == {110}

    def test_migrate_passes_after_the_fix_and_undo_after_rolling_back(self, database, tmp_path):
        with open_sandbox(self.slug, database, tmp_path) as sandbox:
            before, inputs = sandbox.execute(SCHOOLS), self.diagnose(sandbox)
            self.fix(sandbox, inputs)
            assert sandbox.manage("migrate").status == 0
            undone = self.step(sandbox, "undo", inputs)
            if database == "sqlite":
                assert undone.status == 0 and sorted(sandbox.execute(SCHOOLS)) == sorted(before)
            else:
                assert undone.status == 1 and "Nothing was changed" in undone.output
            assert sandbox.manage("migrate", "admissions", "0010").status == 0
            assert self.step(sandbox, "undo", inputs).status == 0
            assert sorted(sandbox.execute(SCHOOLS)) == sorted(before)

    def test_of_two_columns_the_first_to_come_is_first(self, database, tmp_path):
        with open_sandbox(self.slug, database, tmp_path) as sandbox:
            (sandbox.project / "fees/migrations/0013_short_note.py").write_text(SHORT_NOTE)
            inputs = self.diagnose(sandbox)
            assert inputs["COLUMN"] == "previous_school"
            left = self.step(sandbox, "verify", inputs)
            assert (left.status, left.output) == (1, "10 values of admissions_application.previous_school are too long.\n")
            told = "10 values of admissions_application.previous_school are now 50 characters long"
            assert self.fix(sandbox, inputs) == f"{told}; {KEPT} keeps them whole.\n"
            assert self.diagnose(sandbox)["COLUMN"] == "note"

    def test_undo_keeps_whole_values_that_it_does_not_put_back(self, database, tmp_path):
        with open_sandbox(self.slug, database, tmp_path) as sandbox:
            inputs = self.diagnose(sandbox)
            self.fix(sandbox, inputs)
            sandbox.execute("UPDATE admissions_application SET previous_school = 'Elsewhere' WHERE id = 3")
            undone = self.step(sandbox, "undo", inputs)
            assert undone.status == 0 and "1 were changed since" in undone.output
            assert (3, "Elsewhere") in sandbox.execute(SCHOOLS)
            assert len(sandbox.execute(f"SELECT was FROM {KEPT} WHERE id = 3")[0][0]) == 110

    def test_values_that_would_become_the_same_are_refused_and_leave_nothing(self, database, tmp_path):
        with open_sandbox("healthy", database, tmp_path) as sandbox:
            (sandbox.project / "fees/migrations/0013_short_number.py").write_text(SHORT_NUMBER)
            broken, inputs = sandbox.snapshot(), self.diagnose(sandbox)
            assert inputs["COLUMN"] == "number"
            refused = self.step(sandbox, "fix", inputs)
            assert refused.status == 1 and "Nothing was changed: IntegrityError" in refused.output
            assert broken.difference(sandbox.snapshot()) == []

    def test_refuses_what_it_can_not_do(self, database, tmp_path):
        with open_sandbox(self.slug, database, tmp_path) as sandbox:
            broken = sandbox.snapshot()
            for wrong in ({"COLUMN": "number"}, {"TABLE": "no_table"}, {"TABLE": "", "COLUMN": ""}, {"ENDING": "x" * 50}):
                refused = self.step(sandbox, "fix", {**self.example_inputs(), **wrong})
                assert refused.status == 1 and "Refused, nothing was changed" in refused.output
            assert broken.difference(sandbox.snapshot()) == []

    def break_other_project(self, library):
        (library.project / "catalog/migrations/0004_short_title.py").write_text(SHORT_TITLE)

    def check_other_project(self, broken, fixed, library):
        titles = sorted(title for title, in library.execute("SELECT title FROM catalog_book"))
        assert titles == ["A Quiet Harbour", "Night Trains", "Salt and Cedar", "The Cartograph…", "The Glass Orch…"]
        assert library.execute("SELECT was FROM runbook_kept_catalog_book_title WHERE id = 5") == [("The Cartographer's Table",)]

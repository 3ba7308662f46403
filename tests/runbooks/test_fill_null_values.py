from __future__ import annotations

import pytest
from migration_runbooks.worlds import open_sandbox
from proof import RunbookProof

KEPT = "runbook_kept_{}_{}"
REQUIRE_PAGES = """from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("catalog", "0003_book_pages")]
    operations = [migrations.AlterField("book", "pages", models.PositiveIntegerField())]
"""
FILLS_BEFORE = """from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("fees", "0012_invoice_discount")]
    operations = [migrations.RunPython(migrations.RunPython.noop)]
"""


def notes(sandbox):
    return dict(sandbox.execute("SELECT id, note FROM fees_invoice"))


class TestFillNullValues(RunbookProof):
    slug = "fill-null-values"
    extra_inputs = {"VALUE": "No note."}
    errors = {
        "sqlite": "django.db.utils.IntegrityError: NOT NULL constraint failed: new__fees_invoice.note",
        "postgresql": 'django.db.utils.IntegrityError: column "note" of relation "fees_invoice" contains null values',
        "mariadb": "django.db.utils.DataError: (1265, \"Data truncated for column 'note' at row 1\")",
    }

    def check_fixed(self, cause, broken, fixed, sandbox):
        kept = KEPT.format("fees_invoice", "note")
        assert broken.difference(fixed, ignore={"fees_invoice", kept}) == []
        gone, new = (list(set(a.rows["fees_invoice"]) - set(b.rows["fees_invoice"])) for a, b in ((broken, fixed), (fixed, broken)))
        assert gone and len(gone) == len(new) == len(fixed.rows[kept])
        assert all(None in row for row in gone) and all("No note." in row for row in new)
        assert len(broken.rows["fees_invoice"]) == len(fixed.rows["fees_invoice"])

    def test_migrate_passes_after_the_fix_and_keeps_every_other_note(self, database, tmp_path):
        with open_sandbox(self.slug, database, tmp_path) as sandbox:
            before = notes(sandbox)
            inputs = self.diagnose(sandbox)
            self.fix(sandbox, inputs)
            assert sandbox.manage("migrate").status == 0
            assert notes(sandbox) == {key: "No note." if note is None else note for key, note in before.items()}
            refused = self.step(sandbox, "undo", inputs)
            assert refused.status == 1 and "is NOT NULL now" in refused.output

    def test_undo_leaves_alone_what_was_written_since(self, database, tmp_path):
        with open_sandbox(self.slug, database, tmp_path) as sandbox:
            before = notes(sandbox)
            filled = sorted(key for key, note in before.items() if note is None)
            inputs = self.diagnose(sandbox)
            self.fix(sandbox, inputs)
            sandbox.execute(f"UPDATE fees_invoice SET note = 'Paid.' WHERE id = {filled[0]}")
            undone = self.step(sandbox, "undo", inputs)
            assert undone.status == 0 and "1 rows were changed since" in undone.output
            assert notes(sandbox) == before | {filled[0]: "Paid."}

    def test_fills_again_what_became_null_after_the_first_fix(self, database, tmp_path):
        with open_sandbox(self.slug, database, tmp_path) as sandbox:
            broken, inputs = sandbox.snapshot(), self.diagnose(sandbox)
            self.fix(sandbox, inputs)
            key = next(key for key, note in notes(sandbox).items() if note == "No note.")
            sandbox.execute(f"UPDATE fees_invoice SET note = NULL WHERE id = {key}")
            self.fix(sandbox, inputs)
            self.verify(sandbox, inputs)
            assert self.step(sandbox, "undo", inputs).status == 0
            assert broken.difference(sandbox.snapshot()) == []

    def test_refuses_what_it_can_not_do(self, database, tmp_path):
        with open_sandbox(self.slug, database, tmp_path) as sandbox:
            broken = sandbox.snapshot()
            for wrong in ({"COLUMN": "application_id"}, {"TABLE": "no_table"}, {"TABLE": "", "COLUMN": ""}):
                refused = self.step(sandbox, "fix", {**self.example_inputs(), **wrong})
                assert refused.status == 1 and "Refused, nothing was changed" in refused.output
            for step in ("verify", "undo"):
                assert "there is no column no_table.note" in self.step(sandbox, step, {"TABLE": "no_table", "COLUMN": "note"}).stderr
            assert self.step(sandbox, "undo", self.example_inputs()).stdout == "Nothing to undo: fees_invoice.note was not filled.\n"
            assert broken.difference(sandbox.snapshot()) == []

    def test_nothing_is_left_to_do_when_somebody_else_filled_them(self, database, tmp_path):
        with open_sandbox(self.slug, database, tmp_path) as sandbox:
            sandbox.execute("UPDATE fees_invoice SET note = 'Mine.' WHERE note IS NULL")
            before = sandbox.snapshot()
            assert "Nothing to do" in self.step(sandbox, "fix", self.example_inputs()).stdout
            assert before.difference(sandbox.snapshot()) == []

    def test_what_the_new_field_does_not_allow_is_refused(self, database, tmp_path):
        with open_sandbox(self.slug, database, tmp_path) as sandbox:
            broken, inputs = sandbox.snapshot(), self.example_inputs()
            require = sandbox.project / "fees/migrations/0013_require_note.py"
            text = require.read_text()
            for field, value, why in (
                ("models.TextField(unique=True)", {"VALUE": "x"}, "is unique: "),
                ("models.TextField()", {}, "set VALUE to"),
                ("models.CharField(max_length=4, choices=[('later', 'later')])", {"VALUE": "soon"}, "is not a valid choice"),
                ("models.CharField(max_length=4, choices=[('later', 'later')])", {"VALUE": "later"}, "at most 4 characters"),
            ):
                require.write_text(text.replace("models.TextField()", field))
                given = {name: text for name, text in inputs.items() if name != "VALUE"}
                refused = self.step(sandbox, "fix", {**given, **value})
                assert refused.status == 1 and "Refused, nothing was changed" in refused.stderr and why in refused.stderr, refused.output
            assert broken.difference(sandbox.snapshot()) == []

    def test_row_that_does_not_take_the_value_stops_the_fix(self, database, tmp_path):
        if database != "sqlite":
            pytest.skip("the same lines run on each database; SQLite's trigger is the shortest")
        with open_sandbox(self.slug, database, tmp_path) as sandbox:
            key = min(key for key, note in notes(sandbox).items() if note is None)
            sandbox.execute(f"CREATE TRIGGER hold BEFORE UPDATE ON fees_invoice WHEN OLD.id = {key} BEGIN SELECT RAISE(IGNORE); END")
            broken = sandbox.snapshot()
            stopped = self.step(sandbox, "fix", self.example_inputs())
            assert stopped.status == 1 and "Nothing was changed: RuntimeError: rows changed meanwhile" in stopped.stderr, stopped.output
            assert broken.difference(sandbox.snapshot()) == []

    def test_value_must_be_one_of_the_field(self, database, tmp_path):
        with open_sandbox("healthy", database, tmp_path) as sandbox:
            models = sandbox.project / "fees/models.py"
            models.write_text(models.read_text().replace(
                'application = models.ForeignKey("admissions.Application", null=True, blank=True, on_delete=models.SET_NULL)',
                'application = models.ForeignKey("admissions.Application", on_delete=models.PROTECT)'))
            assert sandbox.manage("makemigrations", "fees", "--noinput").status == 0
            broken, inputs = sandbox.snapshot(), self.diagnose(sandbox)
            for wrong in ("x", "999999", ""):
                refused = self.step(sandbox, "fix", {**inputs, "VALUE": wrong})
                assert refused.status == 1 and "Refused, nothing was changed" in refused.output, refused.output
            assert "no row of admissions_application has id '999999'" in self.step(sandbox, "fix", {**inputs, "VALUE": "999999"}).stderr
            assert broken.difference(sandbox.snapshot()) == []
            self.fix(sandbox, {**inputs, "VALUE": "1"})
            assert sandbox.manage("migrate").status == 0

    def test_can_not_tell_while_code_waits_that_may_fill_them(self, database, tmp_path):
        with open_sandbox(self.slug, database, tmp_path) as sandbox:
            migrations = sandbox.project / "fees/migrations"
            (migrations / "0013_fill_note.py").write_text(FILLS_BEFORE)
            require = migrations / "0013_require_note.py"
            require.write_text(require.read_text().replace("0012_invoice_discount", "0013_fill_note"))
            done = self.step(sandbox, "diagnose")
            assert done.status == 2 and "fees.0013_fill_note runs code before that" in done.output
            assert self.step(sandbox, "diagnose", {"TABLE": "fees_invoice", "COLUMN": "note"}).status == 1

    def break_other_project(self, library):
        (library.project / "catalog/migrations/0004_require_pages.py").write_text(REQUIRE_PAGES)
        self.extra_inputs = {"VALUE": "1"}

    def check_other_project(self, broken, fixed, library):
        assert len(fixed.rows[KEPT.format("catalog_book", "pages")]) == 1
        assert library.execute("SELECT COUNT(*) FROM catalog_book WHERE pages = 1") == [(1,)]

from __future__ import annotations

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

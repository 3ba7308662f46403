from __future__ import annotations

from migration_runbooks.worlds import open_sandbox
from proof import RunbookProof

NEW = "admissions/migrations/0011_application_fee_invoice.py"
ADD_THE_COLUMN = """
from django.db import connection
from admissions.models import Application
with connection.schema_editor() as editor:
    editor.add_field(Application, Application._meta.get_field("fee_invoice"))
"""


class TestBreakDependencyCycle(RunbookProof):
    slug = "break-dependency-cycle"
    errors = {
        "": "django.db.migrations.exceptions.CircularDependencyError: admissions.0003_application_student, [..], fees.0012_invoice_discount",
        "squashed": "django.db.migrations.exceptions.CircularDependencyError: [..]admissions.0009_require_application_number_squashed_0011_application_fee_invoice[..]",
    }

    def check_fixed(self, cause, broken, fixed, sandbox):
        assert broken.difference(fixed) == []
        files = sandbox.files()
        assert not any("squashed_0011" in name for name in files)
        assert 'to="fees.invoice"' not in files["admissions/migrations/0003_application_student.py"]
        assert "fees.invoice" in files[NEW]
        assert sandbox.manage("makemigrations", "--check").status == 0
        migrated = sandbox.manage("migrate", "--plan")
        assert migrated.status == 0, migrated.output

    def test_column_that_is_there_is_recorded_and_not_added_twice(self, database, tmp_path):
        with open_sandbox(self.slug, database, tmp_path) as sandbox:
            made = sandbox.manage("shell", "-v", "0", "-c", ADD_THE_COLUMN)
            assert made.status == 0, made.output
            broken = sandbox.snapshot()
            inputs = self.diagnose(sandbox)
            assert inputs["MIGRATION"] == "0003_application_student"
            self.verify_only_after_record(sandbox, inputs)
            fixed = sandbox.snapshot()
            assert set(fixed.rows["django_migrations"]) - set(broken.rows["django_migrations"]) == {
                ("admissions", "0011_application_fee_invoice")
            }
            assert sandbox.manage("migrate", "--check").status == 0
            assert self.step(sandbox, "undo", inputs).status == 0
            assert broken.difference(sandbox.snapshot()) == []

    def verify_only_after_record(self, sandbox, inputs):
        self.fix(sandbox, inputs)
        self.verify(sandbox, inputs)

    def break_other_project(self, library):
        models = library.project / "catalog" / "models.py"
        field = '    last_loan = models.ForeignKey("loans.Loan", null=True, on_delete=models.SET_NULL, related_name="+")\n'
        models.write_text(models.read_text().replace("    pages = ", f"{field}    pages = "))
        older = library.project / "catalog" / "migrations" / "0001_initial.py"
        text = older.read_text()
        text = text.replace("    dependencies = [", '    dependencies = [\n        ("loans", "0003_reservation"),\n    ')
        text = text.replace(
            '("isbn",', '("last_loan", models.ForeignKey(null=True, on_delete=models.SET_NULL, related_name="+", to="loans.loan")),\n                ("isbn",'
        )
        older.write_text(text)

    def check_other_project(self, broken, fixed, library):
        assert broken.difference(fixed) == []
        assert "loans.loan" not in library.files()["catalog/migrations/0001_initial.py"]
        assert library.manage("makemigrations", "--check").status == 0
        assert library.manage("migrate", "--plan").status == 0

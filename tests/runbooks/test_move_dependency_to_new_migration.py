from __future__ import annotations

from proof import RunbookProof

NEW = "fees/migrations/0013_after_attendance_0008_leave_request_approved_at.py"


class TestMoveDependencyToNewMigration(RunbookProof):
    slug = "move-dependency-to-new-migration"
    errors = {
        "": "django.db.migrations.exceptions.InconsistentMigrationHistory: Migration fees.0002_payment is applied before "
        "its dependency attendance.0008_leave_request_approved_at on database 'default'.",
    }

    def check_fixed(self, cause, broken, fixed, sandbox):
        assert broken.difference(fixed) == []
        files = sandbox.files()
        assert "attendance" not in files["fees/migrations/0002_payment.py"]
        assert "run_before = [(" not in files["attendance/migrations/0008_leave_request_approved_at.py"]
        assert '("attendance", "0008_leave_request_approved_at")' in files[NEW]
        assert '("fees", "0012_invoice_discount")' in files[NEW]
        assert sandbox.manage("makemigrations", "--check").status == 0
        migrated = sandbox.manage("migrate", "--plan")
        assert migrated.status == 0, migrated.output

    def break_other_project(self, library):
        assert library.manage("migrate", "catalog", "0002").status == 0
        first = library.project / "loans" / "migrations" / "0001_initial.py"
        text = first.read_text()
        first.write_text(text.replace("    dependencies = [\n", '    dependencies = [\n        ("catalog", "0003_book_pages"),\n'))
        assert first.read_text() != text

    def check_other_project(self, broken, fixed, library):
        assert broken.difference(fixed) == []
        files = library.files()
        assert "0003_book_pages" not in files["loans/migrations/0001_initial.py"]
        assert '("catalog", "0003_book_pages")' in files["loans/migrations/0004_after_catalog_0003_book_pages.py"]
        assert library.manage("migrate", "--plan").status == 0

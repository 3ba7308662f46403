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
        migrations = sorted(name for name in library.files() if "/migrations/0" in name)
        assert migrations
        raise NotImplementedError

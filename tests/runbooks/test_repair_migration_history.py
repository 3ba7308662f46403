from __future__ import annotations

from proof import RunbookProof


class TestRepairMigrationHistory(RunbookProof):
    slug = "repair-migration-history"
    errors = {
        "": "django.db.migrations.exceptions.InconsistentMigrationHistory: Migration [..] is applied before its "
        "dependency users.0001_initial on database 'default'.",
        "copied": "django.db.migrations.exceptions.InconsistentMigrationHistory: Migration fees.0012_invoice_discount "
        "is applied before its dependency fees.0011_payment_received_by on database 'default'.",
    }

    def check_fixed(self, cause, broken, fixed, sandbox):
        changed = {("users", "0001_initial")} if not cause else {("fees", "0012_invoice_discount")}
        before, after = (set(each.rows["django_migrations"]) for each in (broken, fixed))
        assert before ^ after == changed
        assert broken.difference(fixed, ignore={"django_migrations"}) == []

    def break_other_project(self, library):
        done = library.manage("shell", "-v", "0", "-c", (
            "from django.db import connection\n"
            "from django.db.migrations.recorder import MigrationRecorder\n"
            "MigrationRecorder(connection).record_unapplied('catalog', '0001_initial')"
        ))
        assert done.status == 0, done.output

    def check_other_project(self, broken, fixed, library):
        assert set(fixed.rows["django_migrations"]) - set(broken.rows["django_migrations"]) == {("catalog", "0001_initial")}
        assert broken.difference(fixed, ignore={"django_migrations"}) == []

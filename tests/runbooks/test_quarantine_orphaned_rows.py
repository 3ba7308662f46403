from __future__ import annotations

from proof import RunbookProof

from migration_runbooks.worlds import open_sandbox

UNLINK = """
from django.db import connection
from fees.models import Invoice
from admissions.models import Application
with connection.constraint_checks_disabled():
    Application.objects.filter(pk=Invoice.objects.exclude(application=None).values_list("application_id").first()[0])._raw_delete("default")
"""


def moved_rows(broken, fixed, table):
    return set(broken.rows[table]) - set(fixed.rows[table])


class TestQuarantineOrphanedRows(RunbookProof):
    slug = "quarantine-orphaned-rows"
    errors = {
        "sqlite": "django.db.utils.IntegrityError: The row in table 'fees_invoice' with primary key '3' has an invalid "
        "foreign key: fees_invoice.student_id contains a value '999999' that does not have a corresponding value in "
        "students_student.id.",
        "postgresql": "django.db.utils.IntegrityError: insert or update on table \"fees_invoice\" violates foreign key "
        "constraint \"fees_invoice_student_id_[..]_fk_students_student_id\"\n"
        "DETAIL:  Key (student_id)=(999999) is not present in table \"students_student\".",
        "mariadb": "django.db.utils.IntegrityError: (1452, 'Cannot add or update a child row: a foreign key constraint "
        "fails ([..], CONSTRAINT `fees_invoice_student_id_[..]_fk_students_student_id` FOREIGN KEY (`student_id`) "
        "REFERENCES `students_student` (`id`))')",
    }

    def check_fixed(self, cause, broken, fixed, sandbox):
        tables = {"fees_invoice", "fees_invoice_heads", "fees_payment"}
        for table in tables:
            kept = set(fixed.rows[f"quarantined_{table}"])
            assert kept and kept == moved_rows(broken, fixed, table)
        assert len(fixed.rows["quarantined_fees_invoice"]) == 2
        assert broken.difference(fixed, ignore={*tables, *(f"quarantined_{table}" for table in tables)}) == []
        migrated = sandbox.manage("migrate", "--plan")
        assert "fees.0014_restore_student_constraint" in migrated.output

    def break_other_project(self, library):
        raise NotImplementedError

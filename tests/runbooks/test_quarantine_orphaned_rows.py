from __future__ import annotations

from migration_runbooks.worlds import open_sandbox
from proof import RunbookProof

ORPHANED_RESERVATION = """
import copy
from django.db import connection
from loans.models import Reservation
enforced = Reservation._meta.get_field("book")
loose = copy.copy(enforced)
loose.db_constraint = False
with connection.schema_editor() as editor:
    editor.alter_field(Reservation, enforced, loose)
Reservation.objects.filter(pk=Reservation.objects.first().pk).update(book_id=999999)
"""
ORPHANED_APPLICATION = """
import copy
from django.db import connection
from fees.models import Invoice
enforced = Invoice._meta.get_field("application")
loose = copy.copy(enforced)
loose.db_constraint = False
with connection.schema_editor() as editor:
    editor.alter_field(Invoice, enforced, loose)
Invoice.objects.filter(pk=Invoice.objects.first().pk).update(application_id=999999)
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

    def test_column_that_may_be_null_is_emptied_and_its_row_stays(self, database, tmp_path):
        with open_sandbox("healthy", database, tmp_path) as sandbox:
            made = sandbox.manage("shell", "-v", "0", "-c", ORPHANED_APPLICATION)
            assert made.status == 0, made.output
            broken = sandbox.snapshot()
            inputs = self.diagnose(sandbox)
            assert inputs == {"ORPHANS": "fees_invoice.application_id"}
            self.fix(sandbox, inputs)
            self.verify(sandbox, inputs)
            fixed = sandbox.snapshot()
            assert fixed.rows["unlinked_fees_invoice_application_id"] == [(999999, 1)]
            assert len(fixed.rows["fees_invoice"]) == len(broken.rows["fees_invoice"])
            assert broken.difference(fixed, ignore={"fees_invoice", "unlinked_fees_invoice_application_id"}) == []
            assert self.step(sandbox, "undo", inputs).status == 0
            assert broken.difference(sandbox.snapshot()) == []

    def test_refuses_a_name_that_is_no_foreign_key(self, database, tmp_path):
        with open_sandbox(self.slug, database, tmp_path) as sandbox:
            broken = sandbox.snapshot()
            for wrong in ("fees_invoice.amount", "no_table.student_id", ""):
                refused = self.step(sandbox, "fix", {"ORPHANS": wrong})
                assert refused.status == 1 and "Refused, nothing was changed" in refused.output
            assert broken.difference(sandbox.snapshot()) == []

    def break_other_project(self, library):
        made = library.manage("shell", "-v", "0", "-c", ORPHANED_RESERVATION)
        assert made.status == 0, made.output

    def check_other_project(self, broken, fixed, library):
        kept = "quarantined_loans_reservation"
        assert len(fixed.rows[kept]) == 1
        assert set(fixed.rows[kept]) == moved_rows(broken, fixed, "loans_reservation")
        assert broken.difference(fixed, ignore={"loans_reservation", kept}) == []

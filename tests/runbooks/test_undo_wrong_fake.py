from __future__ import annotations

import pytest
from migration_runbooks.pages.match import matches
from migration_runbooks.worlds import open_sandbox
from proof import RunbookProof

NO_COLUMN = {
    "sqlite": "no such column: fees_invoice.discount",
    "postgresql": "column fees_invoice.discount does not exist",
    "mariadb": "Unknown column 'fees_invoice.discount' in",
}
ALREADY_THERE = {
    "postgresql": 'django.db.utils.ProgrammingError: column "discount" of relation "fees_invoice" already exists',
    "mariadb": "django.db.utils.OperationalError: (1060, \"Duplicate column name 'discount'\")",
}
FAKED = {"": {("fees", "0012_invoice_discount")}, "forward": {("fees", "0011_payment_received_by"), ("fees", "0012_invoice_discount")}}
TRACELESS = """
from django.db import migrations

class Migration(migrations.Migration):
    dependencies = [("fees", "0012_invoice_discount")]
    operations = [migrations.RunPython(migrations.RunPython.noop, migrations.RunPython.noop)]
"""


def discounts(sandbox):
    return sorted(float(value) for (value,) in sandbox.execute("SELECT discount FROM fees_invoice"))


class TestUndoWrongFake(RunbookProof):
    slug = "undo-wrong-fake"

    def test_the_command_fails_with_exactly_this_text(self, database, cause, django, acharya, tmp_path):
        """A fake in itself is silent; what fails is what comes next, and on SQLite after a backward one nothing does."""
        if cause == "":
            pytest.skip("a backward fake fails, or destroys, at the next migrate: see the two tests below")
        with open_sandbox(self.broken_world(cause), database, tmp_path, acharya) as sandbox:
            assert sandbox.manage("migrate", "--check").status == 0
            done = sandbox.manage("dumpdata", "fees.invoice")
            assert done.status != 0 and NO_COLUMN[database] in done.output, done.output

    def test_migrate_after_a_backward_fake_stops_where_the_database_guards_the_column(self, database, tmp_path):
        if database == "sqlite":
            pytest.skip("SQLite does not stop: see the next test")
        with open_sandbox(self.slug, database, tmp_path) as sandbox:
            before = sandbox.snapshot()
            done = sandbox.manage("migrate")
            assert done.status == 1
            assert matches(ALREADY_THERE[database], done.output.strip().splitlines()[-1]), done.output
            assert before.difference(sandbox.snapshot()) == []

    def test_migrate_after_a_backward_fake_erases_values_on_sqlite_with_status_0(self, database, tmp_path):
        if database != "sqlite":
            pytest.skip("only SQLite rebuilds the table and erases the values")
        with open_sandbox(self.slug, database, tmp_path) as sandbox:
            assert any(discounts(sandbox))
            done = sandbox.manage("migrate")
            assert done.status == 0 and "Applying fees.0012_invoice_discount... OK" in done.output
            assert not any(discounts(sandbox)), "the values survived: the warning on the page is no longer true"

    def test_migrate_after_the_fix_keeps_every_value(self, database, cause, tmp_path):
        with open_sandbox(self.broken_world(cause), database, tmp_path) as sandbox:
            before = discounts(sandbox) if not cause else None
            self.fix(sandbox, self.diagnose(sandbox))
            migrated = sandbox.manage("migrate")
            assert migrated.status == 0, migrated.output
            assert before is None or discounts(sandbox) == before
            assert sandbox.manage("dumpdata", "fees.invoice").status == 0

    def check_fixed(self, cause, broken, fixed, sandbox):
        before, after = (set(each.rows["django_migrations"]) for each in (broken, fixed))
        assert before ^ after == FAKED[cause]
        assert (after < before) == (cause == "forward")
        assert broken.difference(fixed, ignore={"django_migrations"}) == []

    def test_fake_to_the_first_migration_takes_other_apps_along(self, database, tmp_path):
        with open_sandbox("healthy", database, tmp_path) as sandbox:
            healthy = sandbox.snapshot()
            assert sandbox.manage("migrate", "students", "0001", "--fake").status == 0
            inputs = self.diagnose(sandbox)
            assert {"fees", "attendance", "students"} <= {label.split(".")[0] for label in inputs["RECORD"].split()}
            self.fix(sandbox, inputs)
            assert healthy.difference(sandbox.snapshot()) == []

    def test_squashed_migration_gets_all_its_rows_back(self, database, tmp_path):
        with open_sandbox("healthy", database, tmp_path) as sandbox:
            healthy = sandbox.snapshot()
            assert sandbox.manage("migrate", "attendance", "zero", "--fake").status == 0
            self.fix(sandbox, self.diagnose(sandbox))
            assert sandbox.manage("migrate", "--check").status == 0
            kept = set(healthy.rows["django_migrations"])
            assert kept <= set(sandbox.snapshot().rows["django_migrations"])

    def test_migration_without_a_trace_is_left_to_the_reader(self, database, tmp_path):
        with open_sandbox("healthy", database, tmp_path) as sandbox:
            (sandbox.project / "fees" / "migrations" / "0013_data.py").write_text(TRACELESS)
            assert sandbox.manage("migrate", "fees").status == 0
            healthy = sandbox.snapshot()
            assert sandbox.manage("migrate", "fees", "0011", "--fake").status == 0
            done = self.step(sandbox, "diagnose")
            assert "stay as they are: fees.0013_data" in done.output
            inputs = self.diagnose(sandbox)
            assert inputs["RECORD"] == "fees.0012_invoice_discount"
            self.fix(sandbox, {**inputs, "RECORD": "fees.0012_invoice_discount fees.0013_data"})
            assert healthy.difference(sandbox.snapshot()) == []

    def test_migrations_that_wait_are_no_wrong_fake(self, database, tmp_path):
        with open_sandbox("healthy", database, tmp_path) as sandbox:
            for target in (("fees", "0009"), ("students", "0008"), ("attendance", "zero")):
                assert sandbox.manage("migrate", *target).status == 0
                done = self.step(sandbox, "diagnose")
                assert done.status == 0, done.output

    def test_values_that_the_schema_contradicts_are_refused(self, database, tmp_path):
        with open_sandbox(self.slug, database, tmp_path) as sandbox:
            before = sandbox.snapshot()
            for values in (
                {"RECORD": "", "REMOVE": ""},
                {"RECORD": "fees.0099_nothing", "REMOVE": ""},
                {"RECORD": "", "REMOVE": "users.0001_initial"},
                {"RECORD": "fees.0012_invoice_discount", "REMOVE": "fees.0011_payment_received_by"},
            ):
                done = self.step(sandbox, "fix", values)
                told = f"{values}: {done.output}"
                assert done.status == 1 and "Refused, nothing was changed" in done.stderr and "Traceback" not in done.output, told
                assert before.difference(sandbox.snapshot()) == [], values

    def test_column_that_fits_no_migration_can_not_be_told(self, database, tmp_path):
        with open_sandbox("healthy", database, tmp_path) as sandbox:
            sandbox.execute("ALTER TABLE students_student RENAME COLUMN admission_number TO strange")
            done = self.step(sandbox, "diagnose")
            assert done.status == 2 and "Can't tell" in done.output

    def break_other_project(self, library):
        assert library.manage("migrate", "loans", "0001", "--fake").status == 0

    def check_other_project(self, broken, fixed, library):
        added = set(fixed.rows["django_migrations"]) - set(broken.rows["django_migrations"])
        assert added == {("loans", "0002_loan_returned_on"), ("loans", "0003_reservation")}
        assert broken.difference(fixed, ignore={"django_migrations"}) == []

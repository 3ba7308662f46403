from __future__ import annotations

from migration_runbooks.paths import RUNBOOKS
from migration_runbooks.worlds import open_sandbox
from proof import RunbookProof

DISCOUNTS = "SELECT id, discount FROM fees_invoice"
KEPT = "runbook_kept_fees_invoice_discount"
LATE_BOOK = """from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("catalog", "0003_book_pages")]
    operations = [
        migrations.AddConstraint("book", models.CheckConstraint(condition=models.Q(pages__gt=201), name="long_enough"))
    ]
"""
TINY = """from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("fees", "0013_limit_discount")]
    operations = [
        migrations.AddConstraint("invoice", models.CheckConstraint(condition=models.Q(amount__lt=1), name="tiny"))
    ]
"""
TWO_COLUMNS = """from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("attendance", "0008_leave_request_approved_at")]
    operations = [
        migrations.AddConstraint(
            "leaverequest",
            models.CheckConstraint(condition=models.Q(first_day=models.F("last_day"), reason__gt="100%"), name="one_day"),
        )
    ]
"""


class TestCorrectCheckViolations(RunbookProof):
    slug = "correct-check-violations"
    extra_inputs = {"VALUE": "250"}
    errors = {
        "sqlite": "django.db.utils.IntegrityError: CHECK constraint failed: discount_limited",
        "postgresql": 'django.db.utils.IntegrityError: check constraint "discount_limited" of relation "fees_invoice" is violated by some row',
        "mariadb": "django.db.utils.IntegrityError: (4025, 'CONSTRAINT `discount_limited` failed for `[..]`.`fees_invoice`')",
    }

    def check_fixed(self, cause, broken, fixed, sandbox):
        assert broken.difference(fixed, ignore={"fees_invoice", KEPT}) == []
        changed = set(broken.rows["fees_invoice"]) - set(fixed.rows["fees_invoice"])
        assert len(changed) == len(fixed.rows[KEPT]) == 12
        assert max(float(discount) for _, discount in sandbox.execute(DISCOUNTS)) == 250
        assert {float(was) for was, in sandbox.execute(f"SELECT was FROM {KEPT}")} == {250.25}

    def test_migrate_passes_after_the_fix_and_undo_after_rolling_back(self, database, tmp_path):
        with open_sandbox(self.slug, database, tmp_path) as sandbox:
            before, inputs = sandbox.execute(DISCOUNTS), self.diagnose(sandbox)
            self.fix(sandbox, inputs)
            assert sandbox.manage("migrate").status == 0
            refused = self.step(sandbox, "undo", inputs)
            assert refused.status == 1 and "Nothing was changed: IntegrityError" in refused.output
            assert sandbox.manage("migrate", "fees", "0012").status == 0
            assert self.step(sandbox, "undo", inputs).status == 0
            assert sorted(sandbox.execute(DISCOUNTS)) == sorted(before)

    def test_value_that_breaks_the_check_or_the_field_is_refused_and_leaves_nothing(self, database, tmp_path):
        with open_sandbox(self.slug, database, tmp_path) as sandbox:
            broken, inputs = sandbox.snapshot(), self.diagnose(sandbox)
            for wrong in ("251", "much", "0.125"):
                refused = self.step(sandbox, "fix", {**inputs, "VALUE": wrong})
                assert refused.status == 1 and "othing was changed" in refused.output, refused.output
                assert broken.difference(sandbox.snapshot()) == []

    def test_rule_of_two_columns_and_a_percent_sign_is_named(self, database, tmp_path):
        with open_sandbox("healthy", database, tmp_path) as sandbox:
            (sandbox.project / "attendance/migrations/0009_one_day.py").write_text(TWO_COLUMNS)
            broken = sandbox.snapshot()
            inputs = self.diagnose(sandbox)
            assert inputs["CONSTRAINT"] == "one_day" and inputs["COLUMN"] == "first_day"
            refused = self.step(sandbox, "fix", {**inputs, "VALUE": "2026-01-01"})
            assert refused.status == 1 and "rows would still break one_day" in refused.output
            assert broken.difference(sandbox.snapshot()) == []

    def test_of_two_checks_that_are_broken_the_first_to_come_is_corrected_first(self, database, tmp_path):
        with open_sandbox(self.slug, database, tmp_path) as sandbox:
            (sandbox.project / "fees/migrations/0014_tiny.py").write_text(TINY)
            inputs = self.diagnose(sandbox)
            assert inputs["CONSTRAINT"] == "discount_limited"
            self.fix(sandbox, inputs)
            assert self.diagnose(sandbox)["CONSTRAINT"] == "tiny"

    def test_refuses_what_it_can_not_do(self, database, tmp_path):
        with open_sandbox(self.slug, database, tmp_path) as sandbox:
            broken = sandbox.snapshot()
            for wrong in ({"COLUMN": "amount"}, {"TABLE": "no_table"}, {"CONSTRAINT": ""}):
                refused = self.step(sandbox, "fix", {**self.example_inputs(), **wrong})
                assert refused.status == 1 and "Refused, nothing was changed" in refused.output
            assert broken.difference(sandbox.snapshot()) == []

    def test_row_that_is_corrected_twice_goes_back_to_what_it_held_last(self, database, tmp_path):
        with open_sandbox(self.slug, database, tmp_path) as sandbox:
            inputs = self.diagnose(sandbox)
            self.fix(sandbox, inputs)
            (again,) = sandbox.execute("SELECT MIN(id) FROM fees_invoice WHERE discount = 250")[0]
            sandbox.execute(f"UPDATE fees_invoice SET discount = 300 WHERE id = {again}")
            broken = self.step(sandbox, "verify", inputs)
            assert (broken.status, broken.output) == (1, "1 rows of fees_invoice break discount_limited.\n")
            told = self.fix(sandbox, {**inputs, "VALUE": "240"})
            assert told == f"1 rows of fees_invoice now hold 240 in discount; {KEPT} keeps what they held.\n"
            assert dict(sandbox.execute(DISCOUNTS))[again] == 240
            undone = self.step(sandbox, "undo", inputs)
            assert (undone.status, undone.output) == (0, "12 rows hold their old values again.\n")
            discounts = dict(sandbox.execute(DISCOUNTS))
            assert discounts.pop(again) == 300 and max(map(float, discounts.values())) == 250.25

    def test_table_without_a_key_of_one_column_is_refused(self, database, tmp_path):
        with open_sandbox("healthy", database, tmp_path) as sandbox:
            sandbox.execute("CREATE TABLE pairs (one int, two int, three int, PRIMARY KEY (one, two))")
            self.assert_refused(sandbox, 'KeptValues(connection, "pairs", "three")', "LookupError: pairs has no primary key of one column")

    def test_rows_that_change_between_keeping_and_writing_stop_it(self, tmp_path):
        """On SQLite, for all: the condition holds for as many rows as there are, and so for none the second time."""
        program = """
connection.ensure_connection()
called = iter(range(1000))
connection.connection.create_function("is_early", 0, lambda: next(called) < rows)
rows = len(KeptValues(connection, "fees_invoice", "discount").keys("1 = 1"))
KeptValues(connection, "fees_invoice", "discount").replace("is_early()", "%s", [240])"""
        with open_sandbox("healthy", "sqlite", tmp_path) as sandbox:
            self.assert_refused(sandbox, program, "RuntimeError: rows changed meanwhile. Run it again.")

    def assert_refused(self, sandbox, program, reason):
        """Run a program with the class that keeps values; nothing may have changed."""
        before = sandbox.snapshot()
        sandbox.copy_python(RUNBOOKS / self.slug)
        head = f"import sys; sys.path.insert(0, '.runbook/{self.slug}')\nfrom django.db import connection\nfrom kept_values import KeptValues\n"
        done = sandbox.manage("shell", "-v", "0", input=head + program)
        assert done.status == 1 and done.output.endswith(f"{reason}\n"), done.output
        assert before.difference(sandbox.snapshot()) == []

    def break_other_project(self, library):
        (library.project / "catalog/migrations/0004_long_enough.py").write_text(LATE_BOOK)

    def check_other_project(self, broken, fixed, library):
        pages = sorted(library.execute("SELECT id, pages FROM catalog_book"))
        assert [page for _, page in pages] == [250, 250, 202, 203, None], "NULL breaks no check"

from __future__ import annotations

import pytest
from migration_runbooks.worlds import open_sandbox
from proof import RunbookProof

TOGETHER = "students_student_full_name_date_of_birth_95c47b6f_uniq"
TABLE = {"": "students_student", "named": "students_schoolclass", "named:sqlite": "students_student"}
TWIN = "UPDATE students_student SET full_name = 'Twin', date_of_birth = '2015-01-01' WHERE id IN (1, 2)"
WITHOUT_CHECK = (
    "from django.db import connection\nfrom fees.models import Payment\nPayment._meta.constraints = []\n"
    "with connection.schema_editor() as editor:\n    editor._remake_table(Payment)"
)


class TestRestoreMissingConstraint(RunbookProof):
    slug = "restore-missing-constraint"
    errors = {
        "named:sqlite": "django.db.utils.OperationalError: no such index: student_class_name_idx",
        "named:postgresql": 'django.db.utils.ProgrammingError: constraint "one_class_per_name_and_year"'
        ' of relation "students_schoolclass" does not exist',
        "named:mariadb": "django.db.utils.OperationalError: (1091, \"Can't DROP INDEX `one_class_per_name_and_year`; check that it exists\")",
        "": "ValueError: Found wrong number (0) of constraints for students_student(full_name, date_of_birth)",
    }

    def check_fixed(self, cause, broken, fixed, sandbox):
        table = TABLE.get(f"{cause}:{sandbox.database}", TABLE[cause])
        assert broken.rows == fixed.rows and broken.difference(fixed, ignore={table}) == []
        assert set(broken.schema[table]) < set(fixed.schema[table])

    def test_migrate_removes_it_after_the_fix(self, database, cause, tmp_path):
        with open_sandbox(self.broken_world(cause), database, tmp_path) as sandbox:
            before = sandbox.snapshot()
            self.fix(sandbox, self.diagnose(sandbox))
            assert sandbox.manage("migrate").status == 0
            assert before.difference(sandbox.snapshot(), ignore={"django_migrations"}) == []

    def test_rows_that_do_not_allow_it_stop_the_fix_and_stay(self, database, tmp_path):
        with open_sandbox(self.slug, database, tmp_path) as sandbox:
            sandbox.execute(TWIN)
            before, inputs = sandbox.snapshot(), self.diagnose(sandbox)
            done = self.step(sandbox, "fix", inputs)
            assert done.status == 1 and f"Stopped: the rows do not allow students_student.{TOGETHER}: " in done.stderr, done.output
            assert before.difference(sandbox.snapshot()) == []
            assert self.step(sandbox, "undo", inputs).status == 0
            assert before.difference(sandbox.snapshot()) == []

    def test_undo_drops_nothing_that_the_fix_did_not_make(self, database, tmp_path):
        with open_sandbox("healthy", database, tmp_path) as sandbox:
            before = sandbox.snapshot()
            assert self.step(sandbox, "undo", {"MISSING": "students_student.student_class_name_idx"}).status == 0
            assert before.difference(sandbox.snapshot()) == []

    def test_what_is_made_after_an_undo_is_left_alone_by_the_next(self, database, tmp_path):
        with open_sandbox(self.slug, database, tmp_path) as sandbox:
            inputs = self.diagnose(sandbox)
            self.fix(sandbox, inputs)
            undone = self.step(sandbox, "undo", inputs)
            assert undone.output == f"Dropped students_student.{TOGETHER}\nNothing that this runbook made is left.\n"
            sandbox.execute(f"CREATE UNIQUE INDEX {TOGETHER} ON students_student (full_name, date_of_birth)")
            made = sandbox.snapshot()
            assert self.step(sandbox, "undo", inputs).status == 0
            assert made.difference(sandbox.snapshot()) == []

    def test_verify_asks_for_what_was_chosen_alone(self, database, tmp_path):
        with open_sandbox(self.slug, database, tmp_path) as sandbox:
            sandbox.execute("DROP INDEX user_role_name_idx" + (" ON users_user" if database == "mariadb" else ""))
            chosen = {"MISSING": "users_user.user_role_name_idx"}
            self.verify(sandbox, chosen, status=1)
            self.fix(sandbox, chosen)
            self.verify(sandbox, chosen)
            left = self.step(sandbox, "verify")
            assert left.status == 1 and left.output == f"students_student.{TOGETHER} is missing\n"

    def test_check_inside_a_table_is_named_and_not_restored_on_sqlite(self, database, tmp_path):
        if database != "sqlite":
            pytest.skip("only SQLite keeps constraints in the table")
        with open_sandbox("healthy", database, tmp_path) as sandbox:
            assert sandbox.manage("shell", "-v", "0", "-c", WITHOUT_CHECK).status == 0
            before, name = sandbox.snapshot(), "fees_payment.payment_amount_positive"
            done = self.step(sandbox, "diagnose")
            assert done.status == 2 and f"{name} is missing\n  It is part of the table on SQLite" in done.output
            refused = self.step(sandbox, "fix", {"MISSING": name})
            assert refused.status == 1 and "Refused, nothing was changed: SQLite would have to rebuild" in refused.stderr
            assert before.difference(sandbox.snapshot()) == []

    def test_check_is_restored_on_a_server(self, database, tmp_path):
        if database == "sqlite":
            pytest.skip("SQLite keeps constraints in the table: see the test above")
        with open_sandbox("healthy", database, tmp_path) as sandbox:
            healthy = sandbox.snapshot()
            sandbox.execute("ALTER TABLE fees_payment DROP CONSTRAINT payment_amount_positive")
            inputs = self.diagnose(sandbox)
            assert inputs == {"MISSING": "fees_payment.payment_amount_positive"}
            self.fix(sandbox, inputs)
            assert healthy.difference(sandbox.snapshot()) == []

    def test_gives_up_when_the_table_is_locked(self, database, tmp_path):
        if database == "sqlite":
            pytest.skip("SQLite locks the whole database, for as long as the project's timeout says")
        with open_sandbox(self.slug, database, tmp_path) as sandbox, sandbox.connect() as other:
            begin = {"postgresql": "BEGIN", "mariadb": "START TRANSACTION"}[database]
            cursor = other.cursor()
            cursor.execute(begin)
            cursor.execute("UPDATE students_student SET full_name = full_name WHERE id = 1")
            before = sandbox.snapshot()
            done = self.step(sandbox, "fix", {"MISSING": f"students_student.{TOGETHER}"})
            cursor.execute("ROLLBACK")
            assert done.status == 2 and ("lock timeout" in done.stderr or "Lock wait timeout" in done.stderr), done.output
            assert before.difference(sandbox.snapshot()) == []

    def test_values_that_no_migration_made_change_nothing(self, database, tmp_path):
        with open_sandbox(self.slug, database, tmp_path) as sandbox:
            before = sandbox.snapshot()
            for value in ("", "students_student", "students_student.no_such_idx", "no_table.x"):
                done = self.step(sandbox, "fix", {"MISSING": value})
                told = f"{value}: {done.output}"
                assert done.status == 1 and "Refused, nothing was changed: no recorded migration made" in done.stderr, told
                assert before.difference(sandbox.snapshot()) == [], value

    def break_other_project(self, library):
        (library.project / "loans/migrations/0004_index.py").write_text(
            "from django.db import migrations, models\n\n\nclass Migration(migrations.Migration):\n"
            '    dependencies = [("loans", "0003_reservation")]\n'
            "    operations = [migrations.AddIndex('loan', models.Index(fields=['lent_on'], name='lent_idx'))]\n"
        )
        assert library.manage("migrate").status == 0
        library.execute("DROP INDEX lent_idx" + (" ON loans_loan" if library.database == "mariadb" else ""))

    def check_other_project(self, broken, fixed, library):
        assert broken.rows == fixed.rows and broken.difference(fixed, ignore={"loans_loan"}) == []
        assert [line for line in fixed.schema["loans_loan"] if line not in broken.schema["loans_loan"] and "lent_idx" in line]

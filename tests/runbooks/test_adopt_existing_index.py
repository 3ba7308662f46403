from __future__ import annotations

import pytest
from migration_runbooks.worlds import open_sandbox
from proof import RunbookProof

MIGRATION = ("fees", "0013_payment_paid_at_index")
DROP = {"mariadb": "DROP INDEX payment_paid_at_idx ON fees_payment"}
MAKE = "CREATE {}INDEX payment_paid_at_idx ON fees_payment ({})"
OTHERS = {"columns": ("", "amount, paid_at"), "unique": ("UNIQUE ", "id, paid_at"), "order": ("", "paid_at DESC")}
CHECK = "migrations.AddConstraint('payment', models.CheckConstraint(condition=models.Q(amount__lt={}), name='amount_limit'))"
ADD_CHECK = "ALTER TABLE fees_payment ADD CONSTRAINT amount_limit CHECK (amount < 1000000)"


def make_instead(sandbox, kind: str, columns: str) -> None:
    sandbox.execute(DROP.get(sandbox.database, "DROP INDEX payment_paid_at_idx"))
    sandbox.execute(MAKE.format(kind, columns))


def write(sandbox, name: str, operations: str) -> None:
    for file in (sandbox.project / "fees/migrations").glob("0013*.py"):
        file.unlink()
    (sandbox.project / f"fees/migrations/{name}.py").write_text(
        "from django.db import migrations, models\n\n\nclass Migration(migrations.Migration):\n"
        f'    dependencies = [("fees", "0012_invoice_discount")]\n    operations = [{operations}]\n'
    )


class TestAdoptExistingIndex(RunbookProof):
    slug = "adopt-existing-index"
    errors = {
        "sqlite": "django.db.utils.OperationalError: index payment_paid_at_idx already exists",
        "postgresql": 'django.db.utils.ProgrammingError: relation "payment_paid_at_idx" already exists',
        "mariadb": "django.db.utils.OperationalError: (1061, \"Duplicate key name 'payment_paid_at_idx'\")",
    }

    def check_fixed(self, cause, broken, fixed, sandbox):
        assert set(fixed.rows["django_migrations"]) - set(broken.rows["django_migrations"]) == {MIGRATION}
        assert broken.difference(fixed, ignore={"django_migrations"}) == []
        assert sandbox.manage("migrate", "--check").status == 0

    def test_another_index_of_that_name_is_not_adopted_and_both_are_shown(self, database, tmp_path):
        with open_sandbox(self.slug, database, tmp_path) as sandbox:
            inputs = self.diagnose(sandbox)
            for other, (kind, columns) in OTHERS.items():
                make_instead(sandbox, kind, columns)
                before = sandbox.snapshot()
                done = self.step(sandbox, "diagnose")
                told = f"{other}: {done.output}"
                assert done.status == 2 and "  fees_payment has:  " in done.output and "MIGRATION=" not in done.output, told
                assert "  0013_payment_paid_at_index makes: CREATE INDEX" in done.output, told
                refused = self.step(sandbox, "fix", inputs)
                told = f"{other}: {refused.output}"
                assert refused.status == 1 and "Refused, nothing was changed: what is there is not what" in refused.stderr, told
                assert before.difference(sandbox.snapshot()) == [], other

    def test_index_of_another_table_is_named(self, database, tmp_path):
        if database == "mariadb":
            pytest.skip("on MariaDB each table has its own names")
        with open_sandbox(self.slug, database, tmp_path) as sandbox:
            sandbox.execute("DROP INDEX payment_paid_at_idx")
            sandbox.execute("CREATE INDEX payment_paid_at_idx ON fees_invoice (due_on)")
            done = self.step(sandbox, "diagnose")
            assert done.status == 2 and "payment_paid_at_idx belongs to fees_invoice" in done.output

    def test_invalid_index_is_not_adopted(self, database, tmp_path):
        if database != "postgresql":
            pytest.skip("only PostgreSQL has invalid indexes")
        with open_sandbox("rebuild-invalid-index", database, tmp_path) as sandbox:
            done = self.step(sandbox, "diagnose")
            assert done.status == 2 and " INVALID\n" in done.output, done.output

    def test_constraint_is_adopted_when_its_condition_is_equal(self, database, tmp_path):
        if database == "sqlite":
            pytest.skip("SQLite rebuilds the table with the constraint: nothing stops")
        with open_sandbox("healthy", database, tmp_path) as sandbox:
            sandbox.execute(ADD_CHECK)
            write(sandbox, "0013_limit", CHECK.format(999))
            text = {"postgresql": 'constraint "amount_limit" for relation "fees_payment" already exists',
                    "mariadb": "(1826, \"Duplicate CHECK constraint name 'amount_limit'\")"}
            assert text[database] in sandbox.manage("migrate").output.splitlines()[-1]
            assert self.step(sandbox, "diagnose").status == 2
            write(sandbox, "0013_limit", CHECK.format(1000000))
            before = sandbox.snapshot()
            inputs = self.diagnose(sandbox)
            assert before.difference(sandbox.snapshot()) == []
            self.fix(sandbox, inputs)
            self.verify(sandbox, inputs)

    def test_migration_that_does_more_is_not_recorded(self, database, tmp_path):
        with open_sandbox(self.slug, database, tmp_path) as sandbox:
            index = "migrations.AddIndex('payment', models.Index(fields=['paid_at'], name='payment_paid_at_idx'))"
            write(sandbox, "0013_more", f"{index}, migrations.AddField('payment', 'note', models.TextField(null=True))")
            done = self.step(sandbox, "diagnose")
            assert done.status == 2 and "AddField: not an index or constraint with a name" in done.output
            write(sandbox, "0013_more", f"{index}, {index.replace('paid_at', 'amount')}")
            done = self.step(sandbox, "diagnose")
            assert done.status == 2 and "fees_payment has no payment_amount_idx yet" in done.output

    def test_index_that_a_waiting_migration_makes_anew_is_no_clash(self, database, tmp_path):
        with open_sandbox("healthy", database, tmp_path) as sandbox:
            write(sandbox, "0013_drop", "migrations.RemoveIndex('invoice', 'invoice_student_due_idx')")
            (sandbox.project / "fees/migrations/0014_again.py").write_text(
                (sandbox.project / "fees/migrations/0013_drop.py").read_text().replace("0012_invoice_discount", "0013_drop").replace(
                    "migrations.RemoveIndex('invoice', 'invoice_student_due_idx')",
                    "migrations.AddIndex('invoice', models.Index(fields=['student', 'due_on'], name='invoice_student_due_idx'))",
                )
            )
            assert self.step(sandbox, "diagnose").status == 0
            refused = self.step(sandbox, "fix", {"MIGRATION": "fees.0014_again"})
            assert refused.status == 1 and "is not what diagnose finds" in refused.stderr
            assert sandbox.manage("migrate").status == 0

    def test_values_that_are_not_what_diagnose_finds_change_nothing(self, database, tmp_path):
        with open_sandbox(self.slug, database, tmp_path) as sandbox:
            before = sandbox.snapshot()
            for value in ("", "fees", "fees.0099_nothing"):
                done = self.step(sandbox, "fix", {"MIGRATION": value})
                told = f"{value}: {done.output}"
                assert done.status == 1 and "Refused, nothing was changed" in done.stderr and "Traceback" not in done.output, told
                assert before.difference(sandbox.snapshot()) == [], value

    def break_other_project(self, library):
        (library.project / "loans/migrations/0004_lent.py").write_text(
            "from django.db import migrations, models\n\n\nclass Migration(migrations.Migration):\n"
            '    dependencies = [("loans", "0003_reservation")]\n'
            "    operations = [migrations.AddIndex('loan', models.Index(fields=['lent_on', '-due_on'], name='lent_idx'))]\n"
        )
        library.execute("create index lent_idx on loans_loan(lent_on, due_on DESC)")

    def check_other_project(self, broken, fixed, library):
        assert set(fixed.rows["django_migrations"]) - set(broken.rows["django_migrations"]) == {("loans", "0004_lent")}
        assert broken.difference(fixed, ignore={"django_migrations"}) == []

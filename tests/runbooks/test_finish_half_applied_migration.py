from __future__ import annotations

import signal

import pytest
from migration_runbooks.worlds import copy_sandbox, freeze_sandbox, open_sandbox
from proof import RunbookProof, State, one_database

BOTH = """import os

from django.db import migrations, models


def fill(apps, schema_editor):
    apps.get_model("fees", "FeeHead").objects.create(name="Made by fill", amount=1)
    if os.environ.get("FAILS"):
        raise RuntimeError("no network")


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("fees", "0012_invoice_discount")]
    operations = [
        migrations.AddField("payment", "channel", models.CharField(max_length=10, default="cash")),
        migrations.RunPython(fill, migrations.RunPython.noop, atomic=True),
        migrations.AlterField("payment", "channel", models.CharField(max_length=20, unique=False, default="cash")),
    ]
"""
BY_MIGRATE = {"django_migrations", "django_content_type", "auth_permission"}
"""Rows that the next `migrate` adds, as after each migration with a new model."""
CONCURRENTLY = """from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("fees", "0012_invoice_discount")]
    operations = [
        migrations.AddField("payment", "channel", models.CharField(max_length=5, null=True)),
        AddIndexConcurrently("payment", models.Index(fields=["channel"], name="channel_idx")),
        migrations.AddConstraint("payment", models.CheckConstraint(condition=models.Q(amount__lt=1000000), name="amount_low")),
    ]
"""
MADE = "SELECT COUNT(*) FROM fees_feehead WHERE name = 'Made by fill'"
LATE_FEE = """from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("loans", "0003_reservation")]
    operations = [
        migrations.AddField("loan", "fine", models.IntegerField(default=3)),
        migrations.AddConstraint("loan", models.CheckConstraint(condition=models.Q(lent_on__gt="2000-01-01"), name="lent_lately")),
        migrations.AlterField("loan", "fine", models.BigIntegerField(default=3, db_index=True)),
    ]
"""


def whole(sandbox):
    """A database in which the same migration ran without failing."""
    with open_sandbox("healthy", sandbox.database, sandbox.place.directory / "whole") as other:
        for path, text in sandbox.files().items():
            (other.project / path).write_text(text)
        assert other.manage("migrate", "-v", "0").status == 0
        return other.snapshot()


def write_both(sandbox):
    (sandbox.project / "fees/migrations/0013_channel.py").write_text(BOTH)


class TestFinishHalfAppliedMigration(RunbookProof):
    slug = "finish-half-applied-migration"
    errors = {
        "sqlite": "django.db.utils.OperationalError: duplicate column name: channel",
        "postgresql": 'django.db.utils.ProgrammingError: column "channel" of relation "fees_payment" already exists',
        "mariadb": "django.db.utils.OperationalError: (1060, \"Duplicate column name 'channel'\")",
    }

    def check_fixed(self, cause, broken, fixed, sandbox):
        """The schema is the one that a migration without failure makes, and every row is there."""
        assert whole(sandbox).difference(fixed, ignore=BY_MIGRATE) == []
        assert set(fixed.rows["django_migrations"]) - set(broken.rows["django_migrations"]) == {("fees", "0013_refund")}
        kept = {table: rows for table, rows in broken.rows.items() if table != "django_migrations" and not table.startswith("new__")}
        assert {table: fixed.rows[table] for table in kept} == kept

    def test_taken_back_it_is_as_before_the_migration_and_can_run_whole(self, database, tmp_path):
        with open_sandbox("healthy", database, tmp_path / "healthy") as sandbox:
            healthy = sandbox.snapshot()
        with open_sandbox(self.slug, database, tmp_path / "broken") as sandbox:
            inputs = {**self.diagnose(sandbox), "REPAIR": "take back"}
            self.fix(sandbox, inputs)
            assert healthy.difference(sandbox.snapshot()) == []
            self.fix(sandbox, inputs)
            self.verify(sandbox, inputs)
            assert sandbox.manage("migrate").status == 0
            assert whole(sandbox).difference(sandbox.snapshot(), ignore={"django_migrations"}) == []

    def test_taking_back_survives_a_kill_anywhere(self, database, tmp_path):
        with open_sandbox(self.slug, database, tmp_path / "whole") as sandbox:
            inputs = {**self.diagnose(sandbox), "REPAIR": "take back"}
            assert self.killed(sandbox, "fix", inputs, kill_at=0) == 0
            goal, changes = sandbox.snapshot(), (sandbox.place.directory / "changes").read_text().splitlines()
        drops = [n for n, change in enumerate(changes, 1) if "DROP" in change or "commit" in change]
        assert drops
        finished = []
        for kill_at in drops:
            with open_sandbox(self.slug, database, tmp_path / str(kill_at)) as sandbox:
                assert self.killed(sandbox, "fix", inputs, kill_at) == -signal.SIGKILL
                left = State.of(sandbox)
                if left not in finished:  # from an equal state the fix does the same
                    self.fix(sandbox, inputs)
                    assert goal.difference(sandbox.snapshot()) == [], changes[kill_at - 1]
                    finished.append(left)

    @pytest.mark.parametrize("values", [
        "UPDATE fees_payment SET channel = 'card' WHERE id = 1",
        "INSERT INTO fees_refund (id, amount, payment_id) VALUES (1, 10, 1)",
    ])
    def test_values_stored_since_are_not_taken_back(self, database, values, tmp_path):
        with open_sandbox(self.slug, database, tmp_path) as sandbox:
            inputs = self.diagnose(sandbox)
            sandbox.execute(values)
            before = sandbox.snapshot()
            done = self.step(sandbox, "fix", {**inputs, "REPAIR": "take back"})
            assert done.status == 1 and "would be lost" in done.stderr, done.output
            assert before.difference(sandbox.snapshot()) == []
            self.fix(sandbox, inputs)
            assert all(sandbox.snapshot().rows[table] == before.rows[table] for table in ("fees_payment", "fees_refund"))

    def test_nothing_is_recorded_while_the_tables_differ_from_what_the_migration_makes(self, database, tmp_path):
        with open_sandbox(self.slug, database, tmp_path) as sandbox:
            inputs = self.diagnose(sandbox)
            sandbox.execute("ALTER TABLE fees_refund DROP COLUMN amount")
            before = sandbox.snapshot()
            done = self.step(sandbox, "fix", inputs)
            assert done.status == 1 and "the schema is not yet what it must be; nothing was recorded" in done.stderr, done.output
            after = sandbox.snapshot()
            assert all(after.rows[table] == before.rows[table] for table in ("django_migrations", "fees_payment"))

    def test_cause_that_is_still_there_stops_it_and_it_can_be_run_again(self, database, tmp_path):
        with open_sandbox(self.slug, database, tmp_path) as sandbox:
            inputs = self.diagnose(sandbox)
            sandbox.execute("UPDATE fees_payment SET amount = amount + 2000000 WHERE id = 1")
            done = self.step(sandbox, "fix", inputs)
            assert done.status != 0 and "payment_amount_below_a_million" in done.output and "Traceback" not in done.output
            sandbox.execute("UPDATE fees_payment SET amount = amount - 2000000 WHERE id = 1")
            self.fix(sandbox, inputs)
            self.verify(sandbox, inputs)

    def half_with_python(self, sandbox, fails):
        write_both(sandbox)
        assert sandbox.run("uv", "run", "manage.py", "migrate", "fees", **({"FAILS": "1"} if fails else {})).status != 0 or not fails
        done = self.step(sandbox, "diagnose")
        assert done.status == 2 and "finish from 2: run 2. Raw Python operation\n  finish from 3: they ran" in done.output, done.output

    @pytest.mark.parametrize("first", [2, 3])
    def test_python_runs_or_not_as_the_reader_decides_and_never_twice(self, database, first, tmp_path):
        with open_sandbox("healthy", database, tmp_path) as sandbox:
            self.half_with_python(sandbox, fails=True)
            inputs = {"APP": "fees", "NAME": "0013_channel", "REPAIR": f"finish from {first}"}
            assert sandbox.execute(MADE) == [(0,)]
            assert self.step(sandbox, "diagnose", inputs).status == 1
            self.fix(sandbox, inputs)
            assert sandbox.execute(MADE) == [(1 if first == 2 else 0,)]
            self.fix(sandbox, inputs)
            self.verify(sandbox, inputs)
            assert sandbox.execute(MADE) == [(1 if first == 2 else 0,)]
            assert "runbook_half_applied" not in sandbox.snapshot().schema

    def test_python_runs_once_whenever_the_fix_is_killed(self, database, tmp_path):
        inputs = {"APP": "fees", "NAME": "0013_channel", "REPAIR": "finish from 2"}
        with open_sandbox("healthy", database, tmp_path / "half") as half:
            self.half_with_python(half, fails=True)
            freeze_sandbox(half)
            with copy_sandbox(half, tmp_path / "whole") as sandbox:
                assert self.killed(sandbox, "fix", inputs, kill_at=0) == 0
                changes = (sandbox.place.directory / "changes").read_text().splitlines()
            around = [n for n, change in enumerate(changes, 1) if "runbook_half_applied" in change or "feehead" in change]
            for kill_at in sorted({each + more for each in around for more in (0, 1)} & set(range(1, len(changes) + 1))):
                with copy_sandbox(half, tmp_path / str(kill_at)) as sandbox:
                    assert self.killed(sandbox, "fix", inputs, kill_at) == -signal.SIGKILL
                    self.fix(sandbox, inputs)
                    assert sandbox.execute(MADE) == [(1,)], changes[kill_at - 1]
                    assert "runbook_half_applied" not in sandbox.snapshot().schema

    @one_database
    def test_values_that_are_no_migration_change_nothing(self, database, tmp_path):
        self.check_refused(database, [{"NAME": "0099_nothing"}, {"APP": "", "NAME": ""}], tmp_path)

    def test_values_that_are_not_what_diagnose_finds_change_nothing(self, database, tmp_path):
        self.check_refused(database, [{"REPAIR": ""}, {"REPAIR": "finish from 4"}, {"REPAIR": "finish from 9"}], tmp_path)

    def check_refused(self, database, wrong, directory):
        with open_sandbox(self.slug, database, directory) as sandbox:
            before, inputs = sandbox.snapshot(), self.diagnose(sandbox)
            for values in wrong:
                done = self.step(sandbox, "fix", {**inputs, **values})
                told = f"{values}: {done.output}"
                assert done.status == 1 and "Refused: " in done.stderr and "Traceback" not in done.output, told
                assert before.difference(sandbox.snapshot()) == [], values

    def test_index_that_failed_while_it_was_built_concurrently(self, database, tmp_path):
        if database != "postgresql":
            pytest.skip("PostgreSQL alone builds an index concurrently")
        import psycopg

        with open_sandbox("healthy", database, tmp_path) as sandbox:
            (sandbox.project / "fees/migrations/0013_index.py").write_text(CONCURRENTLY)
            sandbox.execute("UPDATE fees_payment SET amount = amount + 2000000 WHERE id = 1")
            assert sandbox.manage("migrate").status != 0
            sandbox.execute("UPDATE fees_payment SET amount = amount - 2000000 WHERE id = 1")
            with psycopg.connect(host=sandbox.environment["PGHOST"], user="postgres", dbname=sandbox.place.database) as superuser:
                superuser.execute("UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'channel_idx'::regclass")
            done = self.step(sandbox, "diagnose")
            assert done.status == 2 and 'is invalid. Run DROP INDEX CONCURRENTLY "channel_idx"' in done.stderr, done.output
            sandbox.execute('DROP INDEX CONCURRENTLY "channel_idx"')
            inputs = {"APP": "fees", "NAME": "0013_index", "REPAIR": "finish from 2"}
            self.fix(sandbox, inputs)
            self.verify(sandbox, inputs)
            assert sandbox.execute("SELECT indisvalid FROM pg_index WHERE indexrelid = 'channel_idx'::regclass") == [(True,)]

    def test_column_made_by_hand_is_not_recorded_as_the_migrations(self, database, tmp_path):
        with open_sandbox(self.slug, database, tmp_path) as sandbox:
            inputs = self.diagnose(sandbox)
            sandbox.execute("ALTER TABLE fees_payment DROP COLUMN channel")
            sandbox.execute("ALTER TABLE fees_payment ADD COLUMN channel varchar(99) NULL")
            done = self.step(sandbox, "fix", inputs)
            if database == "sqlite":  # making the table anew gives the column its type
                assert whole(sandbox).difference(sandbox.snapshot(), ignore=BY_MIGRATE) == []
                return
            assert done.status == 1 and "column channel" in done.stderr and "nothing was recorded" in done.stderr
            assert self.step(sandbox, "diagnose").status == 1

    def break_other_project(self, library):
        (library.project / "loans/migrations/0004_fine.py").write_text(LATE_FEE)
        library.execute("UPDATE loans_loan SET lent_on = '1999-01-01' WHERE id = 1")
        assert library.manage("migrate", "loans").status != 0
        library.execute("UPDATE loans_loan SET lent_on = '2026-03-02' WHERE id = 1")

    def check_other_project(self, broken, fixed, library):
        assert broken.rows["loans_loan"] == fixed.rows["loans_loan"]
        assert ("loans", "0004_fine") in fixed.rows["django_migrations"]

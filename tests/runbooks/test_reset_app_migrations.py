from __future__ import annotations

import re
import shutil
from dataclasses import replace

import pytest
from migration_runbooks.paths import RUNBOOKS
from migration_runbooks.worlds import open_sandbox
from proof import RunbookProof, one_database

FILLED = "0006_number_existing_invoices"
FEES = {"APP": "fees", "CARRY_OVER": "", "LEAVE_OUT": FILLED}
NUMBER_INDEX = re.compile(r"\bfees_invoice_number_\w+|(?<=\bunique )number(?=:)")
GROUPS = """
from django.db import migrations

def groups(apps, schema_editor):
    apps.get_model("auth", "Group").objects.get_or_create(name="Cashiers")

class Migration(migrations.Migration):
    dependencies = [("fees", "0012_invoice_discount"), ("auth", "0012_alter_user_first_name_max_length")]
    operations = [migrations.RunPython(groups, migrations.RunPython.noop)]
"""


def history(snapshot, app):
    columns = snapshot.columns["django_migrations"]
    at = [columns.index(name) for name in ("app", "name")]
    return {row[at[1]] for row in snapshot.rows["django_migrations"] if row[at[0]] == app}


def fresh_schema(sandbox, tmp_path):
    """The schema that the files of a sandbox give an empty database, and its rows that migrations made."""
    with open_sandbox("empty", sandbox.database, tmp_path, sandbox.kind) as empty:
        for name in set(empty.files()) - set(sandbox.files()):
            (empty.project / name).unlink()
        for name, text in sandbox.files().items():
            (empty.project / name).parent.mkdir(parents=True, exist_ok=True)
            (empty.project / name).write_text(text)
        done = empty.manage("migrate", "-v", "0")
        assert done.status == 0, done.output
        assert empty.manage("makemigrations", "--check").status == 0
        return empty.snapshot()


def unnamed(snapshot):
    """The snapshot without the names that a database gives to what makes `number` unique: in a new table it picks others."""
    lines = sorted(NUMBER_INDEX.sub("NAME", line) for line in snapshot.schema["fees_invoice"])
    return replace(snapshot, schema={**snapshot.schema, "fees_invoice": lines})


def write(sandbox, name, text):
    (sandbox.project / name).write_text(text)


def edit(sandbox, name, old, new):
    text = (sandbox.project / name).read_text()
    assert old in text
    write(sandbox, name, text.replace(old, new, 1))


class TestResetAppMigrations(RunbookProof):
    slug = "reset-app-migrations"
    extra_inputs = FEES
    # A procedure, not the repair of an error: no command fails, and a healthy project is what it begins with.
    test_the_command_fails_with_exactly_this_text = None
    test_healthy_project_is_told_healthy_and_left_alone = None

    def broken_world(self, cause):
        return "healthy"

    def check_fixed(self, cause, broken, fixed, sandbox):
        assert broken.difference(fixed, ignore={"django_migrations"}) == []
        assert history(fixed, "fees") == {"0001_reset"}
        assert {row for row in broken.rows["django_migrations"] if "fees" not in row} < set(fixed.rows["django_migrations"])
        files = [name for name in sandbox.files() if name.startswith("fees/migrations/0")]
        assert files == ["fees/migrations/0001_reset.py"]
        for command in (("makemigrations", "--check"), ("migrate", "--check")):
            assert sandbox.manage(*command).status == 0

    def break_other_project(self, library):
        self.extra_inputs = {"APP": "loans", "CARRY_OVER": "", "LEAVE_OUT": ""}

    def check_other_project(self, broken, fixed, library):
        assert broken.difference(fixed, ignore={"django_migrations"}) == []
        assert history(fixed, "loans") == {"0001_reset"}
        assert library.manage("migrate", "--check").status == 0

    def record(self, sandbox, **variables):
        sandbox.copy_python(RUNBOOKS / self.slug)
        line = f"STEP=record uv run manage.py shell -v 0 < .runbook/{self.slug}/reset.py"
        return sandbox.run("bash", "-c", line, **variables)

    def test_fresh_database_gets_the_schema_of_the_old_one(self, database, tmp_path):
        with open_sandbox("healthy", database, tmp_path / "old") as sandbox:
            before = fresh_schema(sandbox, tmp_path / "before")
            self.fix(sandbox, self.diagnose(sandbox))
            after = fresh_schema(sandbox, tmp_path / "after")
            assert unnamed(before).difference(unnamed(after), ignore={"django_migrations"}) == []

    def test_data_migration_that_is_carried_over_runs_on_a_fresh_database(self, database, tmp_path):
        with open_sandbox("healthy", database, tmp_path / "old") as sandbox:
            write(sandbox, "fees/migrations/0013_groups.py", GROUPS)
            assert sandbox.manage("migrate", "-v", "0").status == 0
            before = sandbox.snapshot()
            inputs = {**FEES, "CARRY_OVER": "0013_groups"}
            self.fix(sandbox, inputs)
            self.verify(sandbox, inputs)
            assert history(sandbox.snapshot(), "fees") == {"0001_reset", "0002_groups"}
            assert before.difference(sandbox.snapshot(), ignore={"django_migrations"}) == []
            assert ("Cashiers",) in [row[1:] for row in fresh_schema(sandbox, tmp_path / "fresh").rows["auth_group"]]
            assert self.step(sandbox, "diagnose", inputs).status == 0
            shutil.rmtree(sandbox.project / ".runbook")  # as in a colleague's checkout
            assert self.step(sandbox, "diagnose", {"APP": "fees"}).status == 0

    def test_other_database_is_recorded_only_if_it_ran_every_old_migration(self, database, tmp_path):
        with open_sandbox("healthy", database, tmp_path / "first") as first, open_sandbox("healthy", database, tmp_path / "other") as other:
            assert other.manage("migrate", "fees", "0011", "-v", "0").status == 0
            printed = self.fix(first, FEES)
            replaced = re.search(r'REPLACED="(.*)"', printed)[1]
            old = other.files()
            for name in set(old) - set(first.files()):
                (other.project / name).unlink()
            write(other, "fees/migrations/0001_reset.py", first.files()["fees/migrations/0001_reset.py"])
            before = other.snapshot()
            forgotten = other.manage("migrate")
            assert forgotten.status == 1 and "already exists" in forgotten.output, forgotten.output
            refused = self.record(other, APP="fees", REPLACED=replaced)
            assert refused.status == 1 and "has not run 0012_invoice_discount" in refused.output, refused.output
            assert before.difference(other.snapshot()) == []
            for name, text in old.items():
                write(other, name, text)
            (other.project / "fees/migrations/0001_reset.py").unlink()
            assert other.manage("migrate", "-v", "0").status == 0
            for name in set(old) - set(first.files()):
                (other.project / name).unlink()
            write(other, "fees/migrations/0001_reset.py", first.files()["fees/migrations/0001_reset.py"])
            for _ in range(2):
                assert self.record(other, APP="fees", REPLACED=replaced).status == 0
            assert history(other.snapshot(), "fees") == {"0001_reset"}
            assert "No migrations to apply." in other.manage("migrate").output
            self.verify(other, FEES)

    @one_database
    @pytest.mark.parametrize(("inputs", "message"), [
        ({"APP": "nothing"}, "There is no app 'nothing'"),
        ({"APP": ""}, "There is no app ''"),
        ({"APP": "auth"}, "auth is not an app of this project"),
        ({"APP": "admissions"}, "fees.0010_invoice_student_due_index depends on admissions.0009_require_application_number"),
        ({"LEAVE_OUT": ""}, "fees.0006_number_existing_invoices runs code or SQL of yours"),
        ({"LEAVE_OUT": f"{FILLED} 0099_none"}, "fees has no data migration '0099_none'"),
    ])
    def test_inputs_that_are_refused_change_nothing(self, database, inputs, message, tmp_path):
        with open_sandbox("healthy", database, tmp_path) as sandbox:
            self.check_refused(sandbox, message, {**FEES, **inputs})

    def check_refused(self, sandbox, message, inputs=FEES):
        before, files = sandbox.snapshot(), sandbox.files()
        for step, status in (("diagnose", 2), ("fix", 1)):
            done = self.step(sandbox, step, inputs)
            assert done.status == status and message in done.output and "Traceback" not in done.output, done.output
        assert before.difference(sandbox.snapshot()) == [] and sandbox.files() == files

    @one_database
    def test_states_of_files_that_are_refused(self, database, tmp_path):
        with open_sandbox("healthy", database, tmp_path) as sandbox:
            git = ("git", "-c", "user.name=A", "-c", "user.email=a@example.org")
            for command in (("init", "-q"), ("add", "."), ("commit", "-qm", "All")):
                assert sandbox.run(*git, *command).status == 0
            edit(sandbox, "fees/migrations/0012_invoice_discount.py", "class", "# new\nclass")
            self.check_refused(sandbox, "Migration files are not committed")
            assert sandbox.run(*git, "checkout", "-q", ".").status == 0
            edit(sandbox, "fees/models.py", "    discount = models", "    late = models.IntegerField(default=0)\n    discount = models")
            self.check_refused(sandbox, "Models of fees have changes without a migration")
            assert sandbox.run(*git, "checkout", "-q", ".").status == 0
            edit(sandbox, "fees/migrations/0012_invoice_discount.py", "    operations", '    run_before = [("attendance", "0008_leave_request_approved_at")]\n    operations')
            self.check_refused(sandbox, "fees.0012_invoice_discount has run_before")

    def test_states_of_the_database_that_are_refused(self, database, tmp_path):
        with open_sandbox("healthy", database, tmp_path) as sandbox:
            assert sandbox.manage("migrate", "fees", "0011", "-v", "0").status == 0
            self.check_refused(sandbox, "fees.0012_invoice_discount is not applied")
            assert sandbox.manage("migrate", "fees", "--fake", "-v", "0").status == 0
            self.check_refused(sandbox, "fees_invoice.discount is not in database 'default'")

    @one_database
    def test_undo_is_refused_when_newer_migrations_are_there(self, database, tmp_path):
        with open_sandbox("healthy", database, tmp_path) as sandbox:
            self.fix(sandbox, FEES)
            write(sandbox, "fees/migrations/0002_groups.py", GROUPS.replace("0012_invoice_discount", "0001_reset"))
            before, files = sandbox.snapshot(), sandbox.files()
            done = self.step(sandbox, "undo", FEES)
            assert done.status == 1 and "fees has newer migrations: 0002_groups" in done.output, done.output
            assert before.difference(sandbox.snapshot()) == [] and sandbox.files() == files

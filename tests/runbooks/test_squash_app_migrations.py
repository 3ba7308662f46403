from __future__ import annotations

import pytest
from migration_runbooks.paths import RUNBOOKS
from migration_runbooks.worlds import open_sandbox
from proof import KILLER, MOST_KILLS, RunbookProof, one_database
from test_reset_app_migrations import fresh_schema, history

SQUASH = "0004_invoice_note_squashed_0007_require_invoice_number"
REPLACED = {"0004_invoice_note", "0005_invoice_number", "0006_number_existing_invoices", "0007_require_invoice_number"}
RANGE = {"APP": "fees", "FROM": "0004_invoice_note", "TO": "0007_require_invoice_number"}
DATA = """
from __future__ import annotations

import string as letters

from django.db import migrations

if True:
    def read(words):
        return words["word"]

WORDS = dict()
WORDS["other"] = ""
WORDS.update(word="{word}")


def wanted():
    # Kept: a comment.
    return letters.capwords(read(WORDS))


def forwards(apps, schema_editor):
    apps.get_model("fees", "FeeHead").objects.create(name=wanted(), amount=1)


def backwards(apps, schema_editor):
    apps.get_model("fees", "FeeHead").objects.filter(name=wanted()).delete()


class Migration(migrations.Migration):
    dependencies = [("fees", "{parent}")]
    operations = [migrations.RunPython(forwards, backwards)]
"""
AFTER_FEES = """
from django.db import migrations

class Migration(migrations.Migration):
    dependencies = [("admissions", "0010_one_document_per_title"), ("fees", "0012_invoice_discount")]
    operations = []
"""


class TestSquashAppMigrations(RunbookProof):
    slug = "squash-app-migrations"
    extra_inputs = RANGE
    # A procedure, not the repair of an error: no command fails, and a healthy project is what it begins with.
    test_the_command_fails_with_exactly_this_text = None
    test_healthy_project_is_told_healthy_and_left_alone = None

    def broken_world(self, cause):
        return "healthy"

    def check_fixed(self, cause, broken, fixed, sandbox):
        assert broken.difference(fixed) == []
        text = sandbox.files()[f"fees/migrations/{SQUASH}.py"]
        assert "def number_invoices(apps, schema_editor):" in text and "code=number_invoices," in text
        planned = sandbox.manage("migrate", "--plan")
        assert planned.status == 0 and "No planned migration operations." in planned.output, planned.output
        assert sandbox.manage("makemigrations", "--check").status == 0

    def break_other_project(self, library):
        self.extra_inputs = {"APP": "loans", "FROM": "0001_initial", "TO": "0002_loan_returned_on"}

    def check_other_project(self, broken, fixed, library):
        assert broken.difference(fixed) == []
        assert "initial = True" in library.files()["loans/migrations/0001_squashed_0002_loan_returned_on.py"]
        assert "No migrations to apply." in library.manage("migrate").output

    def run_step(self, sandbox, step, **variables):
        sandbox.copy_python(RUNBOOKS / self.slug)
        line = f"STEP={step} uv run manage.py shell -v 0 < .runbook/{self.slug}/squash.py"
        return sandbox.run("bash", "-c", line, **{**RANGE, **variables})

    def squashed(self, sandbox):
        self.fix(sandbox, self.diagnose(sandbox))
        migrated = sandbox.manage("migrate")
        assert migrated.status == 0 and "No migrations to apply." in migrated.output, migrated.output

    def test_undo_after_migrate_takes_the_row_away_too(self, database, tmp_path):
        with open_sandbox("healthy", database, tmp_path) as sandbox:
            before, files = sandbox.snapshot(), sandbox.files()
            self.squashed(sandbox)
            assert history(sandbox.snapshot(), "fees") - history(before, "fees") == {SQUASH}
            assert self.step(sandbox, "undo", RANGE).status == 0
            assert before.difference(sandbox.snapshot()) == [] and sandbox.files() == files

    def test_fresh_database_gets_the_same_schema_and_rows(self, database, tmp_path):
        with open_sandbox("healthy", database, tmp_path / "old") as sandbox:
            before = fresh_schema(sandbox, tmp_path / "before")
            users = {"APP": "users", "FROM": "0001_initial", "TO": "0005_user_role_name_index"}
            self.fix(sandbox, RANGE)
            self.fix(sandbox, users)
            after = fresh_schema(sandbox, tmp_path / "after")
            assert before.rows["auth_group"] and before.difference(after, ignore={"django_migrations"}) == []
            assert SQUASH in history(after, "fees") and "0001_squashed_0005_user_role_name_index" in history(after, "users")

    def test_database_between_the_replaced_migrations_goes_on_with_them(self, database, tmp_path):
        with open_sandbox("healthy", database, tmp_path) as sandbox:
            whole, numbers = sandbox.snapshot(), sandbox.execute("SELECT id, number FROM fees_invoice ORDER BY id")
            assert sandbox.manage("migrate", "fees", "0005").status == 0
            self.fix(sandbox, self.diagnose(sandbox))
            assert "waiting, since only some" in self.step(sandbox, "verify", RANGE).output
            refused = self.run_step(sandbox, "finish")
            assert refused.status == 1 and "Run `migrate` there first" in refused.output
            assert sandbox.manage("migrate").status == 0
            assert history(sandbox.snapshot(), "fees") == history(whole, "fees") | {SQUASH}
            assert sandbox.execute("SELECT id, number FROM fees_invoice ORDER BY id") == numbers

    def test_next_release_deletes_the_replaced_files_and_can_be_taken_back(self, database, tmp_path):
        with open_sandbox("healthy", database, tmp_path / "old") as sandbox:
            self.squashed(sandbox)
            before, files = sandbox.snapshot(), sandbox.files()
            whole = fresh_schema(sandbox, tmp_path / "whole")
            done = self.run_step(sandbox, "finish")
            assert done.status == 0, done.output
            left = sandbox.files()
            assert {f"fees/migrations/{name}.py" for name in REPLACED} == set(files) - set(left)
            assert "replaces" not in left[f"fees/migrations/{SQUASH}.py"]
            assert f'("fees", "{SQUASH}")' in left["fees/migrations/0008_payment_amount_positive.py"]
            assert before.difference(sandbox.snapshot()) == []
            assert "No migrations to apply." in sandbox.manage("migrate").output
            assert sandbox.manage("migrate", "fees", "--prune").status == 0
            assert history(before, "fees") - history(sandbox.snapshot(), "fees") == REPLACED
            assert sandbox.manage("makemigrations", "--check").status == 0
            assert whole.difference(fresh_schema(sandbox, tmp_path / "fresh"), ignore={"django_migrations"}) == []
            assert self.run_step(sandbox, "finish").status == 0
            assert self.step(sandbox, "diagnose", RANGE).status == 0
            assert "STEP=reopen" in self.step(sandbox, "undo", RANGE).output
            self.verify(sandbox, RANGE)
            edited = sandbox.project / "fees/migrations/0008_payment_amount_positive.py"
            text = edited.read_text()
            edited.write_text(text + "# edited\n")
            assert "was changed since" in self.run_step(sandbox, "reopen").output
            edited.write_text(text)
            assert self.run_step(sandbox, "reopen").status == 0
            assert before.difference(sandbox.snapshot()) == [] and sandbox.files() == files

    @one_database
    @pytest.mark.parametrize("step", ["finish", "reopen"])
    def test_steps_of_the_next_release_survive_a_kill_at_every_change(self, database, step, tmp_path):
        """They change files, as the fix does, and no row where none is missing."""
        with open_sandbox("healthy", database, tmp_path) as sandbox:
            self.squashed(sandbox)
            count, other = sandbox.place.directory / "changes", {"finish": "reopen", "reopen": "finish"}[step]
            if step == "reopen":
                assert self.run_step(sandbox, "finish").status == 0
            start = sandbox.snapshot(), sandbox.files()
            assert self.run_step(sandbox, step).status == 0
            goal = sandbox.snapshot(), sandbox.files()
            for kill_at in range(1, MOST_KILLS):
                assert self.run_step(sandbox, other).status == 0
                assert start[0].difference(sandbox.snapshot()) == [] and sandbox.files() == start[1]
                count.write_text("")
                watch = {"KILL_COUNT": str(count), "KILL_AT": str(kill_at), "PYTHONPATH": str(KILLER)}
                killed = self.run_step(sandbox, step, **watch).status
                assert self.run_step(sandbox, step).status == 0
                assert goal[0].difference(sandbox.snapshot()) == [] and sandbox.files() == goal[1], kill_at
                if killed == 0:
                    break
            assert kill_at > 3 and killed == 0

    def test_functions_of_the_same_name_are_copied_with_all_that_they_use(self, database, tmp_path):
        with open_sandbox("healthy", database, tmp_path) as sandbox:
            for number, (name, parent) in enumerate((("0013_first", "0012_invoice_discount"), ("0014_second", "0013_first"))):
                (sandbox.project / f"fees/migrations/{name}.py").write_text(DATA.format(parent=parent, word=f"word {number}"))
            assert sandbox.manage("migrate", "-v", "0").status == 0
            heads = sandbox.execute("SELECT name FROM fees_feehead ORDER BY name")
            self.fix(sandbox, {"APP": "fees", "FROM": "0013_first", "TO": "0014_second"})
            text = sandbox.files()["fees/migrations/0013_first_squashed_0014_second.py"]
            assert text.startswith("from __future__ import annotations\n") and "# Kept: a comment." in text
            assert sandbox.manage("migrate", "fees", "0012", "-v", "0").status == 0
            assert len(sandbox.execute("SELECT name FROM fees_feehead")) == len(heads) - 2
            assert sandbox.manage("migrate", "-v", "0").status == 0
            assert sandbox.execute("SELECT name FROM fees_feehead ORDER BY name") == heads

    @one_database
    @pytest.mark.parametrize(("inputs", "message"), [
        ({"APP": "nothing"}, "There is no app 'nothing'"),
        ({"APP": "auth", "FROM": "0001_initial", "TO": "0002_alter_permission_name_max_length"}, "auth is not an app of this project"),
        ({"FROM": "0004"}, "fees has no migration '0004'"),
        ({"FROM": "0008_payment_amount_positive"}, "does not come before"),
        ({"FROM": "0007_require_invoice_number"}, "One migration is nothing to squash"),
        ({"APP": "attendance", "FROM": "0001_squashed_0003_one_record_per_student_and_day", "TO": "0005_leave_ends_after_it_begins"}, "is itself a squash"),
        ({"APP": "admissions", "FROM": "0004_application_previous_school", "TO": "0006_rename_state_to_status"}, "begins inside a branch"),
    ])
    def test_refusals_change_nothing(self, database, inputs, message, tmp_path):
        with open_sandbox("healthy", database, tmp_path) as sandbox:
            files = sandbox.files()
            for step, status in (("diagnose", 2), ("fix", 1)):
                done = self.step(sandbox, step, {**RANGE, **inputs})
                assert done.status == status and message in done.output and "Traceback" not in done.output, done.output
            assert sandbox.files() == files

    @one_database
    def test_range_that_would_make_a_ring_is_refused_with_a_shorter_one(self, database, tmp_path):
        with open_sandbox("healthy", database, tmp_path) as sandbox:
            (sandbox.project / "admissions/migrations/0011_after_fees.py").write_text(AFTER_FEES)
            inputs = {"APP": "admissions", "FROM": "0008_number_existing_applications", "TO": "0011_after_fees"}
            done = self.step(sandbox, "diagnose", inputs)
            assert done.status == 2 and "fees.0010_invoice_student_due_index stands between" in done.output, done.output
            assert 'Then set TO="0010_one_document_per_title"' in done.output
            assert self.step(sandbox, "diagnose", {**inputs, "TO": "0010_one_document_per_title"}).status == 1

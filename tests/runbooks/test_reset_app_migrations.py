from __future__ import annotations

import pytest
from migration_runbooks.worlds import open_library, open_sandbox
from proof import RunbookProof

FILLED = "0006_number_existing_invoices"
FEES = {"APP": "fees", "CARRY_OVER": "", "LEAVE_OUT": FILLED}
NEW_FIELD = "\n    late_fee = models.IntegerField(default=0)\n"


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

    def test_fresh_database_gets_the_schema_of_the_old_one(self, database, tmp_path):
        with open_sandbox("healthy", database, tmp_path / "old") as sandbox:
            before = fresh_schema(sandbox, tmp_path / "before")
            self.fix(sandbox, self.diagnose(sandbox))
            after = fresh_schema(sandbox, tmp_path / "after")
            assert before.difference(after, ignore={"django_migrations"}) == []

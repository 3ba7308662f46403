from __future__ import annotations

import subprocess
import tempfile
from contextlib import closing
from pathlib import Path

import pytest
from beside import DatabaseBesideProof
from migration_runbooks.worlds import open_library, open_sandbox

SEED = "seed_school --students 25"
BUILDING = 5
"""How many of the hundreds of changes that `migrate` makes in a database nobody uses yet are kill points; all others are."""


class TestResetDevelopmentDatabase(DatabaseBesideProof):
    slug = "reset-development-database"
    # A procedure, not the repair of an error: no command fails.
    test_the_command_fails_with_exactly_this_text = None

    def diagnose(self, sandbox, status: int = 1) -> dict[str, str]:
        """The database's name is a decision, and each sandbox has another one."""
        name = "db.sqlite3" if sandbox.database == "sqlite" else sandbox.place.database
        self.extra_inputs = {"CONFIRM": name, "SEED": SEED if sandbox.kind.with_uv else ""}
        return super().diagnose(sandbox, status)

    def check_fixed(self, cause, broken, fixed, sandbox):
        with open_sandbox("healthy", sandbox.database, Path(tempfile.mkdtemp(dir=sandbox.place.directory))) as healthy:
            ignore = {"users_user"}  # hashed passwords have a random salt
            assert healthy.snapshot(ignore).difference(fixed, ignore=ignore) == []

    def test_healthy_project_is_told_healthy_and_left_alone(self, database, tmp_path):
        with open_sandbox("healthy", database, tmp_path) as sandbox:
            self.fix(sandbox, self.diagnose(sandbox))
            before, files = sandbox.snapshot(), sandbox.files()
            inputs = self.diagnose(sandbox, status=0)
            assert "Nothing to do" in self.fix(sandbox, inputs)
            assert before.difference(sandbox.snapshot()) == [] and sandbox.files() == files

    def test_what_a_reset_leaves_behind_is_listed(self, database, tmp_path):
        with open_sandbox(self.slug, database, tmp_path) as sandbox:
            output = self.step(sandbox, "diagnose").output
        assert "  fees_invoice: 50 rows" in output
        assert "  fees_fine: a table of no model" in output
        assert "  fees.0013_fine: recorded, and no file of it is here" in output
        assert "CONFIRM=" not in output, "the name must be typed by a person where DEBUG is False"

    def test_refusals_change_nothing(self, database, tmp_path):
        with open_sandbox(self.slug, database, tmp_path) as sandbox:
            found, before = self.diagnose(sandbox), sandbox.snapshot()
            for inputs in (
                {"CONFIRM": "", "SEED": SEED},
                {"CONFIRM": "production", "SEED": SEED},
                {"SEED": "rm -rf /"},
                {"SEED": "seed_school --students nonsense"},
            ):
                done = self.step(sandbox, "fix", {**found, **inputs})
                told = f"{inputs}: {done.output}"
                assert done.status == 1 and "the database in use was not changed" in done.stderr, told
                assert "Traceback" not in done.output, told
                assert before.difference(sandbox.snapshot()) == [], inputs

    def test_database_of_somebody_else_under_our_name_is_not_dropped(self, database, tmp_path):
        if database == "sqlite":
            pytest.skip("on SQLite the name is that of a file beside the project's own")
        with open_sandbox(self.slug, database, tmp_path) as sandbox:
            inputs, name = self.diagnose(sandbox), f"{sandbox.place.database}_resetting"
            sandbox.execute(f"CREATE DATABASE {name}")
            if database == "postgresql":
                comment = sandbox.execute(f"COMMENT ON DATABASE {name} IS 'mine'")
                assert comment == []
            done = self.step(sandbox, "fix", inputs)
            assert done.status == 1 and f"there is a database {name}" in done.stderr, done.output
            listed = "SELECT datname FROM pg_database" if database == "postgresql" else "SHOW DATABASES"
            assert (name,) in sandbox.execute(listed)

    def test_debug_settings_need_no_confirmation(self, database, tmp_path):
        with open_sandbox(self.slug, database, tmp_path) as sandbox:
            settings = sandbox.project / "acharya" / "settings.py"
            settings.write_text(settings.read_text().replace("DEBUG = False", "DEBUG = True"))
            assert "\nCONFIRM=\n" in self.step(sandbox, "diagnose").output
            assert self.step(sandbox, "fix", {"CONFIRM": "", "SEED": ""}).status == 0
            assert sandbox.execute("SELECT count(*) FROM fees_invoice") == [(0,)]

    def test_somebody_connected_is_named_and_nothing_changes(self, database, tmp_path):
        with open_sandbox(self.slug, database, tmp_path) as sandbox:
            inputs, before = self.diagnose(sandbox), sandbox.snapshot()
            with closing(self.somebody(sandbox)):
                done = self.step(sandbox, "fix", inputs)
            assert done.status == 1, done.output
            assert ("has db.sqlite3 open" if database == "sqlite" else "somebody is connected to") in done.stderr
            assert before.difference(sandbox.snapshot()) == []
            self.fix(sandbox, inputs)

    def somebody(self, sandbox):
        if sandbox.database != "sqlite":
            connection = sandbox.connect()
            connection.cursor().execute("SELECT 1")
            return connection
        holder = "import sys; file = open('db.sqlite3'); print('open', flush=True); sys.stdin.read()"
        process = subprocess.Popen(
            ["python3", "-c", holder], cwd=sandbox.project, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert process.stdout.readline() == "open\n"
        process.close = lambda: process.communicate("")
        return process

    def test_superuser_comes_from_the_environment(self, database, tmp_path):
        with open_sandbox(self.slug, database, tmp_path) as sandbox:
            inputs = {**self.diagnose(sandbox), "SEED": ""}
            who = {"USERNAME": "principal", "EMAIL": "p@example.com", "PASSWORD": "correct-horse-7"}
            variables = {f"DJANGO_SUPERUSER_{name}": value for name, value in who.items()}
            output = self.fix(sandbox, inputs | variables)
            assert who["PASSWORD"] not in output
            assert sandbox.execute("SELECT username FROM users_user") == [("principal",)]
            check = "from django.contrib.auth import authenticate; print(authenticate(username='principal', password='correct-horse-7'))"
            assert "principal" in sandbox.manage("shell", "-v", "0", "-c", check).output

    def test_fresh_database_works_and_work_in_it_survives_undo(self, database, tmp_path):
        with open_sandbox(self.slug, database, tmp_path) as sandbox:
            broken, inputs = sandbox.snapshot(), self.diagnose(sandbox)
            self.fix(sandbox, inputs)
            made = sandbox.manage("shell", "-v", "0", "-c", "from fees.models import FeeHead; FeeHead.objects.create(name='Lab', amount=1)")
            assert made.status == 0, made.output
            fresh = sandbox.snapshot()
            assert self.step(sandbox, "undo", inputs).status == 0
            assert broken.difference(sandbox.snapshot()) == []
            assert "Nothing to undo" in self.step(sandbox, "undo", inputs).output
            self.fix(sandbox, inputs)
            assert fresh.difference(sandbox.snapshot(), ignore={"users_user"}) != []
            assert self.step(sandbox, "undo", inputs).status == 0
            assert broken.difference(sandbox.snapshot()) == []

    def opened(self, database, directory):
        """On servers the library, whose short history is soon built: how databases change places is the same for both."""
        if database == "sqlite":
            return super().opened(database, directory)
        library = open_library(database, directory)
        self.break_other_project(library)
        return library

    def check_finished(self, broken, sandbox):
        if sandbox.database == "sqlite":
            super().check_finished(broken, sandbox)
        else:
            self.check_other_project(broken, sandbox.snapshot(), sandbox)

    def kill_points(self, changes):
        """Every change of files and names; of the building of a database that nobody uses yet, some."""
        swap = ("os.", "write", "sql 'ALTER DATABASE", "sql 'CREATE DATABASE", "sql 'DROP DATABASE", "sql 'RENAME TABLE", "sql 'COMMENT", "sql 'COMMIT")
        numbered = list(enumerate(changes, 1))
        exchange = {number for number, change in numbered if change.startswith(swap)}
        building = [number for number, _ in numbered if number not in exchange][1:]
        return sorted(exchange | set(building[:: max(1, len(building) // BUILDING)]))

    def test_runbook_run_repairs_and_undoes(self, database, tmp_path):
        with open_sandbox(self.slug, database, tmp_path) as sandbox:
            asked = sandbox.run("runbook", "run", self.slug, "--apply", "--yes")
            assert asked.status != 0 and "CONFIRM" in asked.output, "the name must be given by a person"
            self.diagnose(sandbox)
            settings = [part for name, value in self.extra_inputs.items() for part in ("--set", f"{name}={value}")]
            broken, files = sandbox.snapshot(), sandbox.files()
            done = sandbox.run("runbook", "run", self.slug, "--apply", "--yes", *settings)
            assert done.status == 0, done.output
            self.check_fixed("", broken, sandbox.snapshot(), sandbox)
            undone = sandbox.run("runbook", "undo", "last")
            assert undone.status == 0, undone.output
            assert broken.difference(sandbox.snapshot()) == [] and sandbox.files() == files

    def break_other_project(self, library):
        library.execute("DELETE FROM loans_reservation")

    def check_other_project(self, broken, fixed, library):
        assert library.execute("SELECT count(*) FROM catalog_book") == [(0,)], "the library's SEED is empty"
        assert library.manage("migrate", "--check").status == 0

from __future__ import annotations

from contextlib import nullcontext, suppress
from threading import Thread

import proof
import pytest
from migration_runbooks.paths import DOCS
from migration_runbooks.worlds import open_sandbox
from proof import RunbookProof

SECRET = "UPDATE fees_payment SET receipt_number = 'top secret 4711' WHERE id = 1"
LONGER_THAN_A_REQUEST = "SELECT pg_sleep(1.2)", "SELECT SLEEP(1.2)"


class OtherSession:
    """A session that left its transaction open; it belongs to the test's own process and ends with it."""

    def __init__(self, sandbox, statement="SELECT COUNT(*) FROM fees_invoice"):
        self.connection, self.sandbox = sandbox.connect(), sandbox
        self.execute("START TRANSACTION" if sandbox.database == "mariadb" else "BEGIN")
        self.execute(statement)
        sandbox.execute(LONGER_THAN_A_REQUEST[sandbox.database == "mariadb"])

    def execute(self, statement):
        cursor = self.connection.cursor()
        cursor.execute(statement)
        return cursor.fetchall() if cursor.description else []

    def is_alive(self) -> bool:
        try:
            return self.execute("SELECT 1")[0] == (1,)
        except Exception:
            return False

    def close(self):
        with suppress(Exception):
            self.connection.close()


class TestEndBlockingSession(RunbookProof):
    slug = "end-blocking-session"
    errors = {
        "postgresql": "django.db.utils.OperationalError: canceling statement due to lock timeout",
        "mariadb": "django.db.utils.OperationalError: (1205, 'Lock wait timeout exceeded; try restarting transaction')",
    }

    @pytest.fixture(autouse=True)
    def sessions(self, monkeypatch):
        """In each sandbox of the broken world another session blocks: a world can't keep one."""
        self.opened = []

        def open_blocked(world, *arguments):
            sandbox = open_sandbox(world, *arguments)
            if world == self.slug:
                self.block(sandbox)
            return sandbox

        monkeypatch.setattr(proof, "open_sandbox", open_blocked)
        yield
        for session in self.opened:
            session.close()

    def block(self, sandbox, *statement) -> OtherSession:
        session, close = OtherSession(sandbox, *statement), sandbox.close
        sandbox.close = lambda: (session.close(), close())  # MariaDB drops no table that somebody reads
        self.opened.append(session)
        return session

    def check_fixed(self, cause, broken, fixed, sandbox):
        assert broken.difference(fixed) == []
        assert not self.opened[-1].is_alive()
        assert sandbox.manage("migrate", "--plan").status == 0

    def copy(self, sandbox, directory):
        """The same: a copy has no session that blocks."""
        return nullcontext(sandbox)

    def kill_at_every_change(self, *_):
        """See the next test."""

    def test_killed_at_every_change(self, database, tmp_path):
        """There is one change: the session ends or it does not."""
        with proof.open_sandbox(self.slug, database, tmp_path) as sandbox:
            inputs = self.diagnose(sandbox)
            assert self.killed(sandbox, "fix", inputs, kill_at=0) == 0
            changes = (sandbox.place.directory / "changes").read_text().splitlines()
            assert [each for each in changes if each != "command"] == (["sql 'KILL CONNECTION %s'"] if database == "mariadb" else [])
            self.fix(sandbox, inputs)

    def test_page_block_by_block_ends_where_the_scripts_end(self, database, tmp_path):
        from migration_runbooks.pages.run_page import run_page

        with open_sandbox(self.slug, database, tmp_path) as sandbox:
            before, files = sandbox.snapshot(), sandbox.files()
            results = run_page(DOCS / "runbooks" / f"{self.slug}.md", database, sandbox)
            assert [f"{each.where}: {each.reason}" for each in results if each.result in ("failed", "blocked")] == []
            assert before.difference(sandbox.snapshot()) == [] and sandbox.files() == files

    def test_migrate_after_the_fix_has_its_lock(self, database, tmp_path):
        with proof.open_sandbox(self.slug, database, tmp_path) as sandbox:
            assert sandbox.manage("migrate").status != 0
            self.fix(sandbox, self.diagnose(sandbox))
            assert sandbox.manage("migrate").status == 0

    def test_exactly_the_chosen_one_of_two_ends_and_its_uncommitted_work_with_it(self, database, tmp_path):
        with proof.open_sandbox(self.slug, database, tmp_path) as sandbox:
            before = sandbox.snapshot()
            first = self.opened[-1]
            second = self.block(sandbox, SECRET)
            found = [line for line in self.step(sandbox, "diagnose").stdout.splitlines() if line.startswith("SESSION=")]
            assert len(found) == 2
            inputs = {"SESSION": found[1].removeprefix("SESSION=")}
            self.fix(sandbox, inputs)
            self.verify(sandbox, inputs, status=1)  # for the first one
            assert first.is_alive() and not second.is_alive()
            assert before.difference(sandbox.snapshot()) == []

    def test_two_sessions_need_a_choice(self, database, tmp_path):
        with proof.open_sandbox(self.slug, database, tmp_path) as sandbox:
            self.block(sandbox)
            done = sandbox.run("runbook", "run", self.slug, "--apply", "--yes")
            assert done.status == 1 and "Choose with --set SESSION=VALUE" in done.output, done.output
            assert all(session.is_alive() for session in self.opened)

    def test_values_in_a_statement_are_not_shown(self, database, tmp_path):
        with open_sandbox(self.slug, database, tmp_path) as sandbox:
            self.block(sandbox, SECRET)
            done = self.step(sandbox, "diagnose")
            assert done.status == 1 and "secret" not in done.output and "4711" not in done.stdout.split("SESSION=")[0].split("statement")[-1]
            if database == "postgresql":
                assert "its last statement: UPDATE fees_payment SET receipt_number = ? WHERE id = ?" in done.output
                assert "locks: fees_payment RowExclusiveLock" in done.output

    def test_session_at_work_that_nobody_waits_for_stays(self, database, tmp_path):
        with proof.open_sandbox(self.slug, database, tmp_path) as sandbox:
            inputs, session = self.diagnose(sandbox), self.opened[-1]
            session.execute("SELECT 1")  # now it is idle for less than a second
            busy = "SELECT pg_sleep(6)" if database == "postgresql" else "SELECT SLEEP(6)"
            thread = Thread(target=session.execute, args=[busy])
            thread.start()
            done = self.step(sandbox, "fix", inputs)
            thread.join()
            assert done.status == 1 and "at work and nobody waits" in done.stderr, done.output
            assert session.is_alive()

    @pytest.mark.parametrize("value", ["", "0", "1; DROP TABLE fees_payment", "-1", "all"])
    def test_odd_values_are_refused(self, database, value, tmp_path):
        with open_sandbox(self.slug, database, tmp_path) as sandbox:
            done = self.step(sandbox, "fix", {"SESSION": value})
            assert done.status == 1 and "Refused, nothing was changed" in done.stderr

    def test_number_that_another_session_has_by_now_is_not_ended(self, database, tmp_path):
        if database == "mariadb":
            pytest.skip("MariaDB gives a connection id once")
        with proof.open_sandbox(self.slug, database, tmp_path) as sandbox:
            number, _, began = self.diagnose(sandbox)["SESSION"].partition("@")
            assert "Nothing to do" in self.fix(sandbox, {"SESSION": f"{number}@{int(began) - 1}"})
            assert self.opened[-1].is_alive()

    def break_other_project(self, library):
        self.block(library, "SELECT COUNT(*) FROM loans_loan")

    def check_other_project(self, broken, fixed, library):
        assert broken.difference(fixed) == [] and not self.opened[-1].is_alive()

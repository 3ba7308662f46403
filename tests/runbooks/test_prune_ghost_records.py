from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest
from migration_runbooks.worlds import open_sandbox
from proof import RunbookProof, one_database

KEPT = "runbook_pruned_migrations"
GHOST = "fees.0013_payment_channel"
APPLIED = ("fees", "0013_payment_channel")
COMMANDS = {"": ("migrate", *APPLIED), "removed-app": ("migrate", "transport")}
SQUASH = "attendance/migrations/0001_squashed_0003_one_record_per_student_and_day.py"
COMMIT = "git init -q -b side && git add -A && git -c user.name=a -c user.email=a@b commit -qm x && git checkout -q -b main"


def records(snapshot):
    return set(snapshot.rows["django_migrations"])


class TestPruneGhostRecords(RunbookProof):
    slug = "prune-ghost-records"
    errors = {
        "": "CommandError: Cannot find a migration matching '0013_payment_channel' from app 'fees'.",
        "removed-app": "CommandError: No installed app with label 'transport'.",
    }

    @pytest.fixture(autouse=True)
    def name_what_is_gone(self, request):
        self.command = COMMANDS[request.node.callspec.params.get("cause", "")]

    def check_fixed(self, cause, broken, fixed, sandbox):
        gone = {("transport", "0001_initial"), ("transport", "0002_bus_driver")} if cause else {APPLIED}
        assert records(broken) - records(fixed) == gone and records(fixed) <= records(broken)
        assert broken.difference(fixed, ignore={"django_migrations", KEPT}) == []
        assert sandbox.manage("migrate", "--check").status == 0

    def stays(self, sandbox, *reasons, ghosts=GHOST):
        before = sandbox.snapshot()
        done = self.step(sandbox, "diagnose")
        assert done.status == 2 and all(each in done.output for each in reasons) and "GHOSTS=" not in done.output, done.output
        self.refused(sandbox, "has to stay", ghosts)
        assert before.difference(sandbox.snapshot()) == []

    def refused(self, sandbox, reason, ghosts):
        before = records(sandbox.snapshot())
        done = self.step(sandbox, "fix", {"GHOSTS": ghosts})
        assert done.status == 1 and "Refused, nothing was changed" in done.stderr and reason in done.stderr, done.output
        assert records(sandbox.snapshot()) == before

    def test_record_stays_while_the_database_has_what_the_files_do_not_say(self, database, tmp_path):
        with open_sandbox(self.slug, database, tmp_path) as sandbox:
            renamed = sandbox.project / "fees/migrations/0013_channel_of_payment.py"
            text = renamed.read_text()
            renamed.write_text(text.replace("max_length=20", "max_length=30"))
            if database != "sqlite":
                self.stays(sandbox, "column fees_payment.channel takes 20 characters, and the files say 30")
            renamed.write_text(text.replace("max_length=20", "max_length=20, null=True"))
            self.stays(sandbox, "column fees_payment.channel may not be empty, and the files say otherwise")
            renamed.write_text(text.replace('"channel"', '"way"').replace("'channel'", "'way'"))
            self.stays(sandbox, "no column fees_payment.way", "column fees_payment.channel is in no file")
            renamed.unlink()
            self.stays(sandbox, f"{GHOST} is recorded and has no file", "column fees_payment.channel is in no file")

    @one_database
    def test_record_stays_while_a_branch_has_the_file(self, database, tmp_path):
        with open_sandbox(self.slug, database, tmp_path) as sandbox:
            folder = sandbox.project / "fees/migrations"
            renamed = (folder / "0013_channel_of_payment.py").rename(folder / "0013_payment_channel.py")
            assert sandbox.run("bash", "-c", COMMIT).status == 0
            renamed.rename(folder / "0013_channel_of_payment.py")
            assert sandbox.run("bash", "-c", "git add -A && git -c user.name=a -c user.email=a@b commit -qm y").status == 0
            self.stays(sandbox, "its file is on refs/heads/side")

    def test_a_machine_without_git_has_no_branches(self, database, tmp_path):
        with open_sandbox(self.slug, database, tmp_path) as sandbox:
            (tmp_path / "bin").mkdir()
            for command in (file for folder in sandbox.environment["PATH"].split(":") for file in Path(folder).glob("*") if file.name != "git"):
                with suppress(FileExistsError):
                    (tmp_path / "bin" / command.name).symlink_to(command)
            done = self.step(sandbox, "diagnose", {"PATH": str(tmp_path / "bin")})
            assert done.status == 1 and f"GHOSTS={GHOST}" in done.stdout, done.output

    def test_records_of_a_removed_app_stay_while_its_tables_are_there(self, database, tmp_path):
        with open_sandbox(f"{self.slug}:removed-app", database, tmp_path) as sandbox:
            sandbox.execute("CREATE TABLE transport_bus (id integer)")
            self.stays(sandbox, "table transport_bus is in no file", ghosts="transport.0001_initial")

    @one_database
    def test_what_has_a_file_or_was_squashed_is_no_ghost(self, database, tmp_path):
        with open_sandbox("healthy", database, tmp_path) as sandbox:
            for name in ("0001_initial", "0002_record_marked_by", "0003_one_record_per_student_and_day"):
                (sandbox.project / f"attendance/migrations/{name}.py").unlink()
            self.refused(sandbox, "fees.0012_invoice_discount has a file", "fees.0012_invoice_discount")
            self.refused(sandbox, "was squashed", "attendance.0001_initial attendance.0002_record_marked_by")
            self.refused(sandbox, "fees.0099_gone is not recorded", "fees.0099_gone")
            assert self.step(sandbox, "diagnose").status == 0
            file = sandbox.project / SQUASH
            file.write_text(file.read_text().replace("replaces = ", "once_replaced = "))
            for later in (sandbox.project / "attendance/migrations").glob("0004_*.py"):
                later.write_text(later.read_text().replace('"0003_one_record_per_student_and_day"', f'"{file.stem}"'))
            assert self.step(sandbox, "diagnose").status == 0
            self.refused(sandbox, "was squashed", "attendance.0001_initial")

    @one_database
    def test_wrong_database_gets_a_message_and_undo_without_a_fix_does_nothing(self, database, tmp_path):
        with open_sandbox("healthy", database, tmp_path) as sandbox:
            done = self.step(sandbox, "diagnose", {"RUNBOOK_DATABASE": "nowhere"})
            assert done.status == 2 and "Nothing was changed" in done.stderr and "Traceback" not in done.output
            done = self.step(sandbox, "undo")
            assert done.status == 0 and done.stdout == "Nothing to undo.\n"

    def break_other_project(self, library):
        done = library.manage("shell", "-v", "0", "-c", (
            "from django.db import connection\n"
            "from django.db.migrations.recorder import MigrationRecorder\n"
            "MigrationRecorder(connection).record_applied('loans', '0004_fines')"
        ))
        assert done.status == 0, done.output

    def check_other_project(self, broken, fixed, library):
        assert records(broken) - records(fixed) == {("loans", "0004_fines")}
        assert broken.difference(fixed, ignore={"django_migrations", KEPT}) == []

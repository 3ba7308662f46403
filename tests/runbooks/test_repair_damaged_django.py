from __future__ import annotations

import json
import subprocess
import sys

from migration_runbooks.paths import RUNBOOKS
from migration_runbooks.worlds import open_sandbox
from proof import RunbookProof

ENGINE = ("autodetector", "executor", "graph", "loader", "migration", "operations/base", "operations/models")
FIND = ("find", ".", "-path", "*/migrations/*.py", "-not", "-name", "__init__.py", "-delete")


def django(sandbox):
    return next((sandbox.project / ".venv").glob("lib/python*/site-packages/django"))


class TestRepairDamagedDjango(RunbookProof):
    slug = "repair-damaged-django"
    errors = {"": "ModuleNotFoundError: No module named 'django.db.migrations.migration'"}

    def diagnose(self, sandbox, status: int = 1):
        assert str(sandbox.place.directory) in sandbox.environment["VIRTUAL_ENV"], "never the environment of the tests"
        return super().diagnose(sandbox, status)

    def check_fixed(self, cause, broken, fixed, sandbox):
        assert broken.difference(fixed) == []
        assert all((django(sandbox) / "db" / "migrations" / f"{name}.py").is_file() for name in ENGINE)
        files = sandbox.files()
        assert {"fees/migrations/0012_invoice_discount.py", "users/migrations/0001_initial.py"} <= files.keys()
        assert subprocess.run(["git", "diff", "--quiet", "HEAD"], cwd=sandbox.project).returncode == 0
        for command in (("migrate", "--check"), ("makemigrations", "--check"), ("check",)):
            # The first writes Django's bytecode, which went with the damaged packages, as for a developer.
            done = sandbox.run(*sandbox.kind.manage, *command, PYTHONDONTWRITEBYTECODE="")
            assert done.status == 0, done.output

    def test_healthy_project_is_told_healthy_and_left_alone(self, database, tmp_path):
        """The healthy world shares the environment of the tests: only diagnose runs there, and it reads."""
        with open_sandbox("healthy", database, tmp_path) as sandbox:
            done = self.step(sandbox, "diagnose")
            assert done.status == 0 and "No file of any package is missing." in done.output, done.output
            assert self.step(sandbox, "verify").status == 0
            assert "Nothing to do" in self.step(sandbox, "fix", {"PACKAGES": "django==1.0"}).output

    def test_every_command_of_the_installers_finds_nothing_wrong(self, tmp_path, database):
        with open_sandbox(self.slug, database, tmp_path) as sandbox:
            for command in (["uv", "pip", "check"], ["uv", "pip", "install", f"django=={version()}"]):
                done = sandbox.run(*command)
                assert done.status == 0, done.output
            assert sandbox.manage("check").status == 1, "and Django is as damaged as before"

    def test_runbook_run_repairs_and_undoes(self, database, tmp_path):
        """Without Django there is no database to ask or to back up; the rest is as for every runbook."""
        super().test_runbook_run_repairs_and_undoes(database, tmp_path / "whole")
        with open_sandbox(self.slug, database, tmp_path / "cut") as sandbox:
            missing = django(sandbox) / "db" / "migrations" / "migration.py"
            done = sandbox.run("runbook", "run", self.slug, "--apply", "--yes")
            assert done.status == 0 and "back up" not in done.output, done.output
            assert "Healthy" in sandbox.run("runbook", "run", self.slug).output
            kept = sandbox.run("runbook", "undo", "last")
            assert kept.status == 1 and "has no undo" in kept.output and "Copies of the files" in kept.output

            (journal,) = sandbox.project.glob(".runbook/runs/*/journal.jsonl")
            lines = journal.read_text().splitlines(keepends=True)
            steps = [each["step"] for each in map(json.loads, lines) if each["event"] == "finished"]
            assert steps == ["diagnose", "copy", "fix", "verify"]
            until = next(number for number, line in enumerate(lines) if '"started"' in line and '"fix"' in line)
            journal.write_text("".join(lines[: until + 1]))  # what a kill in the fix leaves
            missing.unlink()
            resumed = sandbox.run("runbook", "resume", "last")
            assert resumed.status == 0 and missing.is_file(), resumed.output

    def test_runbook_run_on_a_database_is_refused(self, database, tmp_path):
        with open_sandbox(self.slug, database, tmp_path) as sandbox:
            done = sandbox.run("runbook", "run", self.slug, "--database", "other")
            assert done.status == 2 and "touches no database" in done.output, done.output

    def test_values_that_are_not_what_diagnose_finds_are_refused(self, database, tmp_path):
        with open_sandbox(self.slug, database, tmp_path) as sandbox:
            found, files = self.diagnose(sandbox), sandbox.files()
            for inputs in ({"PACKAGES": "django==1.0"}, {"PACKAGES": ""}, {"PACKAGES": "asgiref==3.0"}, {"ENVIRONMENT": "nowhere"}):
                done = self.step(sandbox, "fix", {**found, **inputs})
                told = f"{inputs}: {done.output}"
                assert done.status == 1 and "Refused, nothing was changed" in done.stderr and "Traceback" not in done.output, told
                assert sandbox.files() == files, inputs
                assert self.diagnose(sandbox) == found, inputs

    def test_folder_that_is_left_out_stays_deleted(self, database, tmp_path):
        with open_sandbox(self.slug, database, tmp_path) as sandbox:
            self.fix(sandbox, {**self.diagnose(sandbox), "RESTORE": "users/migrations"})
            assert "users/migrations/0001_initial.py" in sandbox.files()
            assert "fees/migrations/0001_initial.py" not in sandbox.files()

    def test_without_git_it_says_so_and_repairs_the_packages(self, database, tmp_path):
        with open_sandbox(self.slug, database, tmp_path) as sandbox:
            (sandbox.project / ".git").rename(sandbox.place.directory / "git")
            done = self.step(sandbox, "diagnose")
            assert "This project is not under git" in done.output
            inputs = self.diagnose(sandbox)
            assert inputs["RESTORE"] == ""
            self.fix(sandbox, inputs)
            assert (django(sandbox) / "db" / "migrations" / "migration.py").is_file()

    def test_package_whose_record_was_lost_by_a_kill_is_found_again(self, database, tmp_path):
        with open_sandbox(self.slug, database, tmp_path) as sandbox:
            inputs = self.diagnose(sandbox)
            for info in django(sandbox).parent.glob("django-*.dist-info"):
                (info / "RECORD").unlink()
                (info / "METADATA").unlink()
                info.rename(sandbox.place.directory / "info")
            assert self.step(sandbox, "diagnose").status == 2, "without a trace of Django it can't tell"
            begun = sandbox.project / ".runbook" / self.slug / "begun"
            begun.write_text(inputs["PACKAGES"])
            assert self.diagnose(sandbox)["PACKAGES"] == inputs["PACKAGES"]
            self.fix(sandbox, inputs)
            self.verify(sandbox, inputs)

    def test_changed_file_is_named_and_not_called_missing(self, database, tmp_path):
        with open_sandbox(self.slug, database, tmp_path) as sandbox:
            self.fix(sandbox, self.diagnose(sandbox))
            file = django(sandbox) / "shortcuts.py"
            text = file.read_text()
            file.unlink()
            file.write_text(text + "# patched\n")
            done = self.step(sandbox, "diagnose")
            assert done.status == 0 and "1 files were changed: django/shortcuts.py" in done.output

    def break_other_project(self, library):
        """The library has no uv: its environment, made here inside its folder, has pip."""
        helper = RUNBOOKS / self.slug / "reproduce_environment.py"
        subprocess.run([sys.executable, helper, "with-pip"], cwd=library.project, check=True)
        done = library.run(*FIND)
        assert done.status == 0 and library.environment["VIRTUAL_ENV"] == str(library.project / ".venv")
        assert "ModuleNotFoundError" in library.manage("migrate").output

    def check_other_project(self, broken, fixed, library):
        assert broken.difference(fixed) == []
        assert "loans/migrations/0001_initial.py" in library.files()
        migrated = library.manage("migrate", "--check")
        assert migrated.status == 0, migrated.output


def version() -> str:
    import django

    return django.__version__

from __future__ import annotations

import pytest
from migration_runbooks.paths import RUNBOOKS
from migration_runbooks.worlds import open_sandbox
from proof import RunbookProof, one_database

LOST = "fees/migrations/0009_scholarship.py"
RENAMED = "fees/migrations/0009_add_scholarships.py"
ERROR = (
    "django.db.migrations.exceptions.NodeNotFoundError: Migration {} dependencies reference nonexistent parent node {}"
)
GIT = ("git", "-c", "user.name=Developer", "-c", "user.email=developer@example.com")
BRING_BACK = {"PARENT_APP": "fees", "PARENT": "0009_scholarship", "REPAIR": "restore", "SOURCE": "HEAD~1"}


def commit(sandbox, message):
    assert sandbox.run(*GIT, "add", "--all").status == 0
    assert sandbox.run(*GIT, "commit", "--quiet", "--message", message).status == 0


def edit(sandbox, name, old, new):
    file = sandbox.project / name
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))


class TestRestoreMissingMigration(RunbookProof):
    slug = "restore-missing-migration"
    errors = {"": ERROR.format("fees.0010_invoice_student_due_index", "('fees', '0009_scholarship')")}

    def check_fixed(self, cause, broken, fixed, sandbox):
        assert broken.difference(fixed) == []
        files = sandbox.files()
        assert RENAMED not in files
        assert files[LOST] == sandbox.run("git", "show", f"HEAD~1:{LOST}").stdout, "byte for byte"
        for command in (("migrate", "--check"), ("makemigrations", "--check")):
            done = sandbox.manage(*command)
            assert done.status == 0, done.output

    def refused(self, sandbox, inputs, reason):
        files = sandbox.files()
        done = self.step(sandbox, "fix", inputs)
        assert done.status == 1 and "Refused, nothing was changed" in done.stderr and reason in done.stderr, done.output
        assert sandbox.files() == files

    def cannot_tell(self, sandbox, *texts):
        done = self.step(sandbox, "diagnose")
        assert done.status == 2 and all(text in done.output for text in texts), done.output
        assert "Traceback" not in done.output

    @one_database
    @pytest.mark.parametrize("inputs, reason", [
        ({"PARENT": "0001_initial"}, "fees.0001_initial is not missing"),
        ({"PARENT_APP": "nowhere"}, "nowhere.0009_scholarship is not missing"),
        ({"SOURCE": "HEAD"}, "no commit that has fees/migrations/0009_scholarship.py"),
        ({"SOURCE": ""}, "no commit that has"),
        ({"REPAIR": "guess"}, "REPAIR is restore, rename or repoint"),
        ({"REPAIR": "rename", "SOURCE": "0009_gone"}, "not a migration that fees has"),
        ({"REPAIR": "rename", "SOURCE": "0008_payment_amount_positive"}, "is recorded in this database"),
        ({"REPAIR": "repoint", "SOURCE": "0012_invoice_discount"}, "would close a ring"),
    ])
    def test_values_that_fit_nothing_are_refused(self, database, inputs, reason, tmp_path):
        with open_sandbox(self.slug, database, tmp_path) as sandbox:
            self.refused(sandbox, {**BRING_BACK, **inputs}, reason)

    @one_database
    def test_two_files_in_a_row_come_back_in_one_run(self, database, tmp_path):
        with open_sandbox(self.slug, database, tmp_path) as sandbox:
            (sandbox.project / "fees/migrations/0008_payment_amount_positive.py").unlink()
            commit(sandbox, "Remove another one")
            files = sandbox.files()
            inputs = self.diagnose(sandbox)
            self.fix(sandbox, inputs)
            self.verify(sandbox, inputs)
            assert sandbox.manage("migrate", "--check").status == 0
            assert self.step(sandbox, "undo", inputs).status == 0
            assert sandbox.files() == files

    @one_database
    def test_folder_that_was_deleted_comes_back(self, database, tmp_path):
        with open_sandbox(self.slug, database, tmp_path) as sandbox:
            self.fix(sandbox, self.diagnose(sandbox))
            kept = sandbox.files()
            for file in (sandbox.project / "students/migrations").glob("*.py"):
                file.unlink()
            inputs = self.diagnose(sandbox)
            assert inputs["PARENT_APP"] == "students"
            self.fix(sandbox, inputs)
            back = {name for name in sandbox.files() if name.startswith("students/migrations")}
            assert {"students/migrations/__init__.py", "students/migrations/0001_initial.py"} <= back
            assert all(sandbox.files()[name] == kept[name] for name in back)

    @one_database
    def test_renamed_file_that_was_recorded_keeps_its_new_name(self, database, tmp_path):
        with open_sandbox(f"{self.slug}:renamed", database, tmp_path) as sandbox:
            sandbox.execute("UPDATE django_migrations SET name = '0009_add_scholarships' WHERE name = '0009_scholarship'")
            inputs = self.diagnose(sandbox)
            assert (inputs["REPAIR"], inputs["SOURCE"]) == ("repoint", "0009_add_scholarships")
            self.fix(sandbox, inputs)
            self.verify(sandbox, inputs)
            assert '("fees", "0009_add_scholarships")' in sandbox.files()["fees/migrations/0010_invoice_student_due_index.py"]
            assert sandbox.manage("migrate", "--check").status == 0

    @one_database
    def test_file_that_was_renamed_and_edited_is_for_a_person(self, database, tmp_path):
        with open_sandbox(f"{self.slug}:renamed", database, tmp_path) as sandbox:
            edit(sandbox, RENAMED, '        ("students", "0008_one_class_per_name_and_year"),\n', "")
            self.cannot_tell(sandbox, "0009_add_scholarships makes the same tables or columns", "REPAIR=rename")

    @one_database
    def test_name_that_a_package_does_not_ship_is_not_guessed(self, database, tmp_path):
        with open_sandbox("healthy", database, tmp_path) as sandbox:
            edit(sandbox, "fees/migrations/0012_invoice_discount.py", "dependencies = [", 'dependencies = [("auth", "0099_gone"), ')
            last = sandbox.manage("migrate").output.strip().splitlines()[-1]
            assert last == ERROR.format("fees.0012_invoice_discount", "('auth', '0099_gone')")
            self.cannot_tell(sandbox, "The package of auth does not ship it", "0012_alter_user_first_name_max_length", "REPAIR=repoint")
            chosen = {"PARENT_APP": "auth", "PARENT": "0099_gone", "REPAIR": "repoint"}
            self.refused(sandbox, {**chosen, "SOURCE": "0098_also_gone"}, "not a migration that auth has")
            self.refused(sandbox, {**chosen, "REPAIR": "restore", "SOURCE": "HEAD"}, "would lie in an installed package")
            self.fix(sandbox, {**chosen, "SOURCE": "0012_alter_user_first_name_max_length"})
            assert sandbox.manage("migrate", "--check").status == 0

    @one_database
    def test_app_that_is_not_installed_is_named(self, database, tmp_path):
        with open_sandbox("healthy", database, tmp_path) as sandbox:
            edit(sandbox, "fees/migrations/0012_invoice_discount.py", "dependencies = [", 'dependencies = [("library", "0001_initial"), ')
            last = sandbox.manage("migrate").output.strip().splitlines()[-1]
            assert last == ERROR.format("fees.0012_invoice_discount", "('library', '0001_initial')")
            self.cannot_tell(sandbox, "The app library is not in INSTALLED_APPS", "put it back")

    @one_database
    def test_file_that_git_never_had_is_not_made_up(self, database, tmp_path):
        with open_sandbox("healthy", database, tmp_path) as sandbox:
            (sandbox.project / LOST).unlink()
            self.cannot_tell(sandbox, "This project is not under git", "it is recorded in this database", "0010_invoice_student_due_index")
            (sandbox.project / ".gitignore").write_text("0009_*\n")
            assert sandbox.run("git", "init", "--quiet").status == 0
            self.cannot_tell(sandbox, "git does not know this file", "git ignores it: .gitignore:1:0009_*", "git fetch --all")

    @one_database
    def test_clone_without_history_is_told_to_fetch_it(self, database, tmp_path):
        with open_sandbox(self.slug, database, tmp_path) as sandbox:
            (sandbox.project / ".git/shallow").write_text(sandbox.run("git", "rev-parse", "HEAD").stdout)
            self.cannot_tell(sandbox, "git fetch --unshallow")

    @one_database
    def test_undo_leaves_an_older_fix_alone(self, database, tmp_path):
        with open_sandbox(self.slug, database, tmp_path) as sandbox:
            self.fix(sandbox, self.diagnose(sandbox))
            commit(sandbox, "Bring it back")
            (sandbox.project / "fees/migrations/0008_payment_amount_positive.py").unlink()
            inputs, broken = self.diagnose(sandbox), sandbox.files()
            self.fix(sandbox, inputs)
            assert self.step(sandbox, "undo", inputs).status == 0
            assert sandbox.files() == broken and LOST in broken

    @one_database
    @pytest.mark.parametrize("slug", ["restore-missing-migration", "merge-conflicting-migrations"])
    def test_diagnose_that_can_not_run_says_so(self, database, slug, tmp_path):
        with open_sandbox("healthy", database, tmp_path) as sandbox:
            edit(sandbox, LOST, "operations = [", "operations = [[")
            done = sandbox.bash(RUNBOOKS / slug / "diagnose.sh")
            assert done.status == 2 and "Can't tell: SyntaxError" in done.output and "Traceback" not in done.output
            done = sandbox.bash(RUNBOOKS / slug / "diagnose.sh", RUNBOOK_DATABASE="nowhere")
            assert done.status == 2 and "Can't tell: ConnectionDoesNotExist" in done.output and "Traceback" not in done.output

    def break_other_project(self, library):
        assert library.run("git", "init", "--quiet").status == 0
        (library.project / ".gitignore").write_text(".runbook/\n*.sqlite3*\n__pycache__/\n")
        commit(library, "All")
        (library.project / "loans/migrations/0002_loan_returned_on.py").unlink()

    def check_other_project(self, broken, fixed, library):
        assert broken.difference(fixed) == []
        assert library.run("git", "diff", "--exit-code", "HEAD").status == 0
        assert library.manage("migrate", "--check").status == 0

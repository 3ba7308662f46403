from __future__ import annotations

from migration_runbooks.worlds import open_library, open_sandbox
from proof import RunbookProof

SIGN_IN = """
from django.contrib.admin.models import LogEntry
from django.contrib.auth import get_user_model
from django.db import connection
from django.test import Client

connection.check_constraints()
client = Client(HTTP_HOST="localhost")
print("signed in:", client.login(username="head", password="acharya"), client.get("/admin/accounts/user/2/history/").status_code)
print("rights:", get_user_model().objects.get(username="teacher1").has_perm("fees.change_invoice"))
print("log:", [str(entry.get_edited_object()) for entry in LogEntry.objects.filter(object_id="2")])
print("new:", get_user_model().objects.create_user("new").pk > 28)
"""


def done(completed):
    assert completed.status == 0, completed.output
    return completed.output


def edit(file, *changes):
    for old, new in changes:
        assert old in file.read_text(), f"{old} is not in {file}"
        file.write_text(file.read_text().replace(old, new))


def rename_in_files(project, old, new, *files):
    (project / old).rename(project / new)
    for path in files:
        edit(project / path, (old, new))


class TestRenameApp(RunbookProof):
    slug = "rename-app"
    errors = {
        "": "django.db.migrations.exceptions.InconsistentMigrationHistory: Migration admin.0001_initial is applied "
        "before its dependency accounts.0001_initial on database 'default'.",
    }
    inputs = {"OLD_APP": "users", "NEW_APP": "accounts"}
    old, new, tables = "users", "accounts", ("user", "user_groups", "user_user_permissions")

    def check_fixed(self, cause, broken, fixed, sandbox):
        self.check_renamed(broken, fixed, self.old, self.new, self.tables)
        done(sandbox.manage("migrate", "--check"))
        done(sandbox.manage("makemigrations", "--check"))

    def check_renamed(self, broken, fixed, old, new, tables):
        for table in tables:
            assert fixed.rows[f"{new}_{table}"] == broken.rows[f"{old}_{table}"]
            assert f"{old}_{table}" not in fixed.rows
        for table in ("django_migrations", "django_content_type"):
            back = sorted((tuple(old if value == new else value for value in row) for row in fixed.rows[table]), key=repr)
            assert back == broken.rows[table], f"of {table} only the label changes"
        same = broken.rows.keys() - {"django_migrations", "django_content_type", *(f"{old}_{table}" for table in tables)}
        for table in same:
            assert fixed.rows[table] == broken.rows[table], table
            schema = [line.replace(f"{old}_", f"{new}_") for line in broken.schema[table]]
            assert sorted(schema) == sorted(line.replace(f"{old}_", f"{new}_") for line in fixed.schema[table])

    def test_everyone_signs_in_and_migrate_makes_new_rows_with_new_keys(self, database, tmp_path):
        with open_sandbox(self.slug, database, tmp_path) as sandbox:
            self.fix(sandbox, self.inputs)
            done(sandbox.manage("migrate"))
            self.verify(sandbox, self.inputs)
            assert done(sandbox.manage("shell", "-v", "0", "-c", SIGN_IN)).splitlines() == [
                "signed in: True 200", "rights: True", "log: ['teacher1']", "new: True",
            ]

    def test_keeping_the_label_needs_no_change_of_the_database(self, database, tmp_path):
        with open_sandbox(self.slug, database, tmp_path) as sandbox:
            before = sandbox.snapshot()
            edit(sandbox.project / "accounts/apps.py", ('name = "accounts"', 'name = "accounts"\n    label = "users"'))
            edit(sandbox.project / "acharya/settings.py", ('"accounts.User"', '"users.User"'))
            for migration in (sandbox.project / "accounts/migrations").glob("0*.py"):
                migration.write_text(migration.read_text().replace('("accounts", ', '("users", '))
            for command in (["migrate", "--check"], ["migrate"], ["makemigrations", "--check"]):
                done(sandbox.manage(*command))
            assert self.diagnose(sandbox, status=0) == {}
            assert before.difference(sandbox.snapshot()) == []

    def test_refuses_labels_that_diagnose_did_not_find(self, tmp_path):
        with open_sandbox(self.slug, "sqlite", tmp_path) as sandbox:
            before = sandbox.snapshot()
            for wrong in ({"OLD_APP": "fees"}, {"NEW_APP": "fees"}, {"NEW_APP": "nothing"}, {"OLD_APP": "accounts", "NEW_APP": "users"}):
                refused = self.step(sandbox, "fix", self.inputs | wrong)
                assert refused.status == 1 and "Refused, nothing was changed" in refused.output
            assert self.step(sandbox, "undo", {"OLD_APP": "fees", "NEW_APP": "accounts"}).status == 1
            assert before.difference(sandbox.snapshot()) == []

    def test_app_that_no_other_depends_on_raises_no_error_and_migrate_makes_empty_tables(self, database, tmp_path):
        with open_library(database, tmp_path) as library:
            rename_in_files(library.project, "loans", "lending_desk", "lending/settings.py")
            for migration in (library.project / "lending_desk/migrations").glob("0*.py"):
                migration.write_text(migration.read_text().replace('("loans", ', '("lending_desk", '))
            assert self.diagnose(library) == {"OLD_APP": "loans", "NEW_APP": "lending_desk"}
            done(library.manage("migrate"))
            rows = library.snapshot().rows
            assert len(rows["loans_loan"]) == 10 and rows["lending_desk_loan"] == []
            told = self.step(library, "diagnose")
            assert told.status == 2 and "lending_desk has rows of its own" in told.output
            refused = self.step(library, "fix", {"OLD_APP": "loans", "NEW_APP": "lending_desk"})
            assert refused.status == 1 and "Refused, nothing was changed" in refused.output

    def test_squashed_migrations_move_too(self, tmp_path):
        with open_sandbox("healthy", "sqlite", tmp_path) as sandbox:
            before = sandbox.snapshot()
            rename_in_files(sandbox.project, "attendance", "register", "acharya/settings.py", "register/apps.py")
            for file in (sandbox.project / "register").rglob("*.py"):
                file.write_text(file.read_text().replace('("attendance", ', '("register", ').replace("from attendance.", "from register."))
            inputs = self.diagnose(sandbox)
            self.fix(sandbox, inputs)
            self.verify(sandbox, inputs)
            self.check_renamed(before, sandbox.snapshot(), "attendance", "register", ("record", "leaverequest"))
            done(sandbox.manage("migrate", "--check"))

    def test_table_with_a_name_of_its_own_keeps_it(self, tmp_path):
        with open_library("sqlite", tmp_path) as library:
            edit(library.project / "loans/models.py", ("    class Meta:\n", '    class Meta:\n        db_table = "borrowed"\n'))
            done(library.manage("makemigrations", "loans"))
            done(library.manage("migrate"))
            before = library.snapshot()
            rename_in_files(library.project, "loans", "desk", "lending/settings.py")
            for migration in (library.project / "desk/migrations").glob("0*.py"):
                migration.write_text(migration.read_text().replace("loans", "desk"))
            inputs = self.diagnose(library)
            self.fix(library, inputs)
            assert library.snapshot().rows["borrowed"] == before.rows["borrowed"]
            assert library.snapshot().rows["desk_reservation"] == before.rows["loans_reservation"]
            done(library.manage("migrate", "--check"))

    def break_other_project(self, library):
        rename_in_files(
            library.project, "catalog", "stock", "lending/settings.py", "loans/models.py", "loans/migrations/0001_initial.py",
            "loans/migrations/0003_reservation.py", "stock/migrations/0001_initial.py", "stock/migrations/0002_copy.py", "stock/migrations/0003_book_pages.py",
        )

    def check_other_project(self, broken, fixed, library):
        self.check_renamed(broken, fixed, "catalog", "stock", ("author", "book", "book_authors", "copy"))
        done(library.manage("migrate", "--check"))
        done(library.manage("makemigrations", "--check"))

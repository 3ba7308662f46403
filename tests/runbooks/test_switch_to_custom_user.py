from __future__ import annotations

import re
import signal
from types import SimpleNamespace

import pytest
from migration_runbooks.worlds import available, open_library, open_sandbox
from proof import RunbookProof, one_database

USER_TABLES = {"": "", "_groups": "_groups", "_user_permissions": "_user_permissions"}
ADOPTED = {"django_content_type", "django_migrations"}

SIGN_IN = """
from django.contrib.admin.models import LogEntry
from django.contrib.auth import get_user_model
from django.db import connection
from django.test import Client

connection.check_constraints()
client = Client(HTTP_HOST="localhost")
print("signed in:", client.login(username="head", password="acharya"))
print("users:", client.get("/admin/users/user/").status_code, "teacher:", client.get("/admin/users/user/2/history/").status_code)
teacher = get_user_model().objects.get(username="teacher1")
print("rights:", teacher.has_perm("fees.change_invoice"), teacher.has_perm("attendance.view_record"))
print("log:", [str(entry.get_edited_object()) for entry in LogEntry.objects.filter(object_id="2")])
"""

FIRST_NEW_ACCOUNT = """
from django.contrib.admin.models import LogEntry
from django.contrib.auth import get_user_model
from fees.models import Payment

User = get_user_model()
print("users:", User.objects.count())
User.objects.create_user("stranger")
print("log by:", {str(entry.user) for entry in LogEntry.objects.all()})
print("received by:", {str(payment.received_by) for payment in Payment.objects.filter(received_by=1)})
"""

READERS = {
    "readers/__init__.py": "",
    "readers/models.py": """
from django.contrib.auth.models import AbstractUser
from django.db import models


class Reader(AbstractUser):
    card_number = models.CharField(max_length=12, blank=True)
    sponsor = models.ForeignKey("self", null=True, on_delete=models.SET_NULL)
""",
    "readers/migrations/__init__.py": "",
}
TOKENS = {
    "tokens/__init__.py": "",
    "tokens/models.py": """
from django.conf import settings
from django.db import models


class Token(models.Model):
    key = models.CharField(max_length=40, primary_key=True)
    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE)
""",
    "tokens/migrations/__init__.py": "",
}
GRANT = """
from django.contrib.auth.models import Group, Permission, User
from tokens.models import Token

desk = Group.objects.create(name="Desk")
desk.permissions.set(Permission.objects.filter(codename="change_user"))
for user in User.objects.filter(username__in=["noor", "ines"]):
    user.groups.add(desk)
    user.user_permissions.set(Permission.objects.filter(codename="view_book"))
    Token.objects.create(key=f"key of {user}", user=user)
"""
READER_WORKS = """
from django.contrib.auth import get_user_model

ines = get_user_model().objects.get(username="ines")
print(ines.has_perm("readers.change_reader"), ines.has_perm("catalog.view_book"), ines.token.key, ines.loans.count())
"""

HOUSE = """

class House(models.Model):
    name = models.CharField(max_length=20)
    captain = models.ForeignKey(User, on_delete=models.PROTECT)
"""
CREATE_HOUSE = """operations = [
        migrations.CreateModel("House", [("id", models.BigAutoField(primary_key=True)), ("name", models.CharField(max_length=20))]),"""
POINT_TO_HOUSE = """
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("fees", "0012_invoice_discount"), ("users", "0001_initial")]
    operations = [migrations.AddField("invoice", "house", models.ForeignKey("users.House", models.PROTECT, null=True))]
"""


def done(completed):
    assert completed.status == 0, completed.output
    return completed.output


def edit(sandbox, path, *changes):
    file = sandbox.project / path
    for old, new in changes:
        assert old in file.read_text(), f"{old} is not in {path}"
        file.write_text(file.read_text().replace(old, new))


def write(sandbox, files):
    for path, text in files.items():
        (sandbox.project / path).parent.mkdir(parents=True, exist_ok=True)
        (sandbox.project / path).write_text(text)


def shell(sandbox, code):
    return sandbox.manage("shell", "-v", "0", "-c", code)


def without_names_from_a_dump(schema):
    """MariaDB renames its own index of a foreign key with the key; once loaded from a dump, the index keeps its name."""
    return {
        table: sorted(re.sub(r"^(index \w+_fk)_auth_user_id:", r"\1:", line) for line in lines) for table, lines in schema.items()
    }


class TestSwitchToCustomUser(RunbookProof):
    slug = "switch-to-custom-user"
    errors = {
        "": "django.db.migrations.exceptions.InconsistentMigrationHistory: Migration admin.0001_initial is applied "
        "before its dependency users.0001_initial on database 'default'.",
    }
    inputs = {"USER_MODEL": "users.User", "MIGRATION": "0001_initial"}

    def check_fixed(self, cause, broken, fixed, sandbox):
        assert broken.difference(fixed, ignore=ADOPTED) == []
        assert set(fixed.rows["django_migrations"]) - set(broken.rows["django_migrations"]) == {("users", "0001_initial")}
        kinds = {tuple("auth" if (value, "user") == ("users", row[-1]) else value for value in row) for row in fixed.rows["django_content_type"]}
        assert kinds == set(broken.rows["django_content_type"]), "one label changes, its id stays"
        files = sandbox.files()
        assert "'db_table': 'auth_user'" in files["users/migrations/0001_initial.py"]
        assert "AlterModelTable" in files["users/migrations/0002_own_table.py"]
        done(sandbox.manage("makemigrations", "--check", "--dry-run"))

    def test_migrate_then_gives_the_table_its_own_name_and_loses_nobody(self, database, tmp_path):
        with open_sandbox(self.slug, database, tmp_path / "old") as sandbox:
            before = sandbox.snapshot()
            self.fix(sandbox, self.inputs)
            done(sandbox.manage("migrate"))
            after = sandbox.snapshot()
            for each in USER_TABLES:
                columns = before.columns[f"auth_user{each}"]
                assert after.rows_of(f"users_user{each}", columns) == before.rows[f"auth_user{each}"]
            for table in before.rows.keys() - ADOPTED - {f"auth_user{each}" for each in USER_TABLES}:
                assert after.rows[table] == before.rows[table], table
            self.verify(sandbox, self.inputs)
            for check in (["migrate", "--check"], ["makemigrations", "--check"], ["check"]):
                done(sandbox.manage(*check))
            assert done(shell(sandbox, SIGN_IN)).splitlines() == [
                "signed in: True", "users: 200 teacher: 200", "rights: True True", "log: ['teacher1']",
            ]
            assert self.fresh_schema(database, tmp_path / "new", sandbox) == without_names_from_a_dump(after.schema)

    def fresh_schema(self, database, directory, sandbox):
        """What `migrate` makes of an empty database with the files that the fix left."""
        with open_sandbox("empty", database, directory) as fresh:
            for old in (fresh.project / "users" / "migrations").glob("0*.py"):
                old.unlink()
            write(fresh, {path: text for path, text in sandbox.files().items() if path.startswith("users/migrations/")})
            done(fresh.manage("migrate"))
            return fresh.snapshot().schema

    def test_undo_after_migrate_asks_to_migrate_back_and_then_every_row_is_there(self, database, tmp_path):
        with open_sandbox(self.slug, database, tmp_path) as sandbox:
            broken, files = sandbox.snapshot(), sandbox.files()
            self.fix(sandbox, self.inputs)
            done(sandbox.manage("migrate"))
            refused = self.step(sandbox, "undo", self.inputs)
            assert refused.status == 1 and "migrate users 0001_initial" in refused.output
            done(sandbox.manage("migrate", "users", "0001_initial"))
            done(self.step(sandbox, "undo", self.inputs))
            assert sandbox.snapshot().rows == broken.rows
            assert sandbox.files() == files

    def test_second_database_needs_the_rows_only(self, database, tmp_path):
        with open_sandbox(self.slug, database, tmp_path / "one") as one:
            self.fix(one, self.inputs)
            files = one.files()
        with open_sandbox(self.slug, database, tmp_path / "two") as two:
            write(two, {path: text for path, text in files.items() if path.startswith("users/migrations/")})
            assert self.diagnose(two) == self.inputs
            broken = two.snapshot()
            self.fix(two, self.inputs)
            self.verify(two, self.inputs)
            assert two.files() == files
            self.check_fixed("", broken, two.snapshot(), two)

    def test_model_that_keeps_the_table_under_its_old_name_gets_its_new_fields_all_the_same(self, database, tmp_path):
        with open_sandbox(self.slug, database, tmp_path) as sandbox:
            edit(sandbox, "users/models.py", ("        indexes =", '        db_table = "auth_user"\n        indexes ='))
            edit(sandbox, "users/migrations/0001_initial.py", ("options={", "options={\n                'db_table': 'auth_user',"))
            before = sandbox.snapshot()
            self.fix(sandbox, self.diagnose(sandbox))
            done(sandbox.manage("migrate"))
            done(sandbox.manage("makemigrations", "--check"))
            after = sandbox.snapshot()
            assert after.rows_of("auth_user", before.columns["auth_user"]) == before.rows["auth_user"]
            assert "role" in after.columns["auth_user"] and "users_user" not in after.schema
            assert self.diagnose(sandbox, status=0) == {}

    # --- what people are told to do instead, and what it costs ------------------------------------------------------

    def test_hack_leaving_admin_out_gives_the_same_error_and_leaving_all_out_an_empty_user_table(self, database, tmp_path):
        with open_sandbox(self.slug, database, tmp_path) as sandbox:
            users = len(sandbox.snapshot().rows["auth_user"])
            settings, urls = ((sandbox.project / "acharya" / name).read_text() for name in ("settings.py", "urls.py"))
            write(sandbox, {"acharya/urls.py": "urlpatterns = []\n"})
            edit(sandbox, "acharya/settings.py", ('    "django.contrib.admin",\n', ""))
            still = sandbox.manage("migrate").output
            assert "is applied before its dependency users.0001_initial" in still and "Migration admin" not in still
            edit(sandbox, "acharya/settings.py", *((f'    "{app}",\n', "") for app in ("students", "admissions", "fees", "attendance")))
            done(sandbox.manage("migrate"))
            write(sandbox, {"acharya/settings.py": settings, "acharya/urls.py": urls})
            for all_green in (["migrate"], ["migrate", "--check"], ["makemigrations", "--check"], ["check"]):
                done(sandbox.manage(*all_green))
            rows = sandbox.snapshot().rows
            assert (len(rows["auth_user"]), len(rows["users_user"])) == (users, 0)
            assert done(shell(sandbox, FIRST_NEW_ACCOUNT)).splitlines() == [
                "users: 0", "log by: {'stranger'}", "received by: {'stranger'}",
            ], "the first new account is taken for the head of the school"
            refused = self.step(sandbox, "diagnose")
            assert refused.status == 2 and "both are user tables" in refused.output
            assert self.step(sandbox, "fix", self.inputs).status == 1

    def test_hack_truncating_django_migrations_fails_or_leaves_no_user_table(self, database, tmp_path):
        with open_sandbox(self.slug, database, tmp_path) as sandbox:
            sandbox.execute("DELETE FROM django_migrations")
            again = sandbox.manage("migrate")
            assert again.status != 0 and "already exists" in again.output
            sandbox.execute("DELETE FROM django_migrations")
            done(sandbox.manage("migrate", "--fake"))
            done(sandbox.manage("migrate", "--check"))
            gone = shell(sandbox, "from users.models import User; User.objects.count()")
            assert gone.status != 0 and "users_user" in gone.output

    def test_hack_deleting_the_database_file_deletes_everyone_or_does_nothing(self, database, tmp_path):
        with open_sandbox(self.slug, database, tmp_path) as sandbox:
            sandbox.run("rm", "-f", "db.sqlite3")
            migrated = sandbox.manage("migrate")
            if database == "sqlite":
                assert migrated.status == 0 and sandbox.snapshot().rows["users_user"] == []
            else:
                assert "is applied before its dependency users.0001_initial" in migrated.output

    # --- what does not fit --------------------------------------------------------------------------------------------

    @pytest.mark.parametrize(("path", "old", "new", "reason"), [
        ("users/models.py", "blank=True)", "unique=True)", "User.phone_number has no value for the users there are"),
        ("users/models.py", "    role =", "    first_name = None\n    role =", "User lacks what auth.User has, whose values would be lost: first_name"),
        ("users/models.py", "    role =", "    id = models.UUIDField(primary_key=True)\n    role =", "the primary key of User is no number"),
        ("users/migrations/0001_initial.py", "operations = [", 'operations = [\n        migrations.RunSQL("SELECT 1"),',
         "RunSQL in 0001_initial would be lost"),
    ])
    def test_refuses_a_model_or_migration_that_would_lose_something(self, path, old, new, reason, tmp_path):
        with open_sandbox(self.slug, "sqlite", tmp_path) as sandbox:
            edit(sandbox, path, (old, new))
            self.refuses(sandbox, reason)

    @one_database
    def test_refuses_several_migrations_and_tables_that_migrate_made(self, database, tmp_path):
        with open_sandbox(self.slug, database, tmp_path) as sandbox:
            second = 'from django.db import migrations\n\n\nclass Migration(migrations.Migration):\n    dependencies = [("users", "0001_initial")]\n'
            write(sandbox, {"users/migrations/0002_more.py": second})
            self.refuses(sandbox, "users has 2 migrations that were never applied")
            (sandbox.project / "users/migrations/0002_more.py").unlink()
            sandbox.execute("CREATE TABLE users_user (id integer)")
            self.refuses(sandbox, "the table users_user is there already, with 0 rows")

    def test_other_models_of_the_app_move_to_the_second_migration_unless_another_app_points_to_them(self, tmp_path):
        with open_sandbox(self.slug, "sqlite", tmp_path) as sandbox:
            edit(sandbox, "users/migrations/0001_initial.py", ("operations = [", CREATE_HOUSE))
            write(sandbox, {"users/models.py": (sandbox.project / "users/models.py").read_text() + HOUSE})
            write(sandbox, {"fees/migrations/0013_invoice_house.py": POINT_TO_HOUSE})
            self.refuses(sandbox, "fees.invoice points to another model of users than the user")
            (sandbox.project / "fees/migrations/0013_invoice_house.py").unlink()
            self.fix(sandbox, self.diagnose(sandbox))
            files = sandbox.files()
            assert "House" not in files["users/migrations/0001_initial.py"] and "House" in files["users/migrations/0002_own_table.py"]
            done(sandbox.manage("migrate"))
            done(sandbox.manage("makemigrations", "--check"))

    def test_refuses_a_content_type_that_migrate_made(self, tmp_path):
        with open_sandbox(self.slug, "sqlite", tmp_path) as sandbox:
            sandbox.execute("INSERT INTO django_content_type (app_label, model) VALUES ('users', 'user')")
            self.refuses(sandbox, "there is a content type users.user already")

    def test_refuses_inputs_that_diagnose_did_not_find(self, tmp_path):
        with open_sandbox(self.slug, "sqlite", tmp_path) as sandbox:
            before = sandbox.snapshot(), sandbox.files()
            for wrong in ({"USER_MODEL": "users.Member"}, {"MIGRATION": "0002_own_table"}):
                refused = self.step(sandbox, "fix", self.inputs | wrong)
                assert refused.status == 1 and "Refused, nothing was changed" in refused.output
            assert before == (sandbox.snapshot(), sandbox.files())

    def test_says_what_to_do_when_the_app_has_no_migration(self, tmp_path):
        with open_sandbox(self.slug, "sqlite", tmp_path) as sandbox:
            (sandbox.project / "users/migrations/0001_initial.py").unlink()
            told = self.step(sandbox, "diagnose")
            assert told.status == 2 and "uv run manage.py makemigrations users" in told.output

    def refuses(self, sandbox, reason):
        before = sandbox.snapshot(), sandbox.files()
        for step, status in (("diagnose", 2), ("fix", 1)):
            refused = self.step(sandbox, step, self.inputs)
            assert refused.status == status and reason in refused.output, refused.output
        assert before == (sandbox.snapshot(), sandbox.files())

    # --- another project, whose model has another name ----------------------------------------------------------------

    def break_other_project(self, library):
        write(library, {**READERS, **TOKENS})
        edit(library, "lending/settings.py", ('    "loans",\n', '    "loans",\n    "tokens",\n'))
        done(library.manage("makemigrations", "tokens", "--no-header"))
        done(library.manage("migrate"))
        done(shell(library, GRANT))
        edit(
            library, "lending/settings.py",
            ('    "tokens",\n', '    "tokens",\n    "readers",\n'), ("USE_TZ", 'AUTH_USER_MODEL = "readers.Reader"\nUSE_TZ'),
        )
        done(library.manage("makemigrations", "readers", "--no-header"))
        assert "InconsistentMigrationHistory" in library.manage("migrate").output

    def check_other_project(self, broken, fixed, library):
        linked = {"auth_user_groups", "auth_user_user_permissions"}
        for table in linked:
            assert fixed.rows[table] and fixed.rows[table] == broken.rows[table] and "reader_id" in fixed.columns[table]
        assert broken.difference(fixed, ignore={*ADOPTED, *linked, "auth_permission"}) == []
        renamed = set(fixed.rows["auth_permission"]) - set(broken.rows["auth_permission"])
        assert len(renamed) == 4 and len(fixed.rows["auth_permission"]) == len(broken.rows["auth_permission"])
        done(library.manage("makemigrations", "--check", "--dry-run"))

    def test_model_of_another_name_keeps_rights_and_tokens(self, database, tmp_path):
        with open_library(database, tmp_path) as library:
            self.break_other_project(library)
            before = library.snapshot()
            self.fix(library, self.diagnose(library))
            done(library.manage("migrate"))
            done(library.manage("migrate", "--check"))
            after = library.snapshot()
            assert after.rows_of("readers_reader", before.columns["auth_user"]) == before.rows["auth_user"]
            assert after.rows["tokens_token"] == before.rows["tokens_token"]
            assert done(shell(library, READER_WORKS)).split(None, 2)[:2] == ["True", "True"]

    @pytest.mark.skipif(available("mariadb") is not None, reason=available("mariadb") or "")
    def test_model_of_another_name_survives_a_kill_between_statements_that_mariadb_commits(self, tmp_path):
        whole = self.fixed_library("mariadb", tmp_path / "whole", kill_at=0)
        assert len(whole.renamings) == 2
        for kill_at in {*whole.renamings, whole.renamings[-1] + 1}:
            killed = self.fixed_library("mariadb", tmp_path / str(kill_at), kill_at)
            assert whole.snapshot.difference(killed.snapshot) == [], f"killed at change {kill_at}"

    def fixed_library(self, database, directory, kill_at):
        """Fix the library, after killing the fix at change `kill_at`; return its snapshot and which changes renamed a column."""
        with open_library(database, directory) as library:
            self.break_other_project(library)
            inputs = self.diagnose(library)
            assert self.killed(library, "fix", inputs, kill_at) == (-signal.SIGKILL if kill_at else 0)
            counted = (library.place.directory / "changes").read_text().splitlines()
            self.fix(library, inputs)
            renamings = [number for number, what in enumerate(counted, 1) if "ALTER TABLE" in what]
            return SimpleNamespace(snapshot=library.snapshot(), renamings=renamings)

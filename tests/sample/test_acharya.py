"""The sample project keeps its promises: a believable history, and the same school each time it is seeded."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from migration_runbooks.paths import ACHARYA
from migration_runbooks.worlds import warm

APPS = ["users", "students", "admissions", "fees", "attendance"]
LIST_OPERATIONS = """
import json
from django.db.migrations.loader import MigrationLoader
migrations = MigrationLoader(None).disk_migrations.values()
print(json.dumps({
    f"{m.app_label}.{m.name}": {
        "dependencies": [app for app, _ in m.dependencies],
        "operations": [type(operation).__name__ for operation in m.operations],
        "replaces": m.replaces,
        "reversible": all(operation.reversible for operation in m.operations),
    }
    for m in migrations
}))
"""
PRINT_DATABASE = "from django.conf import settings; print(settings.DATABASES['default'])"


class Project:
    """A private copy of the sample project on its own SQLite file."""

    def __init__(self, folder: Path) -> None:
        shutil.copytree(ACHARYA, folder, ignore=shutil.ignore_patterns("*.sqlite3", "__pycache__"))
        self.folder = folder

    def try_manage(self, *arguments: str, cold: bool = False, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run `manage.py` with no variables but PATH, that of a warm start and those given."""
        command = [sys.executable if cold else warm.python_folder(Path(sys.prefix)) / "python", "manage.py", *arguments]
        environment = {"PATH": os.environ["PATH"], "VIRTUAL_ENV": sys.prefix, **environment}
        return subprocess.run(command, cwd=self.folder, env=environment, capture_output=True, text=True, timeout=120)

    def manage(self, *arguments: str, cold: bool = False, **environment: str) -> str:
        """Run `manage.py`, demand success and return what it printed."""
        done = self.try_manage(*arguments, cold=cold, **environment)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def query(self, sql: str) -> list[tuple]:
        with closing(sqlite3.connect(self.folder / "db.sqlite3")) as connection:
            return connection.execute(sql).fetchall()

    def schema(self) -> list[tuple]:
        """Return the definition of every table and index, whatever the order they were made in."""
        return sorted(self.query("select name, sql from sqlite_master where name not like 'sqlite_%'"))

    def rows(self) -> dict[str, list[tuple]]:
        """Return the rows of every table but the history, which holds the time of each `migrate`."""
        tables = [name for name, _ in self.query("select name, sql from sqlite_master where type = 'table'")]
        return {
            table: self.query(f'select * from "{table}" order by 1') for table in tables if "migrations" not in table
        }


@pytest.fixture(scope="module")
def school(tmp_path_factory) -> Project:
    """A seeded school that tests only read."""
    return seeded(tmp_path_factory.mktemp("school") / "acharya")


@pytest.fixture
def own_school(school: Project, tmp_path: Path) -> Project:
    """A seeded school that a test may change."""
    project = Project(tmp_path / "own")
    shutil.copyfile(school.folder / "db.sqlite3", project.folder / "db.sqlite3")
    return project


def seeded(folder: Path) -> Project:
    """Cold, because each process then orders sets in its own way, and no two schools may differ for that."""
    project = Project(folder)
    project.manage("migrate", cold=True)
    project.manage("seed_school", cold=True)
    return project


@pytest.fixture(scope="module")
def history(school: Project) -> dict[str, dict]:
    """The migrations of the five apps by `app.name`."""
    migrations = json.loads(school.manage("shell", "-v", "0", "-c", LIST_OPERATIONS))
    return {name: migration for name, migration in migrations.items() if name.split(".")[0] in APPS}


def test_the_history_is_long_and_every_app_has_a_part_in_it(history):
    assert len(history) >= 30
    assert {name.split(".")[0] for name in history} == set(APPS)


@pytest.mark.parametrize("operation", ["RunPython", "RenameField", "AddIndex", "AddConstraint", "AlterField"])
def test_the_history_has_each_kind_of_operation(history, operation):
    assert any(operation in migration["operations"] for migration in history.values())


def test_the_history_has_a_merge_and_a_squash_beside_what_it_replaces(history):
    assert any(m["dependencies"] == ["admissions", "admissions"] and not m["operations"] for m in history.values())
    [squash] = [m for m in history.values() if m["replaces"]]
    assert {f"{app}.{name}" for app, name in squash["replaces"]} < set(history)


def test_apps_depend_on_each_other_and_every_migration_can_be_reversed(history):
    assert any(app != name.split(".")[0] for name, m in history.items() for app in m["dependencies"])
    assert [name for name, m in history.items() if not m["reversible"]] == []


def test_checks_are_clean_and_no_migration_is_missing(school):
    school.manage("check", "--fail-level", "WARNING")
    school.manage("makemigrations", "--check", "--dry-run")


def test_every_table_has_rows_and_every_optional_column_is_both_empty_and_filled(school):
    for table, rows in school.rows().items():
        assert rows, table
        for _, column, _, required, _, key in school.query(f'pragma table_info("{table}")'):
            if not required and not key and table != "sqlite_sequence":
                counts = school.query(f'select count(*), count("{column}") from "{table}"')[0]
                assert counts[0] > counts[1], f"{table}.{column} is never empty"
                assert counts[1], f"{table}.{column} is always empty"


def test_two_seeds_are_the_same(school, tmp_path):
    assert seeded(tmp_path / "again").rows() == school.rows()


def test_the_replaced_migrations_make_the_same_schema_as_the_squash(school, tmp_path):
    project = Project(tmp_path / "unsquashed")
    [squash] = project.folder.glob("attendance/migrations/0001_squashed_*.py")
    squash.unlink()
    project.manage("migrate")
    columns = "select m.name, c.name, c.type, c.'notnull', c.pk from sqlite_master m, pragma_table_info(m.name) c"
    assert sorted(project.query(columns)) == sorted(school.query(columns))


def test_migrating_to_zero_and_forward_again_makes_the_same_schema(own_school):
    schema = own_school.schema()
    for app in ["attendance", "fees", "admissions", "students", "admin", "users"]:
        own_school.manage("migrate", app, "zero")
    left = {name.split("_")[0] for name, _ in own_school.schema()}
    assert left.isdisjoint(APPS)
    own_school.manage("migrate")
    assert own_school.schema() == schema


@pytest.mark.parametrize(
    ("app", "target", "question"),
    [
        ("fees", "0004", "select id, number, amount, note from fees_invoice order by id"),
        ("admissions", "0006", "select id, number, status, previous_school from admissions_application order by id"),
        ("students", "0003", "select id, admission_number, full_name, user_id from students_student order by id"),
        ("attendance", "0005", "select id, student_id, mark from attendance_record order by id"),
    ],
)
def test_data_migrations_bring_back_what_their_reversal_took_away(school, own_school, app, target, question):
    own_school.manage("migrate", app, target)
    own_school.manage("migrate")
    assert own_school.query(question) == school.query(question)


def test_unapplying_the_spelling_of_marks_brings_the_letters_back(own_school):
    own_school.manage("migrate", "attendance", "0006")
    assert {mark for (mark,) in own_school.query("select mark from attendance_record")} == {"P", "A", "L"}


def test_seeding_twice_is_refused_and_adds_nothing(own_school):
    before = own_school.rows()
    refusal = own_school.try_manage("seed_school")
    assert refusal.returncode == 1
    assert "already holds 28 users, so nothing was added" in refusal.stderr
    assert own_school.rows() == before


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "Run `uv run manage.py migrate` first"),
        (["--students", "0"], "'0' is not a whole number of at least 1"),
        (["--students", "many"], "'many' is not a whole number of at least 1"),
    ],
)
def test_unusable_requests_get_a_message_and_no_traceback(tmp_path, arguments, message):
    refusal = Project(tmp_path / "acharya").try_manage("seed_school", *arguments)
    assert refusal.returncode != 0
    assert message in refusal.stderr
    assert "Traceback" not in refusal.stderr


def test_a_database_that_is_migrated_in_part_is_left_empty(tmp_path):
    project = Project(tmp_path / "acharya")
    project.manage("migrate")
    project.manage("migrate", "fees", "0011")
    refusal = project.try_manage("seed_school")
    assert refusal.returncode == 1
    assert "discount. Nothing was added. Run `uv run manage.py migrate` first." in refusal.stderr
    assert project.rows()["users_user"] == []


def test_a_single_student_is_a_school_too(tmp_path):
    project = Project(tmp_path / "acharya")
    project.manage("migrate")
    project.manage("seed_school", "--students", "1")
    assert len(project.rows()["students_student"]) == 1


@pytest.mark.parametrize(
    ("url", "backend", "host", "user"),
    [
        ("postgresql:///school?host=/tmp/pg&user=postgres", "postgresql", "/tmp/pg", "postgres"),
        ("postgresql://postgres@%2Ftmp%2Fpg/school", "postgresql", "/tmp/pg", "postgres"),
        ("postgresql:///school", "postgresql", "", ""),
        ("mysql://root@localhost/school?unix_socket=/tmp/my/s", "mysql", "/tmp/my/s", "root"),
        ("mariadb://root@localhost/school?unix_socket=%2Ftmp%2Fmy%2Fs", "mysql", "/tmp/my/s", "root"),
    ],
)
def test_a_url_may_name_a_socket(school, url, backend, host, user):
    printed = school.manage("shell", "-v", "0", "-c", PRINT_DATABASE, DATABASE_URL=url)
    for item in (f"django.db.backends.{backend}", "'NAME': 'school'", f"'HOST': '{host}'", f"'USER': '{user}'"):
        assert item in printed

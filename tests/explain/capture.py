"""Make the fixtures: break a small project in each way, run Django for real, and keep what it prints.

    python tests/explain/capture.py NAME-ENDING [DATABASE_URL]

writes `fixtures/<scenario>-<ending>.txt`; the database must be empty, and SQLite is the default.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

FIXTURES = Path(__file__).parent / "fixtures"
SETTINGS = """
import dj_database_url
DATABASES = {"default": dj_database_url.config(default="sqlite:///db.sqlite3")}
INSTALLED_APPS = ["library", "loans"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
SECRET_KEY = "capture"
"""
MANAGE = """
import os, sys
import pymysql
pymysql.version_info = (2, 2, 7, "final", 0)
pymysql.install_as_MySQLdb()
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "settings")
from django.core.management import execute_from_command_line
execute_from_command_line(sys.argv)
"""
HEAD = "from django.db import migrations, models\nimport django.db.models.deletion\n\nclass Migration(migrations.Migration):\n"
LIBRARY = '    operations = [migrations.CreateModel("Book", [("id", models.BigAutoField(primary_key=True)), ("title", models.CharField(max_length=20))])]\n'
LOANS = '    operations = [migrations.CreateModel("Loan", [("id", models.BigAutoField(primary_key=True)), ("book", models.BigIntegerField())])]\n'
TO_FOREIGN_KEY = '    operations = [migrations.AlterField("loan", "book", models.ForeignKey(to="library.book", on_delete=django.db.models.deletion.CASCADE, db_column="book"))]\n'
ADD_DUE = '    operations = [migrations.AddField("loan", "due", models.DateField(null=True))]\n'
RENAME_TITLE = '    operations = [migrations.RunSQL("INSERT INTO loans_loan (book) VALUES (99)"), migrations.RunSQL("SELECT * FROM library_author")]\n'
BOOK = "from django.db import models\n\n\nclass Book(models.Model):\n    title = models.CharField(max_length=20)\n"


class Project:
    """A project with two apps in a folder of its own; every command runs Django in a process of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.write("settings.py", SETTINGS)
        self.write("manage.py", MANAGE)
        for app in ("library", "loans"):
            self.write(f"{app}/__init__.py", "")
            self.write(f"{app}/migrations/__init__.py", "")
        self.migration("library", "0001_initial", [], LIBRARY)
        self.migration("loans", "0001_initial", [], LOANS)

    def write(self, name: str, text: str) -> None:
        file = self.folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def migration(self, app: str, name: str, dependencies: list, operations: str = "    operations = []\n") -> None:
        self.write(f"{app}/migrations/{name}.py", f"{HEAD}    dependencies = {dependencies!r}\n{operations}")

    def manage(self, *arguments: str, text: str = "") -> str:
        command = [sys.executable, "manage.py", *arguments]
        stable = os.environ | {"PYTHONHASHSEED": "2"}  # Django names a cycle in the order of a set
        done = subprocess.run(command, cwd=self.folder, env=stable, input=text, capture_output=True, text=True)
        output = done.stdout + done.stderr
        standard = Path(os.__file__).parent
        venv = Path(sys.prefix) / "lib" / standard.name
        for place, shown in ((self.folder, "/srv/library"), (venv, "/usr/lib/python3"), (standard, "/usr/lib/python3")):
            output = output.replace(str(place), shown)
        return output


def inconsistent_history(project: Project) -> str:
    project.manage("migrate", "library", "0001")
    project.manage("migrate", "loans", "0001")
    project.migration("library", "0002_shelf", [("library", "0001_initial")])
    project.migration("loans", "0001_initial", [("library", "0002_shelf")], LOANS)
    return project.manage("migrate")


def circular_dependency(project: Project) -> str:
    project.migration("library", "0001_initial", [("loans", "0001_initial")], LIBRARY)
    project.migration("loans", "0001_initial", [("library", "0001_initial")], LOANS)
    return project.manage("migrate")


def foreign_key_violation(project: Project) -> str:
    _orphan(project)
    project.migration(
        "loans", "0002_alter_loan_book", [("loans", "0001_initial"), ("library", "0001_initial")], TO_FOREIGN_KEY
    )
    return project.manage("migrate")


def hidden_cause(project: Project) -> str:
    """A migration misses a table; on SQLite the check of foreign keys hides that behind an IntegrityError."""
    project.migration(
        "loans", "0002_alter_loan_book", [("loans", "0001_initial"), ("library", "0001_initial")], TO_FOREIGN_KEY
    )
    project.manage("migrate")
    project.migration("loans", "0003_copy", [("loans", "0002_alter_loan_book")], RENAME_TITLE)
    return project.manage("migrate")


def table_already_exists(project: Project) -> str:
    project.manage("migrate")
    _forget(project, "loans", "0001_initial")
    return project.manage("migrate")


def column_already_exists(project: Project) -> str:
    project.migration("loans", "0002_loan_due", [("loans", "0001_initial")], ADD_DUE)
    project.manage("migrate")
    _forget(project, "loans", "0002_loan_due")
    return project.manage("migrate")


def conflicting_migrations(project: Project) -> str:
    project.migration("loans", "0002_a", [("loans", "0001_initial")])
    project.migration("loans", "0002_b", [("loans", "0001_initial")])
    return project.manage("migrate")


def missing_parent(project: Project) -> str:
    project.migration("loans", "0003_b", [("loans", "0002_a")])
    return project.manage("migrate")


def changes_not_migrated(project: Project) -> str:
    project.manage("migrate")
    return project.manage("migrate")


def irreversible_migration(project: Project) -> str:
    project.migration("loans", "0002_a", [("loans", "0001_initial")], '    operations = [migrations.RunSQL("SELECT 1")]\n')
    project.manage("migrate")
    return project.manage("migrate", "loans", "0001")


def state_field(project: Project) -> str:
    return _migrate_with(project, 'migrations.RemoveField("loan", "zzz")')


def state_model(project: Project) -> str:
    return _migrate_with(project, 'migrations.AddField("nomodel", "due", models.DateField(null=True))')


def state_rename(project: Project) -> str:
    return _migrate_with(project, 'migrations.RenameField("loan", "zzz", "due")')


def model_lookup(project: Project) -> str:
    project.migration("loans", "0002_a", [("loans", "0001_initial")], '    operations = [migrations.RunPython(lambda apps, editor: apps.get_model("library", "Book"))]\n')
    return project.manage("migrate", "loans")


def cannot_serialize(project: Project) -> str:
    project.write("loans/models.py", "from django.db import models\n\nclass Loan(models.Model):\n    book = models.IntegerField(default=lambda: 1)\n")
    return project.manage("makemigrations", "loans")


def many_to_many(project: Project) -> str:
    return _migrate_with(project, 'migrations.AlterField("loan", "book", models.ManyToManyField(to="loans.loan"))')


def bad_migration_file(project: Project, text: str = "x = 1\n") -> str:
    project.write("loans/migrations/0002_x.py", text)
    return project.manage("migrate")


def bad_migration_import(project: Project) -> str:
    return bad_migration_file(project, "from loans.gone import f\n")


def bad_migration_syntax(project: Project) -> str:
    return bad_migration_file(project, "<<<<<<< HEAD\n")


def import_query(project: Project) -> str:
    project.write("library/models.py", f"{BOOK}\n\nTITLES = list(Book.objects.values_list('title'))\n")
    return project.manage("migrate")


def views_query(project: Project) -> str:
    project.write("library/models.py", BOOK)
    project.write("library/views.py", "from library.models import Book\n\nTITLES = list(Book.objects.values_list('title'))\n")
    project.write("urls.py", "import library.views\n\nurlpatterns = []\n")
    project.write("settings.py", SETTINGS + 'ROOT_URLCONF = "urls"\n')
    return project.manage("migrate")


def squash_problem(project: Project) -> str:
    """A squash of two, of which this database has one, and whose files are gone."""
    project.migration("loans", "0002_a", [("loans", "0001_initial")])
    project.manage("migrate")
    project.migration("loans", "0003_b", [("loans", "0002_a")])
    project.migration("loans", "0004_c", [("loans", "0003_b")])
    project.manage("squashmigrations", "loans", "0002", "0003", "--noinput")
    for name in ("0002_a", "0003_b"):
        (project.folder / f"loans/migrations/{name}.py").unlink()
    return project.manage("migrate")


def app_label_not_found(project: Project) -> str:
    return project.manage("migrate", "zzz")


def migration_name_not_found(project: Project) -> str:
    return project.manage("migrate", "loans", "0009")


def related_model(project: Project) -> str:
    return _migrate_with(project, 'migrations.AddField("loan", "due", models.ForeignKey("gone.book", null=True, on_delete=django.db.models.deletion.CASCADE))')


def invalid_bases(project: Project) -> str:
    project.migration("loans", "0001_initial", [], LOANS.replace("())])", "())], bases=('library.gone',))"))
    return project.manage("migrate")


def healthy(project: Project) -> str:
    return project.manage("migrate")


def refused_connection(project: Project) -> str:
    os.environ["DATABASE_URL"] = "postgres://nobody@127.0.0.1:1/none"
    try:
        return project.manage("migrate")
    finally:
        del os.environ["DATABASE_URL"]


def missing_package(project: Project) -> str:
    project.write("settings.py", SETTINGS.replace('["library"', '["library_that_nobody_installed", "library"'))
    return project.manage("migrate")


def _migrate_with(project: Project, operation: str) -> str:
    project.manage("migrate")
    project.migration("loans", "0002_a", [("loans", "0001_initial")], f"    operations = [{operation}]\n")
    return project.manage("migrate")


def _orphan(project: Project) -> None:
    project.manage("migrate")
    insert = (
        "from django.db import connection\nconnection.cursor().execute('INSERT INTO loans_loan (book) VALUES (99)')\n"
    )
    project.manage("shell", "--no-imports", text=insert)


def _forget(project: Project, app: str, name: str) -> None:
    """Lose the record of a migration, and leave all that it made."""
    delete = f"DELETE FROM django_migrations WHERE app = '{app}' AND name = '{name}'"
    project.manage("shell", "--no-imports", text=f'from django.db import connection\nconnection.cursor().execute("{delete}")\n')


EVERYWHERE = [inconsistent_history, circular_dependency, conflicting_migrations, missing_parent, foreign_key_violation, hidden_cause, table_already_exists, column_already_exists]
SCENARIOS = {"sqlite": [*EVERYWHERE, changes_not_migrated, irreversible_migration, cannot_serialize, bad_migration_file, bad_migration_import, bad_migration_syntax, squash_problem, app_label_not_found, migration_name_not_found, state_field, state_model, state_rename, model_lookup, many_to_many, import_query, views_query, related_model, invalid_bases, healthy, refused_connection, missing_package]}


def main(ending: str, url: str = "") -> None:
    if url:
        os.environ["DATABASE_URL"] = url
    for scenario in SCENARIOS.get(ending, [foreign_key_violation]):
        with tempfile.TemporaryDirectory() as folder:
            name = f"{scenario.__name__.replace('_', '-')}-{ending}.txt"
            (FIXTURES / name).write_text(scenario(Project(Path(folder).resolve())))


if __name__ == "__main__":
    main(*sys.argv[1:])

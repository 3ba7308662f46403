"""A sandbox in which reset_migrations is installed, and what is done there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from migration_runbooks.paths import PACKAGE
from migration_runbooks.worlds import Sandbox, Snapshot, open_sandbox

INSTALLED = 'INSTALLED_APPS += ["migration_runbooks"]'
SETTINGS = {"acharya": "acharya/settings.py", "library": "lending/settings.py"}
CHOSEN_BY_THE_DATABASE = re.compile(r"(?<=constraint )\w+(?=:)|(?<=unique )\w+(?=:)|\b\w+_[0-9a-f]{8}(_\w+)?\b|\b\w+_(p?key|like)\d*\b")
"""Names that a database or Django makes up; a column that was unique later has another one than one that always was."""


FRESH: dict[tuple, Snapshot] = {}
"""What `fresh` found, by database, environment and files."""

MADE_AFTER_MIGRATE = {"django_migrations", "django_content_type", "auth_permission"}
"""Their rows come in the order in which apps are migrated."""


@dataclass
class Reset:
    """A sandbox in which the command is installed."""

    sandbox: Sandbox
    path: Path

    def command(self, *words: str, **variables: str):
        done = self.sandbox.run(*self.sandbox.kind.manage, "reset_migrations", *words, PYTHONPATH=str(PACKAGE.parent), **variables)
        assert "Traceback" not in done.output, done.output
        return done

    def apply(self, *words: str) -> str:
        done = self.command(*words, "--apply")
        assert done.status == 0, done.output
        return done.output

    def refused(self, message: str, *words: str, status: int = 1, apply: bool = True) -> str:
        """Demand that --apply refuses with this message, and changes nothing."""
        before, files = self.sandbox.snapshot(), self.sandbox.files()
        done = self.command(*words, *(["--apply"] if apply else []))
        assert done.status == status and message in done.output, done.output
        assert before.difference(self.sandbox.snapshot()) == [] and self.sandbox.files() == files
        return done.output

    def manage(self, *words: str):
        return self.sandbox.run(*self.sandbox.kind.manage, *words, PYTHONPATH=str(PACKAGE.parent))

    def migrate(self, *words: str) -> None:
        done = self.manage("migrate", "-v0", *words)
        assert done.status == 0, done.output

    def history(self, app: str) -> set[str]:
        return {name for (name,) in self.sandbox.execute(f"SELECT name FROM django_migrations WHERE app = '{app}'")}

    def migrations(self, app: str) -> set[str]:
        return {file.stem for file in (self.sandbox.project / app / "migrations").glob("0*.py")}

    def take_files_of(self, other: Sandbox) -> None:
        """What `git pull` does."""
        for name in set(self.sandbox.files()) - set(other.files()):
            (self.sandbox.project / name).unlink()
        for name, text in other.files().items():
            (self.sandbox.project / name).parent.mkdir(parents=True, exist_ok=True)
            (self.sandbox.project / name).write_text(text)

    def edit(self, file: str, old: str, new: str) -> None:
        path = self.sandbox.project / file
        text = path.read_text()
        assert text.count(old) == 1, f"{old!r} is not once in {file}"
        path.write_text(text.replace(old, new))

    def add(self, file: str, text: str) -> None:
        (self.sandbox.project / file).parent.mkdir(parents=True, exist_ok=True)
        (self.sandbox.project / file).write_text(text)

    def migration(self, app: str, name: str, parent: str, operations: str = "", before: str = "", needs: str = "") -> None:
        """Write a migration file, with lines before its class and further dependencies."""
        self.add(
            f"{app}/migrations/{name}.py",
            f"from django.db import migrations, models\n\n\n{before}class Migration(migrations.Migration):\n"
            f'    dependencies = [("{app}", "{parent}"), {needs}]\n    operations = [{operations}]\n',
        )

    def settings(self, lines: str) -> None:
        with (self.sandbox.project / SETTINGS[self.sandbox.kind.name]).open("a") as file:
            file.write(f"\n{lines}\n")

    def fresh(self) -> Snapshot:
        """What the files make of an empty database, without the names that it makes up."""
        files = tuple(sorted(self.sandbox.files().items()))
        key = (self.sandbox.database, self.sandbox.kind.environment, files)
        if key not in FRESH:
            FRESH[key] = self.migrated_from_nothing()
        return FRESH[key]

    def migrated_from_nothing(self) -> Snapshot:
        with open_sandbox("empty", self.sandbox.database, self.path / f"fresh-{len(list(self.path.iterdir()))}", self.sandbox.kind) as empty:
            other = Reset(empty, self.path)
            other.take_files_of(self.sandbox)
            other.migrate()
            changes = other.manage("makemigrations", "--check", "--dry-run")
            assert changes.status == 0, changes.output
            return without_names(empty.snapshot(MADE_AFTER_MIGRATE))


def without_names(snapshot: Snapshot) -> Snapshot:
    return replace(snapshot, schema={table: sorted(CHOSEN_BY_THE_DATABASE.sub("NAME", line) for line in lines) for table, lines in snapshot.schema.items()})


@contextmanager
def opened(sandbox: Sandbox, path: Path) -> Iterator[Reset]:
    with sandbox:
        reset = Reset(sandbox, path)
        reset.settings(INSTALLED)
        path.mkdir(exist_ok=True, parents=True)
        yield reset


def plant_circle(reset: Reset) -> None:
    """Students point to invoices, which point to students."""
    field = 'models.ForeignKey("fees.Invoice", models.SET_NULL, null=True, related_name="+")'
    reset.migration(
        "students", "0010_first_invoice", "0009_student_class_name_index", needs='("fees", "0012_invoice_discount")',
        operations=f'migrations.AddField("student", "first_invoice", {field})',
    )  # fmt: skip
    reset.edit("students/models.py", "    older_sibling", f"    first_invoice = {field}\n    older_sibling")
    reset.migrate()

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from migration_runbooks.paths import PACKAGE
from migration_runbooks.worlds import DATABASES, Sandbox, Snapshot, available, open_library, open_sandbox

INSTALLED = '\nINSTALLED_APPS += ["migration_runbooks"]\n'
SETTINGS = {"acharya": "acharya/settings.py", "library": "lending/settings.py"}
CHOSEN_BY_THE_DATABASE = re.compile(r"(?<=constraint )\w+(?=:)|(?<=unique )\w+(?=:)|\b\w+_[0-9a-f]{8}(_\w+)?\b|\b\w+_(key|like)\d*\b")
"""Names that a database or Django makes up; a column that was unique later has another one than one that always was."""


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

    def refused(self, message: str, *words: str, status: int = 1) -> str:
        """Demand that the plan and --apply refuse with this message, and change nothing."""
        before, files = self.sandbox.snapshot(), self.sandbox.files()
        done = self.command(*words)
        assert done.status == status and message in done.output, done.output
        applied = self.command(*words, "--apply")
        assert applied.status == status and message in applied.output, applied.output
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

    def fresh(self) -> Snapshot:
        """What the files make of an empty database, without the names that it makes up."""
        with open_sandbox("empty", self.sandbox.database, self.path / f"fresh-{len(list(self.path.iterdir()))}", self.sandbox.kind) as empty:
            other = Reset(empty, self.path)
            other.take_files_of(self.sandbox)
            other.migrate()
            changes = other.manage("makemigrations", "--check", "--dry-run")
            assert changes.status == 0, changes.output
            return without_names(empty.snapshot(MADE_AFTER_MIGRATE))


def without_names(snapshot: Snapshot) -> Snapshot:
    return replace(snapshot, schema={table: sorted(CHOSEN_BY_THE_DATABASE.sub("NAME", line) for line in lines) for table, lines in snapshot.schema.items()})


@pytest.fixture(params=DATABASES)
def database(request) -> str:
    """The name of each database in turn. A test is skipped, with the reason, where there is no such server."""
    if reason := available(request.param):
        pytest.skip(reason)
    return request.param


@pytest.fixture
def on_sqlite(database):
    if database != "sqlite":
        pytest.skip("what is refused by looking at files alone does not depend on the database; SQLite stands for all")


@contextmanager
def opened(sandbox: Sandbox, path: Path) -> Iterator[Reset]:
    with sandbox:
        with (sandbox.project / SETTINGS[sandbox.kind.name]).open("a") as settings:
            settings.write(INSTALLED)
        path.mkdir(exist_ok=True, parents=True)
        yield Reset(sandbox, path)


@pytest.fixture
def acharya_reset(database, tmp_path):
    """Acharya, healthy, on each database, with the command installed."""
    with opened(open_sandbox("healthy", database, tmp_path / "sandbox"), tmp_path / "others") as reset:
        yield reset


@pytest.fixture
def library_reset(database, tmp_path):
    """The lending library, run by plain python."""
    with opened(open_library(database, tmp_path), tmp_path / "others") as reset:
        yield reset


@pytest.fixture
def other_reset(database, tmp_path):
    """Another database with the old history and the old files."""
    with opened(open_sandbox("healthy", database, tmp_path / "second"), tmp_path / "others") as reset:
        yield reset

"""What people are told to do about migration errors, as commands, and what is left afterwards."""

from __future__ import annotations

from pathlib import Path

import pytest
from migration_runbooks.pages.blocks import Block, read_page
from migration_runbooks.paths import DOCS
from migration_runbooks.worlds import DATABASES, available
from migration_runbooks.worlds.djangos import OLDEST_AND_NEWEST

DELETE_MIGRATIONS = 'find . -path "*/migrations/*.py" -not -name "__init__.py" -delete'
START_AGAIN = f"rm -f db.sqlite3; {DELETE_MIGRATIONS}; uv run manage.py makemigrations; uv run manage.py migrate"


def on(*databases: str):
    """Run a test on these databases; where there is no server it is skipped, with the reason."""
    missing = {each: available(each) for each in databases}
    return pytest.mark.parametrize(
        "database",
        [pytest.param(each, marks=pytest.mark.skipif(bool(why), reason=why or "")) for each, why in missing.items()],
    )


on_all = on(*DATABASES)

on_all_djangos = pytest.mark.parametrize("django", OLDEST_AND_NEWEST, indirect=True)
"""Run a test on the oldest and the newest Django. Its sandboxes come from the fixture `opened` or `acharya`."""


def page_of(slug: str) -> Path:
    return DOCS / "errors" / f"{slug}.md"


def first_command(slug: str) -> Block:
    """The block of a page with which the reader finds the cause."""
    return next(block for block in read_page(page_of(slug)).blocks if block.fence.kind == "bash")


def find_cause(sandbox, slug: str):
    """Run the page's own check in a sandbox, with the files that the page writes before it."""
    check = first_command(slug)
    for block in read_page(page_of(slug)).blocks[: check.ordinal]:
        if block.fence.kind == "file":
            file = sandbox.project / block.fence.title
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(block.text)
    return sandbox.run("bash", "-c", check.text)


def migration_files(sandbox) -> set[str]:
    """The paths of the project's migrations."""
    return {path for path in sandbox.files() if "/migrations/" in path and not path.endswith("__init__.py")}


def write_migration(sandbox, app: str, name: str, operations: str, attributes: str = "") -> None:
    """Add a migration behind the last one of an app."""
    folder = sandbox.project / app / "migrations"
    last = max(file.stem for file in folder.glob("0*.py"))
    (folder / f"{name}.py").write_text(
        "from django.db import migrations\n\n\nclass Migration(migrations.Migration):\n"
        f'    {attributes}\n    dependencies = [("{app}", "{last}")]\n    operations = [{operations}]\n'
    )


def last_line(output: str) -> str:
    return output.strip().splitlines()[-1]

"""What healthy projects look like after a squash: more rows than files, and none of them a ghost."""

from __future__ import annotations

import pytest
from planting import sql
from sqlite_alone import on_sqlite_alone

SQUASH = "0001_squashed_0003_one_record_per_student_and_day"
SQUASHED = ("0001_initial", "0002_record_marked_by", "0003_one_record_per_student_and_day")


@pytest.fixture
def squashed(checked):
    """The files that the squash replaces are gone, their rows are not."""
    folder = checked.sandbox.project / "attendance" / "migrations"
    for name in SQUASHED:
        (folder / f"{name}.py").unlink()
    for file in checked.sandbox.project.glob("*/migrations/0*.py"):
        if file.stem != SQUASH:
            file.write_text(file.read_text().replace(f'("attendance", "{SQUASHED[-1]}")', f'("attendance", "{SQUASH}")'))
    return checked


@on_sqlite_alone
def test_rows_of_files_that_a_squash_replaced_are_no_ghosts(squashed):
    assert squashed.findings() == []


@on_sqlite_alone
def test_nor_are_they_once_the_squash_no_longer_names_them(squashed):
    file = squashed.sandbox.project / "attendance" / "migrations" / f"{SQUASH}.py"
    text = file.read_text()
    start = text.index("    replaces = [")
    file.write_text(text[:start] + text[text.index("]\n", start) + 2 :])
    if not squashed.sandbox.execute(f"SELECT 1 FROM django_migrations WHERE name = '{SQUASH}'"):
        sql(squashed.sandbox, f"INSERT INTO django_migrations (app, name, applied) VALUES ('attendance', '{SQUASH}', CURRENT_TIMESTAMP)")
    assert squashed.findings() == []


def test_a_row_beyond_the_squash_is_a_ghost(squashed):
    sql(squashed.sandbox, "INSERT INTO django_migrations (app, name, applied) VALUES ('attendance', '0077_gone', CURRENT_TIMESTAMP)")
    assert [(each["id"], each["object"]) for each in squashed.findings()] == [("ghost-row", "0077_gone")]

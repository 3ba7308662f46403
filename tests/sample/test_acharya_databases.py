"""The sample project's history runs both ways on every database, with the school's rows in it."""

from __future__ import annotations

import json

import pytest
from migration_runbooks.worlds import DATABASES, available, open_sandbox

APPS_LAST_FIRST = ["attendance", "fees", "admissions", "students", "admin", "users"]


@pytest.fixture(scope="module", params=DATABASES)
def database(request) -> str:
    if reason := available(request.param):
        pytest.skip(reason)
    return request.param


@pytest.fixture
def school(database, tmp_path):
    with open_sandbox("healthy", database, tmp_path) as sandbox:
        yield sandbox


def demand(done):
    assert done.status == 0, done.output
    return done.stdout


def all_rows(sandbox) -> dict[tuple, dict]:
    """Return every row as Django dumps it, many-to-many values in order."""
    rows = json.loads(demand(sandbox.manage("dumpdata")))
    return {
        (row["model"], row["pk"]): {
            field: sorted(value) if isinstance(value, list) else value for field, value in row["fields"].items()
        }
        for row in rows
    }


def test_every_database_holds_the_same_school(school, tmp_path):
    with open_sandbox("healthy", "sqlite", tmp_path / "sqlite") as reference:
        assert all_rows(school) == all_rows(reference)


def test_migrating_to_zero_and_forward_again_makes_the_same_schema(school):
    before = school.snapshot().schema
    for app in APPS_LAST_FIRST:
        demand(school.manage("migrate", app, "zero"))
    assert not [table for table in school.snapshot().schema if table.startswith(("students_", "fees_", "users_"))]
    demand(school.manage("migrate"))
    assert school.snapshot().schema == before


@pytest.mark.parametrize(
    ("app", "target", "question"),
    [
        ("fees", "0005", "select id, number, amount, note from fees_invoice order by id"),
        ("students", "0004", "select id, admission_number, full_name from students_student order by id"),
        ("attendance", "0006", "select id, student_id, mark from attendance_record order by id"),
    ],
)
def test_rolling_back_past_a_data_migration_and_forward_again_keeps_its_rows(school, app, target, question):
    before = school.execute(question)
    demand(school.manage("migrate", app, target))
    demand(school.manage("migrate"))
    assert school.execute(question) == before


def test_django_finds_nothing_to_say(school):
    demand(school.manage("check", "--database", "default", "--fail-level", "ERROR"))
    demand(school.manage("makemigrations", "--check", "--dry-run"))

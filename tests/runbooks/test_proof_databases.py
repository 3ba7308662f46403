"""On which databases a proof runs."""

from __future__ import annotations

import pytest
from migration_runbooks.catalogue.runbooks import find
from migration_runbooks.worlds import DATABASES
from proof import RunbookProof, databases_of_kills, databases_that_differ

ALL = list(DATABASES)
REPAIR = RunbookProof.test_repaired_undone_and_killed_at_every_change.__name__
PAGE = RunbookProof.test_page_block_by_block_ends_where_the_scripts_end.__name__
HEALTHY = RunbookProof.test_healthy_project_is_told_healthy_and_left_alone.__name__


@pytest.mark.parametrize(
    ("slug", "test", "expected"),
    [
        ("fill-null-values", REPAIR, ALL),
        ("fill-null-values", PAGE, []),  # it ends as it began: tests/pages/test_ending.py
        ("break-dependency-cycle", REPAIR, ALL),
        ("break-dependency-cycle", HEALTHY, ALL),
        ("back-up-database", PAGE, ALL),
        ("rebuild-invalid-index", PAGE, ["postgresql"]),
        ("repair-damaged-django", REPAIR, ALL),
        ("repair-damaged-django", HEALTHY, ALL[:1]),  # it never starts Django
        ("repair-damaged-django", PAGE, ALL[:1]),  # docs/ runs it on each
    ],
)
def test_a_proof_runs_wherever_it_can_end_otherwise(slug, test, expected):
    assert list(databases_that_differ(find(slug), test)) == expected


@pytest.mark.parametrize(
    ("slug", "changes", "expected"),
    [
        ("fill-null-values", ["command", "write a", "sql in a transaction 'UPDATE'", "commit"], ALL),
        ("fill-null-values", ["command", "sql 'UPDATE'"], ALL),
        ("break-dependency-cycle", ["command", "write a"], ALL[:1]),  # files alone
        ("repair-damaged-django", ["command", "write a"], ALL[:1]),
        ("back-up-database", ["command", "write a"], ALL),  # each database has a script of its own
    ],
)
def test_kills_fall_wherever_they_can_leave_something_of_their_own(slug, changes, expected):
    assert list(databases_of_kills(find(slug), "fix", changes)) == expected

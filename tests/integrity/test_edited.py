"""A migration that was edited after it was applied, by fingerprints and by version control; and what is not tracked."""

from __future__ import annotations

import os
import time

import pytest
from planting import edit, migration
from sqlite_alone import on_sqlite_alone

MIGRATION = "fees/migrations/0006_number_existing_invoices.py"


def ids(checked) -> list[tuple[str, str]]:
    return [(each["id"], each["object"]) for each in checked.findings()]


def git(checked, *arguments: str) -> str:
    who = ("-c", "user.name=Asha", "-c", "user.email=asha@example.org")
    done = checked.sandbox.run("git", *who, *arguments)
    assert done.status == 0, done.output
    return done.stdout


@pytest.fixture
def committed(checked):
    """The project under version control, committed before its migrations were applied."""
    git(checked, "init", "-q")
    git(checked, "add", "-A")
    git(checked, "commit", "-q", "-m", "All", "--date=2020-01-01T00:00:00Z")
    return checked


@on_sqlite_alone
def test_fingerprints_show_an_edited_data_migration_and_not_its_formatting(checked):
    done = checked.command("--write-fingerprints")
    assert done.status == 0, done.output
    assert "Commit it." in done.stdout
    edit(checked.sandbox, MIGRATION, "    for pk in", "    # said otherwise\n\n    for pk in")
    assert ids(checked) == []
    edit(checked.sandbox, MIGRATION, '"F{pk:05}"', '"F{pk:06}"')
    assert ids(checked) == [("edited-migration", "0006_number_existing_invoices")]
    assert checked.command("--write-fingerprints").status == 0
    assert ids(checked) == []


@on_sqlite_alone
def test_a_broken_fingerprint_file_is_said_and_kept(checked):
    file = checked.sandbox.project / "migration_fingerprints.json"
    file.write_text("{")
    assert ids(checked) == [("could-not-check", f"the fingerprints in {file}")]
    assert checked.command("--write-fingerprints").status == 2
    assert file.read_text() == "{"


def test_version_control_shows_an_edit_before_there_are_fingerprints(committed):
    assert ids(committed) == []
    edit(committed.sandbox, MIGRATION, '"F{pk:05}"', '"F{pk:06}"')
    later = time.time() + 60
    os.utime(committed.sandbox.project / MIGRATION, (later, later))
    (found,) = committed.findings()
    assert (found["id"], found["level"], found["object"]) == ("edited-migration", "warning", "0006_number_existing_invoices")
    assert "differs from what commit" in found["message"]
    git(committed, "commit", "-q", "-am", "Edited")
    assert ids(committed) == [("edited-migration", "0006_number_existing_invoices")]


@on_sqlite_alone
def test_a_fresh_checkout_is_clean(committed):
    for file in committed.sandbox.project.rglob("migrations/*.py"):
        os.utime(file, (time.time() + 60, time.time() + 60))
    assert ids(committed) == []


@on_sqlite_alone
def test_untracked_and_ignored_migrations_are_found(committed):
    (committed.sandbox.project / ".gitignore").write_text("migrations/0013*\n")
    migration(committed.sandbox, "fees", "0013_nothing", "0012_invoice_discount")
    migration(committed.sandbox, "students", "0010_nothing", "0009_student_class_name_index")
    untracked = [each for each in committed.findings() if each["id"] == "untracked-migration"]
    assert [(each["level"], each["object"]) for each in untracked] == [("warning", "0013_nothing"), ("warning", "0010_nothing")]

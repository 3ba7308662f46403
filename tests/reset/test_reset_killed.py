"""Killed before any of its changes, a reset can be finished or taken back; so can the taking back."""

from __future__ import annotations

import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from migration_runbooks.paths import CHECKOUT, PACKAGE
from migration_runbooks.worlds import open_library
from resetting import Reset, opened
from sqlite_alone import on_sqlite_alone

KILLER = CHECKOUT / "tests" / "runbooks" / "killer"
VERBS = ("--resume", "--undo")


def killed(reset: Reset, kill_at: int, *words: str):
    """Run the command and kill it, with what it started, before change number `kill_at` (0: never). Return it and the changes."""
    count = reset.sandbox.place.directory / "changes"
    count.write_text("")
    watch = {"KILL_COUNT": str(count), "KILL_AT": str(kill_at), "BASH_ENV": str(KILLER / "commands.bash")}
    in_a_group = ("sh", "-c", 'KILL_GROUP=$$ exec "$@"', "sh")
    command = (*in_a_group, *reset.sandbox.kind.manage, "reset_migrations", *words)
    done = reset.sandbox.run(*command, PYTHONPATH=f"{KILLER}:{PACKAGE.parent}", **watch)
    return done, count.read_text().splitlines()


def points(changes: list[str], database: str) -> Iterator[int]:
    """Yield the numbers of the changes to the project, its database and the journal; those in the scratch database are not.

    Of the backup, which is killed at each of its changes in its own tests, a few stand for all. Other databases than
    SQLite differ in nothing but the transaction.
    """
    journal = [number for number, change in enumerate(changes, 1) if "journal.jsonl" in change]
    begun, backing_up, backed_up, changing, changed, checking, checked = journal
    before = range(begun - 4, backing_up + 1)
    during = range(backing_up + 1, backed_up, 9)
    after = [*range(backed_up, checking + 1), checked]
    if database == "sqlite":
        yield from [*before, *during, *after]
    else:
        yield from (number for number in range(changing, changed + 1) if number in (changing, changed) or not changes[number - 1].startswith(("os.", "write /")))


def replays(changes: list[str]) -> int:
    """Return how often the whole history was run on an empty database, which first gets the table of records."""
    return sum("CREATE TABLE" in change and "django_migrations" in change for change in changes)


@pytest.fixture
def whole(database, tmp_path):
    """What a reset that nobody kills leaves: its changes, the database, the files."""
    with opened(open_library(database, tmp_path / "whole"), tmp_path / "others") as reset:
        done, changes = killed(reset, 0, "catalog", "--apply")
        assert done.status == 0, done.output
        return changes, reset.sandbox.snapshot(), reset.sandbox.files()


def test_apply_killed_at_every_change(database, whole, tmp_path):
    """Where the database lies in the project's folder, one kill is gone on from twice."""
    changes, after, files = whole
    assert replays(changes) == 2, "once the old files, once the new ones"
    for number in points(changes, database):
        for verbs in [VERBS] if database == "sqlite" else [(verb,) for verb in VERBS]:
            with opened(open_library(database, tmp_path / f"{number}{verbs[0]}"), tmp_path / "others") as reset:
                before = reset.sandbox.snapshot(), reset.sandbox.files()
                done, seen = killed(reset, number, "catalog", "--apply")
                # When it is the backup's own process that was killed, the command ends with 1 and has changed nothing.
                assert done.status in (-signal.SIGKILL, 1), done.output
                begun = "begun" in journal_of(reset) and done.status != 1
                left = tmp_path / f"left-{number}{verbs[0]}"
                shutil.copytree(reset.sandbox.project, left)
                for verb in verbs:
                    put_back(left, reset.sandbox.project)
                    went_on = reset.command(verb)
                    where = f"killed before {seen[-1]}, then {verb}: {went_on.output}"
                    assert went_on.status == (0 if begun or verb == "--resume" else 2), where
                    finished = begun and verb == "--resume"
                    expected = (after, files) if finished else before
                    assert expected[0].difference(reset.sandbox.snapshot()) == [], where
                    assert reset.sandbox.files() == expected[1], where


@on_sqlite_alone
def test_a_file_changed_before_it_is_resumed_is_replayed_anew(whole, tmp_path):
    """What the proof replayed is not what the new check is about."""
    number = next(number for number, change in enumerate(whole[0], 1) if "DELETE FROM" in change)
    with opened(open_library("sqlite", tmp_path / "killed"), tmp_path / "others") as reset:
        killed(reset, number, "catalog", "--apply")
        reset.edit("loans/migrations/0002_loan_returned_on.py", "operations = [", 'operations = [migrations.RunSQL("CREATE INDEX by_pages ON catalog_book (pages)"), ')
        said, changes = killed(reset, 0, "--resume")
        assert replays(changes) == 1
        assert said.status == 3 and "missing-index: Table catalog_book lacks the index by_pages" in said.output, said.output


def journal_of(reset: Reset) -> str:
    journals = list((reset.sandbox.project / ".runbook/resets/runs").glob("*/journal.jsonl"))
    return journals[0].read_text() if journals else ""


def test_undo_killed_at_every_change(tmp_path):
    """Undo and resume both go on with it. It is the code of apply, on the same plan; SQLite's one file can be put back between kills."""
    with opened(open_library("sqlite", tmp_path / "killed"), tmp_path / "others") as reset:
        before, files = reset.sandbox.snapshot(), reset.sandbox.files()
        reset.apply("catalog")
        done = tmp_path / "done"
        shutil.copytree(reset.sandbox.project, done)
        status, changes = killed(reset, 0, "--undo")
        assert status.status == 0
        begun = next(number for number, change in enumerate(changes, 1) if "journal.jsonl" in change)
        for number in range(begun + 1, len(changes) + 1):
            put_back(done, reset.sandbox.project)
            assert killed(reset, number, "--undo")[0].status == -signal.SIGKILL
            again = reset.command("--undo" if number % 2 else "--resume")
            assert again.status == 0, again.output
            assert before.difference(reset.sandbox.snapshot()) == [] and reset.sandbox.files() == files, changes[number - 1]


def put_back(copy: Path, project: Path) -> None:
    shutil.rmtree(project)
    shutil.copytree(copy, project)


@on_sqlite_alone
def test_another_reset_waits_until_the_interrupted_one_is_finished(whole, tmp_path):
    changes, after, _ = whole
    number = next(number for number, change in enumerate(changes, 1) if "DELETE FROM" in change)
    with opened(open_library("sqlite", tmp_path / "killed"), tmp_path / "others") as reset:
        killed(reset, number, "catalog", "--apply")
        reset.refused("A reset of catalog was interrupted. Finish it: python manage.py reset_migrations --resume", "loans")
        reset.edit("catalog/migrations/0001_reset.py", "initial = True", "initial = True  # mine")
        said = reset.command("--resume")
        assert said.status == 3 and "Changed by somebody else meanwhile: catalog/migrations/0001_reset.py" in said.output, said.output
        reset.edit("catalog/migrations/0001_reset.py", "  # mine", "")
        theirs = "INSERT INTO django_migrations (app, name, applied) VALUES ('catalog', '0099_theirs', CURRENT_TIMESTAMP)"
        reset.sandbox.execute(theirs)
        said = reset.command("--resume")
        assert said.status == 3 and "Somebody else changed the history of database 'default' meanwhile: catalog.0099_theirs" in said.output, said.output
        reset.sandbox.execute("DELETE FROM django_migrations WHERE name = '0099_theirs'")
        said, went_on = killed(reset, 0, "--resume")
        assert said.status == 0 and replays(went_on) == 0, "the new files were replayed before the kill"
        assert after.difference(reset.sandbox.snapshot()) == []
        reset.migration("catalog", "0002_later", "0001_reset")
        said = reset.command("--undo")
        assert said.status == 3 and "Newer migrations build on the reset: catalog/migrations/0002_later.py" in said.output, said.output

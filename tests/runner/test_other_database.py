"""`--database ALIAS`: every runbook works on that database, and none looks at `default`."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from migration_runbooks.catalogue.runbooks import all_runbooks
from migration_runbooks.runner.scripts import default_database_only
from migration_runbooks.worlds import available, open_sandbox

ALIASES = """
DATABASES["other"] = DATABASES["default"]
DATABASES["default"] = {"ENGINE": "django.db.backends.sqlite3", "NAME": BASE_DIR / "untouched.sqlite3"}
"""
BACK_TO = ("--set", "APP=fees", "--set", "MIGRATION=0012_invoice_discount", "--set", "ALLOW_OTHER_APPS=")
BACKUPS = ("--set", "BACKUP_DIR=backups")


def apply(sandbox, slug: str, *settings: str) -> str:
    done = sandbox.run("runbook", "run", slug, "--database", "other", "--apply", "--yes", *settings)
    assert done.status == 0, done.output
    return done.output


def undo(sandbox) -> None:
    done = sandbox.run("runbook", "undo", "last")
    assert done.status == 0, done.output


def pretend_newer_backup_of_default(sandbox) -> None:
    """A backup file that is no backup, whose record says that it is of `default`."""
    (record,) = (sandbox.project / "backups").glob("*.json")
    facts = {**json.loads(record.read_text()), "alias": "default", "made": datetime.now(UTC).isoformat()}
    newer: Path = record.with_name(f"newer-{record.name}")
    newer.write_text(json.dumps(facts))
    newer.with_suffix("").write_text("of default")


@pytest.mark.parametrize("database", ["sqlite", "postgresql", "mariadb"])
def test_roll_back_back_up_and_restore_another_database(database, tmp_path):
    if reason := available(database):
        pytest.skip(reason)
    with open_sandbox("roll-back-migration", database, tmp_path) as sandbox:
        settings = sandbox.project / "acharya" / "settings.py"
        settings.write_text(settings.read_text() + ALIASES)
        before = sandbox.snapshot()

        apply(sandbox, "roll-back-migration", *BACK_TO)
        assert "fees_waiver" not in sandbox.snapshot().rows
        undo(sandbox)
        assert before.difference(sandbox.snapshot()) == []

        apply(sandbox, "back-up-database", *BACKUPS)
        pretend_newer_backup_of_default(sandbox)
        sandbox.execute("UPDATE fees_invoice SET amount = 0")
        damaged = sandbox.snapshot()
        apply(sandbox, "restore-database", *BACKUPS)
        assert before.difference(sandbox.snapshot()) == []
        undo(sandbox)
        assert damaged.difference(sandbox.snapshot()) == []
        assert not (sandbox.project / "untouched.sqlite3").exists()


@pytest.mark.parametrize("runbook", [each for each in all_runbooks() if each.django], ids=lambda each: each.slug)
def test_every_runbook_takes_another_database(runbook):
    assert [default_database_only(runbook, each) for each in runbook.databases] == [""] * len(runbook.databases)


def test_script_that_uses_the_default_connection_is_found(desk, monkeypatch):
    from migration_runbooks import paths
    from migration_runbooks.catalogue.runbooks import load_runbook

    monkeypatch.setattr(paths, "ERRORS", desk.catalogue / "errors")
    assert default_database_only(load_runbook(desk.catalogue / "runbooks" / "mend-note"), "sqlite") == "diagnose.sh"

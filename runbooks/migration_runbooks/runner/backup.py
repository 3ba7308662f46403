"""The backup before a fix: made by the runbook that readers use too, and verified before it counts."""

from __future__ import annotations

from pathlib import Path

from migration_runbooks.catalogue.runbooks import WITHOUT_DATABASE, Runbook, find
from migration_runbooks.runner import inputs
from migration_runbooks.runner.journal import Journal
from migration_runbooks.runner.problems import NOT_REPAIRED, Stop
from migration_runbooks.runner.scripts import Scripts

BACK_UP = "back-up-database"


def touches_database(runbook: Runbook) -> bool:
    return runbook.risk["fix"] not in WITHOUT_DATABASE


def backup_folder(run: Path) -> Path:
    return run / "backup"


def back_up(scripts: Scripts, journal: Journal) -> None:
    """Back up the database into the run's folder: restored elsewhere and compared. Raises Stop when that fails."""
    runbook = find(BACK_UP)
    if scripts.database.vendor not in runbook.databases:
        raise Stop(f"There is no backup for {scripts.database.vendor}. Nothing was changed.", NOT_REPAIRED)
    folder = backup_folder(journal.folder)
    folder.mkdir(mode=0o700, exist_ok=True)
    values = {"BACKUP_DIR": str(folder.relative_to(scripts.project.directory))}
    journal.write("started", step="backup", folder=values["BACKUP_DIR"])
    for step in ("fix", "verify"):
        done = scripts.run(runbook, step, values, journal.folder / "backup.txt")
        if done.status:
            journal.write("finished", step="backup", status=done.status)
            message = f"The backup failed ({step} of {BACK_UP} ended with status {done.status}). Nothing was changed."
            raise Stop(message, NOT_REPAIRED)
        # fix says what it made, `BACKUP=…`, and verify looks at that.
        values |= {name: each.value for name, each in inputs.found(runbook, done.stdout, {}).items()}
    journal.write("finished", step="backup", status=0)

"""Which backup to restore, and how the live database differs from it."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from django.db import DatabaseError

sys.path.insert(0, ".runbook/restore-database")
from backup_folder import Refused, connection, differences, folder, identity, sha256, verified_backups  # noqa: E402
from fingerprints import fingerprints  # noqa: E402


def chosen() -> tuple[Path, dict]:
    """BACKUP, or the database's newest verified backup in BACKUP_DIR, whose file is still as it was verified. Raises Refused."""
    if not os.environ.get("BACKUP"):
        this = os.environ["DJANGO_SETTINGS_MODULE"], connection.vendor, connection.alias
        own = [path for path, each in verified_backups() if (each["project"], each["vendor"], each["alias"]) == this]
        if not own:
            raise Refused(f"There is no verified backup of this project's database {connection.alias!r} in {folder()}. Set BACKUP to the file to restore.")
        os.environ["BACKUP"] = str(own[0])
    backup = Path(os.environ["BACKUP"])
    record_file = backup.with_name(backup.name + ".json")
    if not backup.is_file() or not record_file.is_file():
        missing = backup if not backup.is_file() else record_file
        raise Refused(f"There is no file {missing}. The database was not changed. Set BACKUP to a backup that back-up-database made.")
    record = json.loads(record_file.read_text())
    if record["vendor"] != connection.vendor:
        raise Refused(f"{backup} is a backup of {record['vendor']}, this database is {connection.vendor}. The database was not changed.")
    if record["sha256"] != sha256(backup):
        raise Refused(f"{backup} is damaged: it was changed or cut after it was verified. The database was not changed. "
                      "Set BACKUP to an older one.")
    if record["database"] != identity():
        print(f"This is a backup of another database: {record['database']}")
    return backup, record


def live_differences(record: dict) -> list[str]:
    """How the live database differs from the backup, a line a table."""
    try:
        return differences(record["tables"], fingerprints(connection))
    except DatabaseError as error:
        return [f"the database can't be read: {str(error).strip()}"]


def unknown_to_the_code(record: dict) -> None:
    """Say how the backup's migrations and the code's differ: the next command depends on it."""
    from django.db.migrations.loader import MigrationLoader

    known = {f"{app}.{name}" for app, name in MigrationLoader(None, ignore_no_migrations=True).disk_migrations}
    applied = set(record["migrations"])
    for name in sorted(known - applied):
        print(f"Not applied in the restored database: {name}")
    for name in sorted(applied - known):
        print(f"Applied in the restored database, but unknown to this code: {name}")

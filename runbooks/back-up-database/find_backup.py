"""Is there a verified backup of this database that is young enough and knows its newest migration?"""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime, timedelta

from django.db import DatabaseError

sys.path.insert(0, ".runbook/back-up-database")
from backup_folder import applied, folder, identity, sha256, told_plainly, verified_backups  # noqa: E402

MAX_AGE = timedelta(minutes=float(os.environ.get("MAX_AGE_MINUTES") or 60))


def why_not(path, record) -> str:
    """Why this backup doesn't count now; "" when it does."""
    age = datetime.now(UTC) - datetime.fromisoformat(record["made"])
    if record["database"] != identity():
        return f"it is of another database, {record['database']}"
    if age > MAX_AGE:
        return f"it is {age.total_seconds() // 60:.0f} minutes old"
    if record["migrations"] != applied():
        return "migrations were applied or unapplied since it was made"
    if record["sha256"] != sha256(path):
        return "its file was changed after it was verified"
    return ""


def find() -> int:
    with_record = verified_backups()
    known = {path.name for path, _ in with_record}
    for path in sorted(folder().glob("*")) if folder().is_dir() else []:
        if path.suffix != ".json" and path.name not in known and not path.name.startswith("."):
            print(f"{path}: does not count, it was never verified")
    for path, record in with_record:
        reason = why_not(path, record)
        if not reason:
            print(f"{path}: verified, made {record['made']}")
            return 0
        print(f"{path}: does not count, {reason}")
    print(f"No verified backup in {folder()} counts.")
    return 1


with told_plainly(status=2):
    try:
        status = find()
    except DatabaseError as error:
        print(f"The database can't be asked: {str(error).strip()}", file=sys.stderr)
        status = 2
    print(f"BACKUP_DIR={folder()}")
    print(f"MAX_AGE_MINUTES={MAX_AGE.total_seconds() / 60:.0f}")
sys.exit(status)

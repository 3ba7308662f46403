"""The folder of backups: names, one run at a time, and the record beside each backup of what was verified.

BACKUP_DIR is the folder. A backup `acharya-20260801T020304Z.dump` has a record `acharya-20260801T020304Z.dump.json`;
a file without a record was never verified.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

from django.db import DatabaseError, connections
from django.db.migrations.recorder import MigrationRecorder

connection = connections[os.environ.get("RUNBOOK_DATABASE", "default")]


class Refused(Exception):
    """What is wrong, what was left unchanged, and the next command; shown without a traceback."""


@contextlib.contextmanager
def told_plainly(status=1):
    try:
        yield
    except Refused as refusal:
        print(refusal, file=sys.stderr)
        sys.exit(status)
    except (DatabaseError, OSError) as error:
        print(f"{type(error).__name__}: {str(error).strip()}\nThe database was not changed.", file=sys.stderr)
        sys.exit(status)


def folder() -> Path:
    return Path(os.environ.get("BACKUP_DIR") or ".runbook/backups")


@contextlib.contextmanager
def one_at_a_time():
    """Hold the folder's lock, which the kernel frees when the process dies, and clear what killed runs left."""
    folder().mkdir(parents=True, exist_ok=True)
    with open(folder() / ".lock", "w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Refused(f"Another backup is being written to {folder()}. Nothing was changed. Run this again when it is done.") from None
        try:
            clear_parts()
            yield
        finally:
            clear_parts()


def clear_parts() -> None:
    for part in folder().glob("*.part"):
        part.unlink()


def new_backup(suffix: str) -> Path:
    """A name that no backup has; the text before `-` is the database's."""
    name = re.sub(r"\W+", "_", Path(str(connection.settings_dict["NAME"])).stem)
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S")
    names = (folder() / f"{name}-{stamp}{extra}Z{suffix}" for extra in ["", *(f".{n}" for n in range(1, 1000))])
    return next(each for each in names if not each.exists())


def part_of(backup: Path) -> Path:
    part = backup.with_name(backup.name + ".part")
    os.close(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    return part


def run_tool(argv: list[str], environment: dict[str, str], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL) -> None:
    """Run a client program; passwords travel in `environment`, never in `argv`. Raises Refused when it fails."""
    try:
        done = subprocess.run(argv, env={**os.environ, **environment}, stdin=stdin, stdout=stdout, stderr=subprocess.PIPE)
    except FileNotFoundError:
        raise Refused(f"{argv[0]} is not installed here. Install the database's client programs, then run this again.") from None
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip()
        raise Refused(f"{argv[0]} failed with status {done.returncode}:\n{said}")


def identity() -> str:
    """Which database this is, in words that hold no password."""
    settings = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:{Path(settings['NAME']).resolve()}"
    return f"{connection.vendor}:{settings['HOST']}:{settings['PORT']}/{settings['NAME']}"


def short_name() -> str:
    """The database's name, with room to add to it: a long one is cut, and a hash keeps two that begin alike apart."""
    name = str(connection.settings_dict["NAME"])
    return name if len(name) <= 30 else f"{name[:23]}_{hashlib.md5(name.encode()).hexdigest()[:6]}"


def applied() -> list[str]:
    return sorted(f"{app}.{name}" for app, name in MigrationRecorder(connection).applied_migrations())


def sha256(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_through(path: Path) -> None:
    with open(path, "rb") as file:
        os.fsync(file.fileno())


def keep(part: Path, backup: Path, tables: dict, migrations: list[str], note: str = "") -> None:
    """Give a verified backup its name; the record comes last, so that a backup with a record is whole."""
    record = {
        "project": os.environ["DJANGO_SETTINGS_MODULE"], "alias": connection.alias, "database": identity(), "vendor": connection.vendor,
        "made": datetime.now(UTC).isoformat(),
        "sha256": sha256(part), "migrations": migrations, "tables": tables, "note": note,
    }
    record_part = part_of(backup.with_name(backup.name + ".json"))
    record_part.write_text(json.dumps(record, indent=1))
    for each in (part, record_part):
        write_through(each)
    os.rename(part, backup)
    os.rename(record_part, backup.with_name(backup.name + ".json"))
    print(f"{len(tables)} tables, {sum(rows for rows, _ in tables.values())} rows: restored elsewhere and compared.")
    print(f"BACKUP={backup}")


def set_aside(part: Path, backup: Path, reason: str) -> None:
    """Keep a backup that failed its restore under a name that says so. Raises Refused."""
    unverified = backup.with_name(backup.name + ".unverified")
    os.rename(part, unverified)
    raise Refused(f"This backup does not count, it is kept as {unverified}:\n{reason}\nThe database was not changed.")


def differences(expected: dict, found: dict) -> list[str]:
    """What differs between two results of `fingerprints`, a line a table; none when they are equal."""
    lines = []
    for table in sorted(expected.keys() | found.keys()):
        then, now = expected.get(table), found.get(table)
        if then == now or (then and now and list(then) == list(now)):
            continue
        if not then or not now:
            lines.append(f"{table}: {'missing' if then else 'not expected'}")
        elif then[0] != now[0]:
            lines.append(f"{table}: {then[0]} rows expected, {now[0]} found")
        else:
            lines.append(f"{table}: {now[0]} rows, but other values")
    return lines


def verified_backups() -> list[tuple[Path, dict]]:
    """Backups with a record, newest first; what their files hold now is not looked at."""
    records = [(path.with_suffix(""), json.loads(path.read_text())) for path in folder().glob("*.json")]
    return sorted((each for each in records if each[0].exists()), key=lambda each: each[1]["made"], reverse=True)

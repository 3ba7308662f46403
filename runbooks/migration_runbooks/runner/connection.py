"""How the database's own tools reach the database: by variables and a private option file, never by arguments.

The variables are those of libpq (https://www.postgresql.org/docs/current/libpq-envars.html) and of MariaDB's clients
(https://mariadb.com/kb/en/configuring-mariadb-with-option-files/).
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from migration_runbooks.runner.project import Database

LIBPQ = {"NAME": "PGDATABASE", "USER": "PGUSER", "PASSWORD": "PGPASSWORD", "HOST": "PGHOST", "PORT": "PGPORT"}
LIBPQ_OPTIONS = {
    "service": "PGSERVICE",
    "passfile": "PGPASSFILE",
    "options": "PGOPTIONS",
    "sslmode": "PGSSLMODE",
    "sslrootcert": "PGSSLROOTCERT",
    "sslcert": "PGSSLCERT",
    "sslkey": "PGSSLKEY",
}


@contextmanager
def tools_environment(database: Database, private: Path) -> Iterator[dict[str, str]]:
    """Yield the environment in which scripts run; the option file in it is gone afterwards."""
    environment = {**os.environ, "RUNBOOK_DATABASE": database.alias}
    if database.vendor == "postgresql":
        yield _without_prefix(environment, "PG") | _libpq(database)
        return
    if database.vendor != "mariadb":
        yield environment
        return
    sweep(private)
    home = private / "private" / str(os.getpid())
    home.mkdir(parents=True, mode=0o700)
    try:
        _write_private(home / "my.cnf", _option_file(database))
        yield _without_prefix(environment, "MYSQL_") | {"MYSQL_HOME": str(home)}
    finally:
        shutil.rmtree(home, ignore_errors=True)


def sweep(private: Path) -> None:
    """Remove the option files of processes that were killed."""
    for home in (private / "private").glob("*"):
        if not Path("/proc", home.name).exists() or home.name == str(os.getpid()):
            shutil.rmtree(home, ignore_errors=True)


def secrets(database: Database) -> list[str]:
    """Return every text that must not be shown."""
    password = database.settings.get("PASSWORD", "")
    given = str(database.options.get("password") or database.options.get("passwd") or "")
    plain = {text for text in (password, given) if text}
    return sorted(plain | {quote(text, safe="") for text in plain}, key=len, reverse=True)


def _without_prefix(environment: dict[str, str], prefix: str) -> dict[str, str]:
    # Otherwise a variable of the reader's shell could lead the tools to another database than Django's.
    return {name: value for name, value in environment.items() if not name.startswith(prefix)}


def _libpq(database: Database) -> dict[str, str]:
    given = {variable: database.settings[name] for name, variable in LIBPQ.items() if database.settings.get(name)}
    options = {LIBPQ_OPTIONS[name]: str(value) for name, value in database.options.items() if name in LIBPQ_OPTIONS}
    return given | options | {"PGAPPNAME": "runbook"}


def _option_file(database: Database) -> str:
    given, options = database.settings, database.options
    lines = {"user": given["USER"], "password": given["PASSWORD"], "port": given["PORT"]}
    host = given["HOST"]
    lines["socket" if host.startswith("/") else "host"] = host
    lines["socket"] = str(options.get("unix_socket", lines.get("socket", "")))
    lines |= {f"ssl-{name}": str(value) for name, value in (options.get("ssl") or {}).items()}
    return "[client]\n" + "".join(f"{name}={_quoted(value)}\n" for name, value in lines.items() if value)


def _quoted(value: str) -> str:
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _write_private(file: Path, text: str) -> None:
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as opened:
        opened.write(text)

"""Whether what a block requires, such as `django>=6.0`, is met here."""

from __future__ import annotations

import platform
import re
import sqlite3
from importlib.metadata import version

from packaging.requirements import Requirement

_versions: dict[str, str] = {}
"""By database; the servers stay the same while a run lasts."""

SERVERS = ("sqlite", "postgresql", "mariadb")


def unmet(requires: str, database: str, sandbox) -> str | None:
    """Return why a requirement is not met on this database and these versions, None when it is."""
    requirement = Requirement(requires)
    if requirement.name in SERVERS and requirement.name != database:
        return f"needs {requires}, this is {database}"
    found = _version(requirement.name, sandbox)
    if not found or not requirement.specifier.contains(found, prereleases=True):
        return f"needs {requires}, this is {found or 'of unknown version'}"
    return None


def server_version(database: str, sandbox) -> str:
    """The version of the sandbox's server, or of SQLite's library."""
    if database == "sqlite":
        return sqlite3.sqlite_version
    return _ask(database, sandbox)


def _ask(database: str, sandbox) -> str:
    if database not in _versions:
        (answer,) = sandbox.execute("SELECT version()")[0]
        _versions[database] = re.search(r"\d+(\.\d+)*", answer)[0]
    return _versions[database]


def _version(name: str, sandbox) -> str:
    if name == "python":
        return platform.python_version()
    return server_version(name, sandbox) if name in SERVERS else version(name)

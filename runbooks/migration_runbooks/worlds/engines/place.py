"""Where one sandbox lives, and where its database is reached."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Place:
    """The folder of a sandbox, its project inside it, and the name of its database on a server."""

    directory: Path
    project: Path
    database: str

    @property
    def home(self) -> Path:
        return self.directory / "home"


@dataclass(frozen=True)
class Address:
    """What a project needs to reach a database: the engine's name in Django, and where it is.

    `name` is a file's path on SQLite. `host` is the socket's folder on PostgreSQL and the socket itself on MariaDB.
    """

    engine: str
    name: str
    host: str = ""
    user: str = ""

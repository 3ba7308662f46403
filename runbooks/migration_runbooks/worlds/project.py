"""A Django project that sandboxes can be made of, and how one runs it."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from migration_runbooks.paths import CHECKOUT
from migration_runbooks.worlds.engines.place import Address

UV_RUN = ("uv", "run", "manage.py")
"""The one spelling of Django's command in scripts and pages."""

PYTHON = ("python", "manage.py")
"""The spelling of projects that know no uv."""


def database_url(address: Address) -> dict[str, str]:
    """Spell the address as DATABASE_URL, as dj-database-url reads it."""
    scheme = {"sqlite3": "sqlite", "postgresql": "postgres"}.get(address.engine, address.engine)
    if address.engine == "sqlite3":
        return {"DATABASE_URL": f"{scheme}:///{quote(address.name)}"}
    return {"DATABASE_URL": f"{scheme}://{address.user}@{quote(address.host, safe='')}/{address.name}"}


def find_uv() -> Path | None:
    """Return the uv of the checkout, or the one on PATH."""
    own = CHECKOUT / ".uv" / "bin" / "uv"
    found = own if own.is_file() else shutil.which("uv")
    return Path(found) if found else None


@dataclass(frozen=True)
class Project:
    """A folder with manage.py and, if its databases are to hold rows, a `seed.sh` that runs after `migrate`.

    `manage` is the command that runs manage.py, `environment` the virtual environment it runs in, `variables` spells a
    database's address as the project's settings want it, and `with_uv` says whether uv is on its PATH.
    """

    folder: Path
    manage: tuple[str, ...] = UV_RUN
    environment: Path = Path(sys.prefix)
    variables: Callable[[Address], dict[str, str]] = database_url
    with_uv: bool = True
    warm: bool = True

    @property
    def name(self) -> str:
        return self.folder.name

"""Read the URL that names the database."""

from __future__ import annotations

from typing import Any

import dj_database_url

dj_database_url.register("mariadb", "django.db.backends.mysql")

# Django's `dbshell` looks for these among the settings, not in OPTIONS, where a URL's query leaves them.
SETTING_OF_OPTION = {"host": "HOST", "user": "USER", "unix_socket": "HOST"}


def read_url(url: str) -> dict[str, Any]:
    """Return the entry of DATABASES that a URL describes.

    SQLite, PostgreSQL, MariaDB and MySQL are known. A unix socket may be given as `?unix_socket=/path` (MariaDB) and
    a socket folder as `?host=/path` or as a percent-encoded host (PostgreSQL).
    """
    database = dict(dj_database_url.parse(url))
    options = database.get("OPTIONS", {})
    for option, setting in SETTING_OF_OPTION.items():
        if option in options:
            database[setting] = options.pop(option)
    return database

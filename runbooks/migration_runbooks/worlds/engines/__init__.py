"""The databases that a sandbox can live on, all behind the same few functions.

Each module knows how to: say why it is `missing()`, `create`, `freeze`, `clone`, `drop` and `connect` to the database of
a Place, name its `address`, and give the `variables` and `tools` that its own clients need.
"""

from __future__ import annotations

from types import ModuleType

from migration_runbooks.worlds.engines import mariadb, postgresql, sqlite

ENGINES: dict[str, ModuleType] = {"sqlite": sqlite, "postgresql": postgresql, "mariadb": mariadb}
SERVERS: dict[str, ModuleType] = {"postgresql": postgresql, "mariadb": mariadb}

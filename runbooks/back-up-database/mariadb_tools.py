"""Reach the database that Django uses, and databases beside it, without a password in any argument."""

from __future__ import annotations

import shutil


def tool(connection, program: str, *options: str, database: str | None = None) -> tuple[list[str], dict[str, str]]:
    """Arguments and variables with which `program` reaches the database of `connection`, or another one of its server."""
    settings = {**connection.settings_dict, "OPTIONS": dict(connection.settings_dict["OPTIONS"])}
    settings["NAME"] = database or settings["NAME"]
    for spelling in ("database", "db"):
        settings["OPTIONS"].pop(spelling, None)
    (_, *arguments), environment = connection.client.settings_to_cmd_args_env(settings, [])
    *reach, name = arguments
    older_name = {"mariadb": "mysql", "mariadb-dump": "mysqldump"}[program]
    return [program if shutil.which(program) else older_name, *reach, *options, name], environment or {}


def beside(connection, name: str):
    """A connection, as the same user, to another database of the same server."""
    other = connection.copy(f"beside_{connection.alias}")
    other.settings_dict["NAME"] = name
    return other

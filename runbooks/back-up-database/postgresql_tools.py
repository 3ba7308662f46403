"""Reach the database that Django uses, and databases beside it, without a password in any argument."""

from __future__ import annotations

import json


def tool_environment(connection) -> dict[str, str]:
    """Variables with which pg_dump and pg_restore reach the database of `connection`; what is unset stays the reader's."""
    settings = connection.settings_dict
    _, environment = connection.client.settings_to_cmd_args_env(settings, [])
    named = {"PGHOST": settings["HOST"], "PGPORT": settings["PORT"], "PGUSER": settings["USER"], "PGDATABASE": settings["NAME"]}
    return {**(environment or {}), **{name: str(value) for name, value in named.items() if value}}


def beside(connection, name: str):
    """A connection, as the same role, to another database of the same server."""
    other = connection.copy(f"beside_{connection.alias}")
    other.settings_dict["NAME"] = name
    return other


def is_empty(connection, name: str) -> bool:
    """Whether a database holds no relation at all, as one does that a run made and was killed before it could mark it."""
    other = beside(connection, name)
    try:
        with other.cursor() as cursor:
            cursor.execute("SELECT NOT EXISTS (SELECT FROM pg_class WHERE relnamespace::regnamespace::text !~ '^(pg_|information_schema$)')")
            return cursor.fetchone()[0]
    finally:
        other.close()


def create_beside(cursor, name: str, mark: str) -> None:
    """Create an empty database with the encoding and locale of the present one, and a comment that says whose it is."""
    cursor.execute("SELECT to_jsonb(d)::text, pg_encoding_to_char(encoding) FROM pg_database d WHERE datname = current_database()")
    row, encoding = cursor.fetchone()
    now = json.loads(row)
    options = {"ENCODING": encoding, "LC_COLLATE": now["datcollate"], "LC_CTYPE": now["datctype"]}
    locale = now.get("datlocale") or now.get("daticulocale")
    provider = {"i": "icu", "b": "builtin", "c": "libc"}.get(now.get("datlocprovider"))
    words = f" LOCALE_PROVIDER {provider}" if provider else ""
    if locale and provider in ("icu", "builtin"):
        options[f"{provider.upper()}_LOCALE"] = locale
    words += "".join(f" {option} '{value}'" for option, value in options.items())
    quoted = '"' + name.replace('"', '""') + '"'
    cursor.execute(f"CREATE DATABASE {quoted} TEMPLATE template0{words}")
    cursor.execute(f"COMMENT ON DATABASE {quoted} IS %s", [mark])

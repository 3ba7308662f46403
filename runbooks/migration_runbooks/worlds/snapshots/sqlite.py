"""Describe a SQLite database. https://www.sqlite.org/pragma.html"""

from __future__ import annotations

import re
from sqlite3 import Cursor

from migration_runbooks.worlds.snapshots.snapshot import Table

TABLES = "SELECT name, sql FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"
OTHERS = "SELECT tbl_name, type, name, sql FROM sqlite_master WHERE type IN ('index', 'trigger') AND sql IS NOT NULL"


def quote(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def tables(cursor: Cursor) -> dict[str, Table]:
    """Return every table. Indexes and triggers are described by their own SQL, checks by that of their table."""
    found = {name: table(cursor, name, sql) for name, sql in cursor.execute(TABLES).fetchall()}
    for owner, kind, name, sql in cursor.execute(OTHERS).fetchall():
        if owner in found:
            found[owner].description.append(f"{kind} {name}: {one_line(sql)}")
    return found


def table(cursor: Cursor, name: str, sql: str) -> Table:
    # table_xinfo: cid, name, type, notnull, dflt_value, pk, hidden
    columns = cursor.execute(f"PRAGMA table_xinfo({quote(name)})").fetchall()
    lines = [describe_column(*column[1:]) for column in columns]
    lines += unique_constraints(cursor, name) + foreign_keys(cursor, name)
    lines += [f"check {check}" for check in checks(sql)]
    if re.search(r"\bAUTOINCREMENT\b", sql, re.IGNORECASE):
        lines.append("autoincrement")
    return Table([column[1] for column in columns], lines)


def describe_column(name: str, kind: str, not_null: int, default: str | None, key: int, hidden: int) -> str:
    extras = (f" default {default}" if default is not None else "") + (f" primary key {key}" if key else "")
    generated = {2: " generated", 3: " generated stored"}.get(hidden, "")
    return f"column {name}: {kind.lower()} {'not null' if not_null else 'null'}{extras}{generated}"


def unique_constraints(cursor: Cursor, table: str) -> list[str]:
    lines = []
    for _, index, _, origin, _ in cursor.execute(f"PRAGMA index_list({quote(table)})").fetchall():
        if origin == "u":  # made by a UNIQUE in CREATE TABLE; those of CREATE INDEX have SQL of their own
            columns = [row[2] for row in cursor.execute(f"PRAGMA index_info({quote(index)})").fetchall()]
            lines.append(f"unique ({', '.join(columns)})")
    return lines


def foreign_keys(cursor: Cursor, table: str) -> list[str]:
    # foreign_key_list: id, seq, table, from, to, on_update, on_delete, match
    keys: dict[int, list[tuple]] = {}
    for row in cursor.execute(f"PRAGMA foreign_key_list({quote(table)})").fetchall():
        keys.setdefault(row[0], []).append(row)
    lines = []
    for rows in keys.values():
        _, _, target, _, _, on_update, on_delete, _ = rows[0]
        own, others = ", ".join(row[3] for row in rows), ", ".join(row[4] or "its key" for row in rows)
        lines.append(f"foreign key ({own}) to {target} ({others}) on update {on_update} on delete {on_delete}".lower())
    return lines


def checks(sql: str) -> list[str]:
    """Return the checks in a CREATE TABLE, each with its name if it has one: SQLite tells them nowhere else."""
    pattern = re.compile(r'(?:CONSTRAINT\s+("[^"]+"|\w+)\s+)?\bCHECK\s*\(', re.IGNORECASE)
    return [one_line(f"{found[1] or ''} {inside(sql, found.end())}") for found in pattern.finditer(sql)]


def inside(sql: str, start: int) -> str:
    """Return what stands in the parenthesis that opened just before `start`; quoted text does not count."""
    depth = 1
    for token in re.finditer(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|[()]", sql[start:]):
        depth += {"(": 1, ")": -1}.get(token[0], 0)
        if depth == 0:
            return sql[start : start + token.start()]
    return sql[start:]


def one_line(text: str) -> str:
    return " ".join(text.split())


def sequences(cursor: Cursor) -> dict[str, int | None]:
    if not cursor.execute("SELECT 1 FROM sqlite_master WHERE name = 'sqlite_sequence'").fetchone():
        return {}
    return dict(cursor.execute("SELECT name, seq FROM sqlite_sequence").fetchall())

"""Read the schema of a SQLite database. https://www.sqlite.org/pragma.html"""

from __future__ import annotations

import re

from migration_runbooks.integrity.schema.model import Column, Key, Schema, Table

OWN = "m.type = 'table' AND m.name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"
TABLES = f"SELECT m.name, m.sql FROM sqlite_master m WHERE {OWN}"
COLUMNS = f"""
    SELECT m.name, c.name, c.type, c."notnull", c.dflt_value, c.pk, c.hidden
    FROM sqlite_master m, pragma_table_xinfo(m.name) c WHERE {OWN} ORDER BY m.name, c.cid"""
INDEXES = f"""
    SELECT m.name, i.name, i."unique", i.origin, x.name, s.sql
    FROM sqlite_master m, pragma_index_list(m.name) i, pragma_index_info(i.name) x
    LEFT JOIN sqlite_master s ON s.type = 'index' AND s.name = i.name
    WHERE {OWN} ORDER BY m.name, i.name, x.seqno"""
FOREIGN_KEYS = f"""
    SELECT m.name, f.id, f."table", f."from", f."to", f.on_update, f.on_delete
    FROM sqlite_master m, pragma_foreign_key_list(m.name) f WHERE {OWN} ORDER BY m.name, f.id, f.seq"""

UNIQUE = re.compile(r"CONSTRAINT\s+(\"[^\"]+\"|\w+)\s+UNIQUE\s*(\([^)]*\))", re.IGNORECASE)
QUOTED = r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|`[^`]*`|\[[^\]]*\]"
CHECK = re.compile(r"(?:CONSTRAINT\s+(\"[^\"]+\"|\w+)\s+)?\bCHECK\s*\(", re.IGNORECASE)


def read(cursor) -> Schema:
    schema, texts = Schema(), dict(cursor.execute(TABLES).fetchall())
    for table in texts:
        schema.table(table)
    collations = {table: collations_in(sql) for table, sql in texts.items()}
    for table, name, kind, not_null, default, primary, hidden in cursor.execute(COLUMNS).fetchall():
        automatic = bool(primary) and bool(re.search(r"\bAUTOINCREMENT\b", texts[table], re.IGNORECASE))
        generated = {2: "virtual", 3: "stored"}.get(hidden)
        schema[table].columns[name] = Column(
            name, kind.lower(), not not_null, default, collations[table].get(name.lower()), automatic, generated
        )
        if primary:
            add_to_primary_key(schema[table], name)
    add_indexes(schema, texts, cursor.execute(INDEXES).fetchall())
    add_foreign_keys(schema, cursor.execute(FOREIGN_KEYS).fetchall())
    for table, sql in texts.items():
        schema[table].keys += checks_in(sql)
    return schema


def add_to_primary_key(table: Table, column: str) -> None:
    columns: tuple[str, ...] = (column,)
    if table.keys:
        columns = (*table.keys.pop().columns, column)
    table.keys.append(Key("primary key", "", columns, ", ".join(columns)))


def add_indexes(schema: Schema, texts: dict[str, str], rows: list[tuple]) -> None:
    groups: dict[tuple, list[str]] = {}
    for table, name, unique, origin, column, sql in rows:
        if origin != "pk":
            groups.setdefault((table, name, unique, sql), []).append(column or "(expression)")
    for (table, name, unique, sql), columns in groups.items():
        # An index that a UNIQUE in CREATE TABLE made has no SQL of its own; a plain one is the same as it.
        definition = plain(sql[sql.index("(") :]) if sql else f"({', '.join(columns)})"
        name = name if sql else unique_constraints_in(texts[table]).get(definition, "")
        schema[table].keys.append(Key("unique" if unique else "index", name, tuple(columns), definition))


def add_foreign_keys(schema: Schema, rows: list[tuple]) -> None:
    groups: dict[tuple, list[tuple]] = {}
    for table, number, *rest in rows:
        groups.setdefault((table, number), []).append(tuple(rest))
    for (table, _), parts in groups.items():
        target, on_update, on_delete = parts[0][0], parts[0][3], parts[0][4]
        columns = tuple(part[1] for part in parts)
        targets = tuple(part[2] for part in parts)
        if None in targets:  # a key that names no column points to the primary key
            targets = primary_key(schema.get(target))
        rules = f"on update {on_update} on delete {on_delete}".lower()
        definition = f"({', '.join(columns)}) references {target} ({', '.join(targets)}) {rules}"
        schema[table].keys.append(Key("foreign key", "", columns, definition, target=(target, targets)))


def primary_key(table: Table | None) -> tuple[str, ...]:
    return next((key.columns for key in table.keys if key.kind == "primary key"), ()) if table else ()


def collations_in(sql: str) -> dict[str, str]:
    """Return the collation of each column that has one: SQLite tells it nowhere but in the text of CREATE TABLE."""
    found = {}
    for part in top_level_parts(inside(sql, sql.index("(") + 1)):
        unquoted = re.match(rf"\s*({QUOTED}|\w+)", part)
        collation = re.search(r"\bCOLLATE\s+[\"'`]?(\w+)", part, re.IGNORECASE)
        if unquoted and collation:
            found[unquoted[1].strip("\"`[]'").lower()] = collation[1]
    return found


def checks_in(sql: str) -> list[Key]:
    """Return the checks in the text of a CREATE TABLE, each with its name if it has one."""
    found = []
    for match in CHECK.finditer(sql):
        name = (match[1] or "").strip('"')
        found.append(Key("check", name, (), plain(inside(sql, match.end()))))
    return found


def unique_constraints_in(sql: str) -> dict[str, str]:
    """Return the names of the unique constraints in the text of a CREATE TABLE, by their columns."""
    return {plain(columns): name.strip('"') for name, columns in UNIQUE.findall(sql)}


def inside(sql: str, start: int) -> str:
    """Return what stands in the parenthesis that opened just before `start`; quoted text does not count."""
    depth = 1
    for token in re.finditer(rf"{QUOTED}|[()]", sql[start:]):
        depth += {"(": 1, ")": -1}.get(token[0], 0)
        if depth == 0:
            return sql[start : start + token.start()]
    return sql[start:]


def top_level_parts(text: str) -> list[str]:
    parts, depth, begin = [], 0, 0
    for token in re.finditer(rf"{QUOTED}|[(),]", text):
        depth += {"(": 1, ")": -1}.get(token[0], 0)
        if token[0] == "," and depth == 0:
            parts.append(text[begin : token.start()])
            begin = token.end()
    return [*parts, text[begin:]]


def plain(text: str) -> str:
    """Write a piece of SQL the same however its names are quoted and its words are spaced."""
    tokens = re.findall(rf"{QUOTED}|\w+|[^\w\s]", text)
    return re.sub(r"([(.]) | (?=[),.])", r"\1", " ".join(token.strip('"`') for token in tokens))

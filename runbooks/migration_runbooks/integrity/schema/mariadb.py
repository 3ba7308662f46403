"""Read the schema of a MariaDB or MySQL database. https://mariadb.com/kb/en/information-schema-tables/"""

from __future__ import annotations

from migration_runbooks.integrity.schema.model import Column, Key, Schema

COLUMNS = """
    SELECT c.table_name, c.column_name, c.column_type, c.is_nullable = 'YES', c.column_default, c.extra, c.collation_name,
           c.generation_expression
    FROM information_schema.columns c JOIN information_schema.tables t
      ON t.table_schema = c.table_schema AND t.table_name = c.table_name
    WHERE c.table_schema = DATABASE() AND t.table_type = 'BASE TABLE' ORDER BY c.table_name, c.ordinal_position"""

INDEXES = """
    SELECT table_name, index_name, non_unique, index_type, column_name, sub_part
    FROM information_schema.statistics WHERE table_schema = DATABASE() ORDER BY table_name, index_name, seq_in_index"""

FOREIGN_KEYS = """
    SELECT k.table_name, k.constraint_name, k.column_name, k.referenced_table_name, k.referenced_column_name,
           r.update_rule, r.delete_rule
    FROM information_schema.key_column_usage k JOIN information_schema.referential_constraints r
      ON r.constraint_schema = k.constraint_schema AND r.table_name = k.table_name AND r.constraint_name = k.constraint_name
    WHERE k.table_schema = DATABASE() ORDER BY k.table_name, k.constraint_name, k.ordinal_position"""

# MySQL's own information_schema names no table here; a check's name is unique in its database there.
CHECKS = """
    SELECT t.table_name, c.constraint_name, c.check_clause
    FROM information_schema.check_constraints c JOIN information_schema.table_constraints t
      ON t.constraint_schema = c.constraint_schema AND t.constraint_name = c.constraint_name{same_table}
    WHERE c.constraint_schema = DATABASE() AND t.constraint_type = 'CHECK'"""


def read(cursor) -> Schema:
    schema = Schema()
    cursor.execute(COLUMNS)
    for table, *found in cursor.fetchall():
        column = column_of(*found)
        schema.table(table).columns[column.name] = column
    for table, key in [*indexes(cursor), *foreign_keys(cursor), *checks(cursor)]:
        if table in schema:
            schema[table].keys.append(key)
    return schema


def column_of(name, kind, nullable, default, extra, collation, generated) -> Column:
    # MariaDB writes the default of a nullable column that has none as the word NULL, MySQL as no value.
    default = None if default == "NULL" else default
    return Column(name, kind, bool(nullable), default, collation, "auto_increment" in extra, generated or None)


def grouped(rows) -> dict[tuple, list[tuple]]:
    groups: dict[tuple, list[tuple]] = {}
    for table, name, *rest in rows:
        groups.setdefault((table, name), []).append(tuple(rest))
    return groups


def indexes(cursor):
    cursor.execute(INDEXES)
    for (table, name), parts in grouped(cursor.fetchall()).items():
        kind = "primary key" if name == "PRIMARY" else "index" if parts[0][0] else "unique"
        columns = tuple(part[2] or "(expression)" for part in parts)
        shown = ", ".join(f"{part[2]}({part[3]})" if part[3] else str(part[2]) for part in parts)
        yield table, Key(kind, name, columns, f"{parts[0][1].lower()} ({shown})")


def foreign_keys(cursor):
    cursor.execute(FOREIGN_KEYS)
    for (table, name), parts in grouped(cursor.fetchall()).items():
        columns, targets = tuple(part[0] for part in parts), tuple(part[2] for part in parts)
        rules = f"on update {parts[0][3]} on delete {parts[0][4]}".lower()
        definition = f"({', '.join(columns)}) references {parts[0][1]} ({', '.join(targets)}) {rules}"
        yield table, Key("foreign key", name, columns, definition, target=(parts[0][1], targets))


def checks(cursor):
    mariadb = "MariaDB" in server_version(cursor)
    cursor.execute(CHECKS.format(same_table=" AND t.table_name = c.table_name" if mariadb else ""))
    for table, name, clause in cursor.fetchall():
        yield table, Key("check", name, (), clause)


def server_version(cursor) -> str:
    cursor.execute("SELECT VERSION()")
    return cursor.fetchone()[0]

"""Describe a MariaDB database. https://mariadb.com/kb/en/information-schema-tables/"""

from __future__ import annotations

from typing import TYPE_CHECKING

from migration_runbooks.worlds.snapshots.snapshot import Table

if TYPE_CHECKING:
    from pymysql.cursors import Cursor

COLUMNS = """
    SELECT c.table_name, c.column_name, c.column_type, c.is_nullable, c.column_default, c.extra, c.collation_name,
           c.generation_expression
    FROM information_schema.columns c JOIN information_schema.tables t USING (table_schema, table_name)
    WHERE c.table_schema = DATABASE() AND t.table_type = 'BASE TABLE'"""

INDEXES = """
    SELECT table_name, CONCAT(
        IF(non_unique, 'index ', 'unique '), index_name, ': ', index_type, ' (',
        GROUP_CONCAT(CONCAT(column_name, IFNULL(CONCAT('(', sub_part, ')'), '')) ORDER BY seq_in_index SEPARATOR ', '), ')')
    FROM information_schema.statistics WHERE table_schema = DATABASE()
    GROUP BY table_name, index_name, non_unique, index_type"""

FOREIGN_KEYS = """
    SELECT r.table_name, CONCAT('foreign key ', r.constraint_name, ': (',
        GROUP_CONCAT(k.column_name ORDER BY k.ordinal_position SEPARATOR ', '), ') to ', r.referenced_table_name, ' (',
        GROUP_CONCAT(k.referenced_column_name ORDER BY k.ordinal_position SEPARATOR ', '), ') on update ', r.update_rule,
        ' on delete ', r.delete_rule)
    FROM information_schema.referential_constraints r
    JOIN information_schema.key_column_usage k USING (constraint_schema, constraint_name, table_name)
    WHERE r.constraint_schema = DATABASE()
    GROUP BY r.table_name, r.constraint_name, r.referenced_table_name, r.update_rule, r.delete_rule"""

CHECKS = """
    SELECT table_name, CONCAT('check ', constraint_name, ': ', check_clause)
    FROM information_schema.check_constraints WHERE constraint_schema = DATABASE()"""

TRIGGERS = """
    SELECT event_object_table, CONCAT('trigger ', trigger_name, ': ', action_timing, ' ', event_manipulation, ' ',
        action_statement)
    FROM information_schema.triggers WHERE trigger_schema = DATABASE()"""

SEQUENCES = """
    SELECT table_name, auto_increment FROM information_schema.tables
    WHERE table_schema = DATABASE() AND auto_increment IS NOT NULL"""


def quote(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"


def tables(cursor: Cursor) -> dict[str, Table]:
    """Return every table of the database, no view."""
    found: dict[str, Table] = {}
    cursor.execute(COLUMNS)
    for table, *column in cursor.fetchall():
        found.setdefault(table, Table()).columns.append(column[0])
        found[table].description.append(describe_column(*column))
    for query in (INDEXES, FOREIGN_KEYS, CHECKS, TRIGGERS):
        cursor.execute(query)
        for table, line in cursor.fetchall():
            found[table].description.append(line)
    return found


def describe_column(
    name: str, kind: str, nullable: str, default: str | None, extra: str, collation: str | None, generated: str | None
) -> str:
    extras = [f"default {default}" if default is not None else "", extra, f"collate {collation}" if collation else ""]
    extras.append(f"as {generated}" if generated else "")
    return " ".join(["column", f"{name}:", kind, "null" if nullable == "YES" else "not null", *filter(None, extras)])


def sequences(cursor: Cursor) -> dict[str, int | None]:
    cursor.execute(SEQUENCES)
    return dict(cursor.fetchall())

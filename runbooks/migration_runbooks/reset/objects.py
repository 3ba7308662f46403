"""What a database holds besides tables, columns, keys and rows, and no model can make: triggers, views, functions …"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper

Object = tuple[str, str, str]
"""Kind, name and definition."""

FIRST = {"extension", "named type", "named collation"}
"""What tables are made of, so it must be there before them."""

GRANTED = {"rights"}
"""What an administrator may have given as well as a migration."""

HERE = "nspname = ANY (current_schemas(false))"
OF_EXTENSION = "EXISTS (SELECT 1 FROM pg_depend e WHERE e.objid = {} AND e.deptype = 'e')"

POSTGRESQL = f"""
    SELECT 'extension', extname::text, '' FROM pg_extension
    UNION ALL SELECT 'trigger', c.relname || '.' || t.tgname, pg_get_triggerdef(t.oid)
      FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace WHERE NOT t.tgisinternal AND {HERE}
    UNION ALL SELECT 'view', c.relname::text, pg_get_viewdef(c.oid)
      FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind IN ('v', 'm') AND {HERE} AND NOT {OF_EXTENSION.format("c.oid")}
    UNION ALL SELECT 'function', p.oid::regprocedure::text, CASE WHEN p.prokind IN ('f', 'p') THEN pg_get_functiondef(p.oid) ELSE p.prosrc END
      FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE {HERE} AND NOT {OF_EXTENSION.format("p.oid")}
    UNION ALL SELECT 'named type', t.typname::text, t.typtype::text || ' ' || t.typbasetype::regtype::text || ' ' ||
        array_to_string(ARRAY(SELECT e.enumlabel::text FROM pg_enum e WHERE e.enumtypid = t.oid ORDER BY e.enumsortorder), ',')
      FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace LEFT JOIN pg_class c ON c.oid = t.typrelid
      WHERE (t.typtype IN ('e', 'd', 'r') OR c.relkind = 'c') AND {HERE} AND NOT {OF_EXTENSION.format("t.oid")}
    UNION ALL SELECT 'named collation', l.collname::text, l.collprovider::text || ' ' || l.collisdeterministic::text
      FROM pg_collation l JOIN pg_namespace n ON n.oid = l.collnamespace WHERE {HERE}
    UNION ALL SELECT 'sequence', c.relname::text, '' FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE c.relkind = 'S' AND {HERE} AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.objid = c.oid AND d.deptype IN ('a', 'i', 'e'))
    UNION ALL SELECT 'table', c.relname::text, concat_ws(' ', c.relkind::text, c.relpersistence::text, c.relrowsecurity, pg_get_partkeydef(c.oid), array_to_string(c.reloptions, ','))
      FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind IN ('r', 'p') AND {HERE} AND NOT {OF_EXTENSION.format("c.oid")}
    UNION ALL SELECT 'rights', c.relname::text, c.relacl::text
      FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relacl IS NOT NULL AND {HERE} AND NOT {OF_EXTENSION.format("c.oid")}
    UNION ALL SELECT 'policy', tablename || '.' || policyname, concat_ws(' ', permissive, roles, cmd, qual, with_check)
      FROM pg_policies WHERE schemaname = ANY (current_schemas(false))
    UNION ALL SELECT 'comment', concat_ws('.', c.relname, a.attname), d.description
      FROM pg_description d JOIN pg_class c ON c.oid = d.objoid AND d.classoid = 'pg_class'::regclass JOIN pg_namespace n ON n.oid = c.relnamespace
      LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = d.objsubid AND d.objsubid > 0 WHERE {HERE} AND NOT {OF_EXTENSION.format("c.oid")}"""

MARIADB = """
    SELECT 'trigger', CONCAT(event_object_table, '.', trigger_name), CONCAT_WS(' ', action_timing, event_manipulation, action_statement)
      FROM information_schema.triggers WHERE trigger_schema = DATABASE()
    UNION ALL SELECT 'view', table_name, REPLACE(view_definition, CONCAT('`', DATABASE(), '`.'), '') FROM information_schema.views WHERE table_schema = DATABASE()
    UNION ALL SELECT 'function', CONCAT(routine_type, ' ', routine_name), routine_definition FROM information_schema.routines WHERE routine_schema = DATABASE()
    UNION ALL SELECT 'event', event_name, event_definition FROM information_schema.events WHERE event_schema = DATABASE()
    UNION ALL SELECT 'table', table_name, CONCAT_WS(' ', engine, table_collation, create_options, table_comment)
      FROM information_schema.tables WHERE table_schema = DATABASE() AND table_type = 'BASE TABLE'
    UNION ALL SELECT 'comment', CONCAT(table_name, '.', column_name), column_comment
      FROM information_schema.columns WHERE table_schema = DATABASE() AND column_comment <> ''"""

SQLITE = "SELECT type, name, coalesce(sql, '') FROM sqlite_master WHERE type IN ('trigger', 'view')"

QUERIES = {"sqlite": SQLITE, "postgresql": POSTGRESQL, "mysql": MARIADB}


def read_objects(connection: BaseDatabaseWrapper) -> frozenset[Object]:
    with connection.cursor() as cursor:
        cursor.execute(QUERIES[connection.vendor])
        return frozenset((kind, name, definition or "") for kind, name, definition in cursor.fetchall())

"""Read the schema of a PostgreSQL database. https://www.postgresql.org/docs/current/catalogs.html"""

from __future__ import annotations

from migration_runbooks.integrity.schema.model import Column, Key, Schema

TABLES = """
    FROM pg_class c {join}
    WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition
      AND c.relnamespace = ANY (SELECT oid FROM pg_namespace WHERE nspname = ANY (current_schemas(false)))
      -- what an extension made is the extension's
      AND NOT EXISTS (SELECT 1 FROM pg_depend e WHERE e.classid = 'pg_class'::regclass AND e.objid = c.oid AND e.deptype = 'e')
      {where}"""

COLUMNS = """
    SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod), NOT a.attnotnull, pg_get_expr(d.adbin, d.adrelid),
           a.attidentity::text, a.attgenerated::text, l.collname""" + TABLES.format(
    join="""JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
            LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
            LEFT JOIN pg_collation l ON l.oid = a.attcollation AND l.collname <> 'default'""",
    where="ORDER BY c.relname, a.attnum",
)

KINDS = {"p": "primary key", "u": "unique", "f": "foreign key", "c": "check", "x": "exclude"}
NAMES = "ARRAY(SELECT a.attname::text FROM unnest({keys}) WITH ORDINALITY u(n, i) JOIN pg_attribute a ON a.attrelid = {table} AND a.attnum = u.n ORDER BY u.i)"

CONSTRAINTS = f"""
    SELECT c.relname, k.contype::text, k.conname, {NAMES.format(keys="k.conkey", table="c.oid")}, pg_get_constraintdef(k.oid),
           k.convalidated, f.relname, {NAMES.format(keys="k.confkey", table="k.confrelid")}""" + TABLES.format(
    join="JOIN pg_constraint k ON k.conrelid = c.oid LEFT JOIN pg_class f ON f.oid = k.confrelid",
    where="AND k.contype IN ('p', 'u', 'f', 'c', 'x')",
)

INDEXES = f"""
    SELECT c.relname, x.indisunique, i.relname, {NAMES.format(keys="x.indkey", table="c.oid")},
           pg_get_indexdef(i.oid), x.indisvalid""" + TABLES.format(
    join="JOIN pg_index x ON x.indrelid = c.oid JOIN pg_class i ON i.oid = x.indexrelid",
    where="AND NOT EXISTS (SELECT 1 FROM pg_constraint k WHERE k.conindid = i.oid AND k.contype IN ('p', 'u', 'x'))",
)


def read(cursor) -> Schema:
    schema = Schema()
    cursor.execute("SELECT c.relname" + TABLES.format(join="", where=""))
    for (table,) in cursor.fetchall():
        schema.table(table)
    cursor.execute(COLUMNS)
    for table, *found in cursor.fetchall():
        column = column_of(*found)
        schema.table(table).columns[column.name] = column
    cursor.execute(CONSTRAINTS)
    for table, kind, name, columns, definition, valid, target, target_columns in cursor.fetchall():
        key = Key(
            KINDS[kind], name, tuple(columns), definition.removesuffix(" NOT VALID"), valid,
            (target, tuple(target_columns)) if target else None,
        )  # fmt: skip
        schema.table(table).keys.append(key)
    cursor.execute(INDEXES)
    for table, unique, name, columns, definition, valid in cursor.fetchall():
        key = Key("unique" if unique else "index", name, tuple(columns), definition.partition(" USING ")[2], valid)
        schema.table(table).keys.append(key)
    return schema


def column_of(name, kind, nullable, default, identity, generated, collation) -> Column:
    # A serial column of an older Django and the identity column of a newer one do the same.
    automatic = bool(identity) or (default or "").startswith("nextval(")
    return Column(
        name, kind, nullable, None if automatic or generated else default, collation, automatic, default if generated else None
    )

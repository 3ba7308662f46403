"""PostgreSQL: sequences that will hand out numbers that rows have already.

Not on SQLite and MariaDB: there a table's next number is never below its highest one, whatever is written to it.
"""

from __future__ import annotations

from collections.abc import Iterator

from migration_runbooks.integrity.examined import Examined
from migration_runbooks.integrity.finding import Finding

OWNED = """
    SELECT t.relname, a.attname, quote_ident(n.nspname) || '.' || quote_ident(s.relname), q.seqincrement
    FROM pg_class s JOIN pg_namespace n ON n.oid = s.relnamespace JOIN pg_sequence q ON q.seqrelid = s.oid
    JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = s.oid AND d.refclassid = 'pg_class'::regclass
      AND d.deptype IN ('a', 'i')
    JOIN pg_class t ON t.oid = d.refobjid JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = d.refobjsubid
    WHERE s.relkind = 'S' AND t.relnamespace = ANY (SELECT oid FROM pg_namespace WHERE nspname = ANY (current_schemas(false)))
    ORDER BY 1, 2"""


AT_ONCE = 50
"""Sequences read by one statement, which has a lock on each of their tables while it runs."""


def check(examined: Examined) -> Iterator[Finding]:
    if examined.connection.vendor != "postgresql":
        return
    owned = examined.query(OWNED)
    for start in range(0, len(owned), AT_ONCE):
        some = owned[start : start + AT_ONCE]
        for (table, column, sequence, step), (highest, given) in zip(some, standing(examined, some), strict=True):
            if step > 0 and highest is not None and highest > (given or 0):
                yield behind(examined, f"{table}.{column}", table, sequence, highest, given)


def standing(examined: Examined, owned: list[tuple]) -> list[tuple]:
    """Return the highest value in the column of each sequence, and the last number that it gave."""
    quote = examined.connection.ops.quote_name
    asked = (
        f"SELECT {place}, (SELECT max({quote(column)})::bigint FROM {quote(table)}), (SELECT CASE WHEN is_called THEN last_value END FROM {sequence})"
        for place, (table, column, sequence, _) in enumerate(owned)
    )
    return [row[1:] for row in examined.query(" UNION ALL ".join(asked) + " ORDER BY 1")]


def behind(examined: Examined, column: str, table: str, sequence: str, highest: int, given: int | None) -> Finding:
    return Finding(
        id="sequence-behind",
        level="error",
        app=examined.owner(table),
        object=column,
        message=f"The sequence of {column} stands at {given or 'its start'}, and the highest value is {highest}: "
        "inserts will fail with a duplicate key.",
        hint=f"SELECT setval('{sequence}', {highest})",
        runbook="advance-sequence",
    )

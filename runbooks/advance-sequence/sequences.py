"""Finds sequences that would hand out a value which a row has already, and moves them past it. STEP says what to do."""

import os
import re
import sys
from collections import namedtuple

from django.db import connections, transaction

OK, BEHIND, UNKNOWN = 0, 1, 2
# Of an identity or serial column (owned), or named in a column's default; the column must be part of a unique index.
COLUMNS = """
WITH used AS (
    SELECT objid AS sequence, refobjid AS relation, refobjsubid AS number FROM pg_depend
    WHERE classid = 'pg_class'::regclass AND refclassid = 'pg_class'::regclass AND deptype IN ('a', 'i') AND refobjsubid > 0
    UNION
    SELECT d.refobjid, f.adrelid, f.adnum FROM pg_attrdef f JOIN pg_depend d ON d.objid = f.oid
    WHERE d.classid = 'pg_attrdef'::regclass AND d.refclassid = 'pg_class'::regclass
)
SELECT seqrelid::regclass::text, relation::regclass::text, quote_ident(attname), seqmax,
    has_table_privilege(relation, 'SELECT') AND has_sequence_privilege(seqrelid, 'SELECT')
FROM used JOIN pg_sequence ON seqrelid = sequence JOIN pg_class c ON c.oid = relation
    JOIN pg_attribute ON attrelid = relation AND attnum = number
WHERE c.relkind IN ('r', 'p') AND c.relpersistence <> 't' AND seqincrement > 0 AND atttypid IN (20, 21, 23)
    AND EXISTS (SELECT FROM pg_index WHERE indrelid = relation AND indisunique AND number = ANY (indkey))
ORDER BY 1, 2, 3
"""
NEXT = "SELECT last_value + CASE WHEN is_called THEN seqincrement ELSE 0 END FROM {0}, pg_sequence WHERE seqrelid = %s::regclass"
Sequence = namedtuple("Sequence", "name columns last next highest")


def query(sql, values=None):
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return cursor.fetchall() if cursor.description else []


def read(name, columns, last):
    """The sequence as it is now; `columns` are all (table, column) that take their numbers from it."""
    highest = [query(f"SELECT max({column}) FROM {table}")[0][0] for table, column in columns]
    return Sequence(name, columns, last, query(NEXT.format(name), [name])[0][0], max((n for n in highest if n is not None), default=None))


def read_all():
    """([every sequence that can be read], [names of those that can't])"""
    columns, ends, closed = {}, {}, set()
    for name, table, column, last, readable in query(COLUMNS):
        columns.setdefault(name, []).append((table, column))
        ends[name] = last
        if not readable:
            closed.add(name)
    return [read(name, columns[name], ends[name]) for name in columns if name not in closed], sorted(closed)


def is_behind(sequence):
    return sequence.highest is not None and sequence.next <= sequence.highest


def is_used_up(sequence):
    return sequence.highest is not None and sequence.highest >= sequence.last


def described(sequence):
    columns = ", ".join(map(".".join, sequence.columns))
    return f"{columns}: the highest value is {sequence.highest}, and {sequence.name} gives {sequence.next} next"


def refuse(why):
    print(f"Refused, nothing was changed: {why}", file=sys.stderr)
    return 1


def diagnose():
    """0: none is behind. 1: these are, and can be moved. 2: some can't be read, or have no numbers left."""
    for sequence in behind:
        print(described(sequence))
    for sequence in filter(is_used_up, behind):
        print(f"{sequence.name} ends at {sequence.last}: make it and its columns bigint first")
    if closed:
        print(f"Not looked at, for want of the right to read them: {' '.join(closed)}")
    if movable := [sequence.name for sequence in behind if not is_used_up(sequence)]:
        print(f"SEQUENCES={' '.join(movable)}")
        return BEHIND
    if not behind:
        print("No sequence is behind its column.")
    return UNKNOWN if behind or closed else OK


def named():
    """The sequences of the input; a name in quotes may have spaces."""
    return list(dict.fromkeys(re.findall(r'(?:"[^"]*"|[^\s"])+', os.environ.get("SEQUENCES", ""))))


def fix():
    names, known = named(), {sequence.name: sequence for sequence in sequences}
    if not names or set(names) - known.keys():
        return refuse(f"not a sequence of a column here: {' '.join(sorted(set(names) - known.keys())) or '(none given)'}. Run diagnose again.")
    chosen = [known[name] for name in names]
    if used_up := [sequence.name for sequence in filter(is_used_up, chosen)]:
        return refuse(f"no numbers are left in {' '.join(used_up)}. Make the sequence and its columns bigint.")
    if not any(map(is_behind, chosen)):
        print("Nothing to do: each of these sequences is past its column.")
    for sequence in filter(is_behind, chosen):
        advance(sequence)
    return OK


def advance(sequence):
    """Under a lock that lets no row in or out: what another session has inserted and not committed is waited for."""
    with transaction.atomic(using=connection.alias):
        query("SET LOCAL lock_timeout = '5s'")
        query(f"LOCK TABLE {', '.join(sorted({table for table, _ in sequence.columns}))} IN SHARE ROW EXCLUSIVE MODE")
        now = read(*sequence[:3])
        if is_behind(now):
            query("SELECT setval(%s::regclass, %s)", [now.name, now.highest])
        print(f"{now.name} is past {now.highest}")


def verify():
    left = [sequence for sequence in behind if sequence.name in (named() or [sequence.name])]
    for sequence in left:
        print(described(sequence))
    if not left:
        print("No sequence is behind its column.")
    return BEHIND if left else OK


try:
    connection = connections[os.environ.get("RUNBOOK_DATABASE", "default")]
    if connection.vendor != "postgresql":
        raise ValueError("only PostgreSQL has sequences that can be behind their columns")
    sequences, closed = read_all()
    behind = list(filter(is_behind, sequences))
    status = {"diagnose": diagnose, "fix": fix, "verify": verify}[os.environ["STEP"]]()
except Exception as error:
    print(f"Stopped, and can't tell: {error}\nNo row was touched; a sequence that was advanced stays so.", file=sys.stderr)
    status = UNKNOWN
sys.exit(status)

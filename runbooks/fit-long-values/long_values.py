"""Finds values that are longer than a waiting migration lets their column be, and shortens them. STEP says what to do."""

import os
import sys

from django.db import connections
from django.db.migrations.operations import AlterField

sys.path.insert(0, ".runbook/fit-long-values")
from kept_values import KeptValues  # noqa: E402
from waiting import live_columns, waiting_steps  # noqa: E402

TABLE, COLUMN, ENDING = (os.environ.get(name, "") for name in ("TABLE", "COLUMN", "ENDING"))
TEXTS = {"CharField", "TextField", "SlugField", "FileField", "FilePathField"}


class Found:
    """A text column and the length that a migration gives it."""

    def __init__(self, step, old, new):
        model = step.model(step.before)
        self.migration, self.code, self.length = step.migration, step.code, new.max_length
        self.table, self.column = model._meta.db_table, model._meta.get_field(step.operation.name).column
        self.other_type = old.get_internal_type() != new.get_internal_type()

    def is_there(self):
        return self.column in live_columns(connection, self.table)

    def rows(self):
        return KeptValues(connection, self.table, self.column)

    def too_long(self):
        size = "LENGTH" if connection.vendor == "sqlite" else "CHAR_LENGTH"
        return f"{size}({connection.ops.quote_name(self.column)}) > {self.length}"

    def shortened(self):
        start = f"SUBSTR({connection.ops.quote_name(self.column)}, 1, {self.length - len(ENDING)})"
        return f"CONCAT({start}, %s)" if connection.vendor == "mysql" else f"{start} || %s"

    def what_migrate_does(self):
        if connection.vendor == "sqlite":
            return "SQLite does not stop: it would keep them as they are, longer than the field allows."
        if connection.vendor == "postgresql" and self.other_type:
            return "PostgreSQL does not stop here: `migrate` would cut them without a word."
        if connection.vendor == "mysql" and not {"STRICT_TRANS_TABLES", "STRICT_ALL_TABLES"} & connection.sql_mode:
            return "Strict mode is off: `migrate` would cut them without a word."
        return "`migrate` stops at them."


def shortened_columns():
    for step in waiting_steps(connection):
        if isinstance(step.operation, AlterField):
            old, new = step.fields()
            if {old.get_internal_type(), new.get_internal_type()} <= TEXTS and new.get_internal_type() != "TextField" and new.max_length:
                found = Found(step, old, new)
                if found.is_there():
                    yield found


def named():
    return [each for each in columns if (each.table, each.column) == (TABLE, COLUMN)]


def diagnose():
    """0: every value fits. 1: some do not. 2: code that waits before the migration may shorten them."""
    holding = [(each, keys) for each in named() or columns if (keys := each.rows().keys(each.too_long()))]
    if not holding:
        print("Every value fits what the waiting migrations make of its column.")
        return 0
    for each, keys in holding:
        some = ", ".join(map(str, keys[:5])) + (", …" if len(keys) > 5 else "")
        print(f"{each.migration} makes {each.table}.{each.column} {each.length} characters long, and {len(keys)} values are longer (primary keys: {some})")
        print(each.what_migrate_does())
    each = holding[0][0]
    if each.code and not named():
        print(f"{' '.join(each.code)} runs code before that, which may shorten them: then nothing is wrong.\n"
              "If `migrate` failed, set TABLE and COLUMN and diagnose again.")
        return 2
    print(f"TABLE={each.table}\nCOLUMN={each.column}")
    return 1


def refuse(why):
    print(f"Refused, nothing was changed: {why}", file=sys.stderr)
    return 1


def fix():
    if not named():
        return refuse(f"no waiting migration shortens {TABLE}.{COLUMN}. Run diagnose again.")
    found = named()[-1]
    rows = found.rows()
    if not rows.keys(found.too_long()):
        print(f"Nothing to do: every value of {TABLE}.{COLUMN} fits.")
        return 0
    if "ENDING" not in os.environ or len(ENDING) >= found.length:
        return refuse(f"set ENDING to what ends a shortened value: nothing, or less than {found.length} characters.")
    changed = rows.replace(found.too_long(), found.shortened(), [ENDING])
    print(f"{changed} values of {TABLE}.{COLUMN} are now {found.length} characters long; {rows.name} keeps them whole.")
    return 0


def verify():
    if COLUMN not in live_columns(connection, TABLE):
        return refuse(f"there is no column {TABLE}.{COLUMN}.")
    left = sum(len(each.rows().keys(each.too_long())) for each in named())
    print(f"{left} values of {TABLE}.{COLUMN} are too long.")
    return 1 if left else 0


def undo():
    if COLUMN not in live_columns(connection, TABLE):
        return refuse(f"there is no column {TABLE}.{COLUMN}.")
    rows = KeptValues(connection, TABLE, COLUMN)
    if not rows.there:
        print(f"Nothing to undo: no values of {TABLE}.{COLUMN} are kept.")
        return 0
    done, changed = rows.put_back()
    print(f"{done} values are whole again." + (f" {changed} were changed since and stay as they are; {rows.name} still has the old ones." if changed else ""))
    return 0


step = os.environ["STEP"]
try:
    connection = connections[os.environ.get("RUNBOOK_DATABASE", "default")]
    columns = list(shortened_columns()) if step != "undo" else []
    status = {"diagnose": diagnose, "fix": fix, "undo": undo, "verify": verify}[step]()
except Exception as error:
    print(f"Nothing was changed: {type(error).__name__}: {error}", file=sys.stderr)
    status = 2 if step == "diagnose" else 1
sys.exit(status)

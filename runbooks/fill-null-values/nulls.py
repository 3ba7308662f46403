"""Finds columns that a waiting migration makes NOT NULL while rows hold NULL in them, and fills them. STEP says what to do."""

import os
import sys

from django.core.exceptions import ValidationError
from django.db import connections
from django.db.migrations.operations import AlterField

sys.path.insert(0, ".runbook/fill-null-values")
from kept_values import KeptValues  # noqa: E402
from waiting import live_columns, waiting_steps  # noqa: E402

TABLE, COLUMN = os.environ.get("TABLE", ""), os.environ.get("COLUMN", "")


class Found:
    """One column that a migration makes NOT NULL, and what it will be then."""

    def __init__(self, step):
        model = step.model(step.before)
        self.step, self.table = step, model._meta.db_table
        self.column = model._meta.get_field(step.operation.name).column
        self.field = step.model(step.after)._meta.get_field(step.operation.name)

    def is_there(self):
        return self.column in live_columns(connection, self.table)

    def filled_by_django(self):
        """SQLite's copy of the table also fills texts that may be blank; the others only fill a column with a default."""
        blank = connection.vendor == "sqlite" and connection.schema_editor().effective_default(self.field) is not None
        return blank or self.field.has_default() or self.field.has_db_default()

    def rows(self):
        return KeptValues(connection, self.table, self.column)

    def null(self):
        return f"{connection.ops.quote_name(self.column)} IS NULL"


def columns_made_not_null():
    for step in waiting_steps(connection):
        if isinstance(step.operation, AlterField):
            old, new = step.fields()
            if old.null and not new.null:
                found = Found(step)
                if found.is_there() and not found.filled_by_django():
                    yield found


def in_short(keys):
    return ", ".join(map(str, keys[:5])) + (", …" if len(keys) > 5 else "")


def diagnose():
    """0: no such column holds NULL. 1: one does. 2: code that waits before it may fill it."""
    named = [each for each in columns if (each.table, each.column) == (TABLE, COLUMN)]
    holding = [(each, keys) for each in named or columns if (keys := each.rows().keys(each.null()))]
    if not holding:
        print("No waiting migration makes a column NOT NULL that holds NULL.")
        return 0
    for each, keys in holding:
        print(f"{each.step.migration} makes {each.table}.{each.column} NOT NULL, and {len(keys)} rows hold NULL in it (primary keys: {in_short(keys)})")
    each = holding[0][0]
    if each.step.code and not named:
        print(f"{' '.join(each.step.code)} runs code before that, which may fill it: then nothing is wrong.\n"
              "If `migrate` failed, set TABLE and COLUMN from its message and diagnose again.")
        return 2
    print(f"TABLE={each.table}\nCOLUMN={each.column}")
    return 1


def refuse(why):
    print(f"Refused, nothing was changed: {why}", file=sys.stderr)
    return 1


def checked_value(field, text):
    """VALUE as the database takes it. Raises ValidationError when the field does not allow it."""
    value = field.to_python(text)
    if field.remote_field:
        parents = field.remote_field.model
        if not parents._base_manager.using(connection.alias).filter(**{field.target_field.name: value}).exists():
            raise ValidationError(f"no row of {parents._meta.db_table} has {field.target_field.column} {text!r}")
    elif value not in field.empty_values:
        field.validate(value, None)
        field.run_validators(value)
    return field.get_db_prep_save(value, connection)


def fix():
    found = next((each for each in columns if (each.table, each.column) == (TABLE, COLUMN)), None)
    if not found:
        return refuse(f"no waiting migration makes {TABLE}.{COLUMN} NOT NULL. Run diagnose again.")
    rows = found.rows()
    keys = rows.keys(found.null())
    if not keys:
        print(f"Nothing to do: no row holds NULL in {TABLE}.{COLUMN}.")
        return 0
    if "VALUE" not in os.environ:
        return refuse("set VALUE to what these rows shall hold.")
    if found.field.unique and len(keys) > 1:
        return refuse(f"{TABLE}.{COLUMN} is unique: {len(keys)} rows can't all hold the same value.")
    try:
        value = checked_value(found.field, os.environ["VALUE"])
    except ValidationError as error:
        return refuse(f"{os.environ['VALUE']!r} is no value of {TABLE}.{COLUMN}: {' '.join(error.messages)}")
    print(f"{rows.replace(found.null(), '%s', [value])} rows of {TABLE}.{COLUMN} now hold {value!r}; {rows.name} keeps their keys.")
    return 0


def verify():
    if COLUMN not in live_columns(connection, TABLE):
        return refuse(f"there is no column {TABLE}.{COLUMN}.")
    keys = KeptValues(connection, TABLE, COLUMN).keys(f"{connection.ops.quote_name(COLUMN)} IS NULL")
    print(f"{len(keys)} rows of {TABLE}.{COLUMN} hold NULL.")
    return 1 if keys else 0


def undo():
    may_be_null = live_columns(connection, TABLE).get(COLUMN)
    if may_be_null is None:
        return refuse(f"there is no column {TABLE}.{COLUMN}.")
    rows = KeptValues(connection, TABLE, COLUMN)
    if not rows.there:
        print(f"Nothing to undo: {TABLE}.{COLUMN} was not filled.")
        return 0
    if not may_be_null:
        return refuse(f"{TABLE}.{COLUMN} is NOT NULL now. Roll the migration back first.")
    done, changed = rows.put_back()
    print(f"{done} rows hold NULL again." + (f" {changed} rows were changed since and stay as they are; {rows.name} lists them." if changed else ""))
    return 0


step = os.environ["STEP"]
try:
    connection = connections[os.environ.get("RUNBOOK_DATABASE", "default")]
    columns = list(columns_made_not_null()) if step in ("diagnose", "fix") else []
    status = {"diagnose": diagnose, "fix": fix, "undo": undo, "verify": verify}[step]()
except Exception as error:
    print(f"Nothing was changed: {type(error).__name__}: {error}", file=sys.stderr)
    status = 2 if step == "diagnose" else 1
sys.exit(status)

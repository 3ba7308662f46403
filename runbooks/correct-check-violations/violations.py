"""Finds rows that break a check which a waiting migration adds, and corrects one column in them. STEP says what to do."""

import os
import sys

from django.core.exceptions import ValidationError
from django.db import connections
from django.db.migrations.operations import AddConstraint
from django.db.models import CheckConstraint

sys.path.insert(0, ".runbook/correct-check-violations")
from kept_values import KeptValues  # noqa: E402
from waiting import live_columns, waiting_steps  # noqa: E402

TABLE, CONSTRAINT, COLUMN = (os.environ.get(name, "") for name in ("TABLE", "CONSTRAINT", "COLUMN"))


class Check:
    """A check that a migration adds, and the rows that break it."""

    def __init__(self, step):
        self.migration, self.code, self.constraint = step.migration, step.code, step.operation.constraint
        self.model = step.model(step.before)
        self.table, self.name = self.model._meta.db_table, self.constraint.name
        self.rule = self.constraint._get_check_sql(self.model, connection.schema_editor())

    def columns(self):
        """The columns that the rule is about."""
        quoted = {connection.ops.quote_name(field.column): field.column for field in self.model._meta.local_concrete_fields}
        return [column for name, column in quoted.items() if name in self.rule]

    def is_there(self):
        return set(self.columns()) <= set(live_columns(connection, self.table))

    def broken(self):
        """The condition of the rows that break it: where the rule says neither yes nor unknown, as NULL does."""
        return f"NOT ({self.rule})".replace("%", "%%")

    def rows(self, column):
        return KeptValues(connection, self.table, column)

    def keys(self):
        return self.rows(self.columns()[0]).keys(self.broken())

    def field(self, column):
        return next((each for each in self.model._meta.local_concrete_fields if each.column == column), None)


def all_checks():
    for step in waiting_steps(connection):
        if isinstance(step.operation, AddConstraint) and isinstance(step.operation.constraint, CheckConstraint):
            check = Check(step)
            if check.is_there():
                yield check


def named():
    return [check for check in checks if (check.table, check.name) == (TABLE, CONSTRAINT)]


def diagnose():
    """0: no row breaks a check. 1: some do. 2: code that waits before the check may correct them."""
    holding = [(check, keys) for check in named() or checks if (keys := check.keys())]
    if not holding:
        print("No row breaks a check that a waiting migration adds.")
        return 0
    for check, keys in holding:
        some = ", ".join(map(str, keys[:5])) + (", …" if len(keys) > 5 else "")
        print(f"{check.migration} adds the check {check.name}, and {len(keys)} rows of {check.table} break it (primary keys: {some})")
        print(f"  the rule: {check.rule}")
    check = holding[0][0]
    if check.code and not named():
        print(f"{' '.join(check.code)} runs code before that, which may correct them: then nothing is wrong.\n"
              "If `migrate` failed, set TABLE and CONSTRAINT and diagnose again.")
        return 2
    print(f"TABLE={check.table}\nCONSTRAINT={check.name}\nCOLUMN={COLUMN or check.columns()[0]}")
    return 1


def refuse(why):
    print(f"Refused, nothing was changed: {why}", file=sys.stderr)
    return 1


def fix():
    if not named():
        return refuse(f"no waiting migration adds a check {CONSTRAINT!r} to {TABLE!r}. Run diagnose again.")
    check = named()[-1]
    if COLUMN not in check.columns():
        return refuse(f"the check {CONSTRAINT} is about {', '.join(check.columns())}, not about {COLUMN!r}.")
    if not check.keys():
        print(f"Nothing to do: no row of {TABLE} breaks {CONSTRAINT}.")
        return 0
    if "VALUE" not in os.environ:
        return refuse("set VALUE to what the column shall hold in these rows.")
    field = check.field(COLUMN)
    try:
        value = field.to_python(os.environ["VALUE"])
        field.run_validators(value)
    except ValidationError as error:
        return refuse(f"{os.environ['VALUE']!r} is no value of {TABLE}.{COLUMN}: {' '.join(error.messages)}")
    rows = check.rows(COLUMN)

    def all_keep_the_rule():
        if left := check.keys():
            raise ValueError(f"with {value} in {COLUMN}, {len(left)} rows would still break {CONSTRAINT}")

    changed = rows.replace(check.broken(), "%s", [field.get_db_prep_save(value, connection)], all_keep_the_rule)
    print(f"{changed} rows of {TABLE} now hold {value} in {COLUMN}; {rows.name} keeps what they held.")
    return 0


def verify():
    if COLUMN not in live_columns(connection, TABLE):
        return refuse(f"there is no column {TABLE}.{COLUMN}.")
    left = sum(len(check.keys()) for check in named())
    print(f"{left} rows of {TABLE} break {CONSTRAINT}.")
    return 1 if left else 0


def undo():
    if COLUMN not in live_columns(connection, TABLE):
        return refuse(f"there is no column {TABLE}.{COLUMN}.")
    rows = KeptValues(connection, TABLE, COLUMN)
    if not rows.there:
        print(f"Nothing to undo: no values of {TABLE}.{COLUMN} are kept.")
        return 0
    done, changed = rows.put_back()
    print(f"{done} rows hold their old values again." + (f" {changed} were changed since and stay as they are; {rows.name} still has the old ones." if changed else ""))
    return 0


step = os.environ["STEP"]
try:
    connection = connections[os.environ.get("RUNBOOK_DATABASE", "default")]
    checks = list(all_checks()) if step != "undo" else []
    status = {"diagnose": diagnose, "fix": fix, "undo": undo, "verify": verify}[step]()
except Exception as error:
    print(f"Nothing was changed: {type(error).__name__}: {error}", file=sys.stderr)
    status = 2 if step == "diagnose" else 1
sys.exit(status)

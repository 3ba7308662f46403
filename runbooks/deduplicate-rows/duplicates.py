"""Finds rows that hold the same values where a waiting migration wants them unique, and merges them. STEP says what to do."""

import os
import sys

from django.db import connections

sys.path.insert(0, ".runbook/deduplicate-rows")
from removal import Refused, Removal  # noqa: E402
from unique_rules import rules  # noqa: E402
from waiting import live_columns, waiting_steps  # noqa: E402

TABLE, COLUMNS = os.environ.get("TABLE", ""), os.environ.get("COLUMNS", "")
KEEP = os.environ.get("KEEP", "").split()
SHOWN = 10


def all_rules():
    for rule in rules(waiting_steps(connection), connection.schema_editor()):
        columns = live_columns(connection, rule.table)
        if all(rule.model._meta.get_field(name).column in columns for name in rule.fields) and columns:
            yield rule


def with_duplicates(named_only=False):
    named = [rule for rule in wanted if (rule.table, rule.columns) == (TABLE, COLUMNS)]
    for rule in named or ([] if named_only else wanted):
        if groups := list(rule.groups(connection.alias)):
            yield rule, groups


def differences(rule, keys):
    """The fields in which the rows differ."""
    rows = list(rule.model._base_manager.using(connection.alias).filter(pk__in=keys).values())
    return [name for name in rows[0] if name != rule.model._meta.pk.attname and len({str(row[name]) for row in rows}) > 1]


def describe(rule, groups):
    print(f"{rule.step.migration} wants {rule.table} to be unique in {rule.columns}. Values that are there more than once: {len(groups)}")
    for values, keys in groups[:SHOWN]:
        apart = differences(rule, keys)
        print(f"  {', '.join(map(str, values))}: rows {', '.join(map(str, keys))}; they differ in {', '.join(apart) or 'nothing else'}")
    if len(groups) > SHOWN:
        print(f"  … and {len(groups) - SHOWN} more")
    removal = Removal(connection, rule.table)
    removal.plan({prepared(rule, keys[0]): [prepared(rule, key) for key in keys[1:]] for _, keys in groups})
    for child, column, _, rows in removal.affected:
        print(f"  {child}.{column}: {rows} rows point to all but the first of each")
    for obstacle in removal.obstacles():
        print(f"  In the way: {obstacle}")


def prepared(rule, key):
    return rule.model._meta.pk.get_db_prep_value(key, connection)


def diagnose():
    """0: every value is there once. 1: some are not. 2: code that waits before it may change them."""
    found = list(with_duplicates())
    if not found:
        print("No waiting migration makes values unique that are there more than once.")
        return 0
    for rule, groups in found:
        describe(rule, groups)
    rule = found[0][0]
    if rule.step.code and (rule.table, rule.columns) != (TABLE, COLUMNS):
        print(f"{' '.join(rule.step.code)} runs code before that, which may change them: then nothing is wrong.\n"
              "If `migrate` failed, set TABLE and COLUMNS and diagnose again.")
        return 2
    print(f"TABLE={rule.table}\nCOLUMNS={rule.columns}")
    return 1


def chosen(keys):
    """The key of the row that stays. Raises Refused when KEEP does not say."""
    if KEEP in (["lowest"], ["highest"]):
        return keys[0 if KEEP == ["lowest"] else -1]
    named = [key for key in keys if str(key) in KEEP]
    if len(named) != 1:
        raise Refused(f"KEEP must name one of the rows {', '.join(map(str, keys))} (or be lowest, or highest)")
    return named[0]


def fix():
    if not any((rule.table, rule.columns) == (TABLE, COLUMNS) for rule in wanted):
        raise Refused(f"no waiting migration wants {TABLE or 'a table'} to be unique in {COLUMNS!r}. Run diagnose again")
    kept_rows = {}
    for rule, groups in with_duplicates(named_only=True):
        for _, keys in groups:
            kept = chosen(keys)
            kept_rows[prepared(rule, kept)] = [prepared(rule, key) for key in keys if key != kept]
    if not kept_rows:
        print(f"Nothing to do: every value of {TABLE} is there once.")
        return 0
    removal = Removal(connection, TABLE)
    removal.plan(kept_rows)
    print(f"Rows of {TABLE} that are now in {removal.removed}: {removal.remove()}")
    for child, column, _, rows in removal.affected:
        print(f"  {child}.{column}: {rows} rows pointed to them; they point to the rows that stay, or say the same and are kept aside")
    return 0


def verify():
    left = list(with_duplicates(named_only=True))
    print(f"Values of {TABLE} that are there more than once: {sum(len(groups) for _, groups in left)}")
    return 1 if left else 0


def undo():
    removal = Removal(connection, TABLE)
    if not removal.kept_names():
        print(f"Nothing to undo: no rows of {TABLE} are kept aside.")
        return 0
    print(f"Rows of {TABLE} that are back, and so is what pointed to them: {removal.put_back()}")
    return 0


step = os.environ["STEP"]
try:
    connection = connections[os.environ.get("RUNBOOK_DATABASE", "default")]
    wanted = list(all_rules()) if step != "undo" else []
    status = {"diagnose": diagnose, "fix": fix, "undo": undo, "verify": verify}[step]()
except Exception as error:
    kind = "" if isinstance(error, Refused) else f"{type(error).__name__}: "
    print(f"Refused, nothing was changed: {kind}{error}", file=sys.stderr)
    status = 2 if step == "diagnose" else 1
sys.exit(status)

"""Columns that are there, but not as the migrations make them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from migration_runbooks.integrity.examined import Examined
from migration_runbooks.integrity.finding import Finding
from migration_runbooks.integrity.schema import Column
from migration_runbooks.integrity.schema.model import COLUMN_FACTS

IDS = {"nullable": "wrong-nullability", "default": "wrong-default", "collation": "wrong-collation"}
BOUNDED = re.compile(r"(?P<kind>[^(]+)\((?P<bounds>[\d, ]+)\)(?P<rest>.*)")


def check(examined: Examined) -> Iterator[Finding]:
    expected, live = examined.expected, examined.live
    looked_at = COLUMN_FACTS if expected.whole else ("nullable",)
    for fact, table, name, wanted in sorted((each for each in examined.missing if each[0] in looked_at), key=repr):
        if table in live and name in live[table].columns:
            yield wrong(examined, fact, table, expected.schema[table].columns[name], live[table].columns[name], wanted)


def wrong(examined: Examined, fact: str, table: str, wanted: Column, found: Column, value: object) -> Finding:
    finding_id = IDS.get(fact) or type_id(wanted.type, found.type)
    harmless = fact == "collation" or (fact == "default" and wanted.default is None)
    return Finding(
        id=finding_id,
        level="warning" if harmless else "error",
        app=examined.owner(table),
        object=f"{table}.{wanted.name}",
        message=f"Column {table}.{wanted.name} {said(fact, getattr(found, fact))}; the recorded migrations make it so that it {said(fact, value)}.",
        hint=f"python manage.py sqlmigrate {examined.owner(table)} MIGRATION shows the statement that makes {wanted.name}; "
        "compare with who altered the table, then alter it back.",
    )


def type_id(wanted: str, found: str) -> str:
    """Tell a length or a precision that differs from another type."""
    one, other = BOUNDED.fullmatch(wanted), BOUNDED.fullmatch(found)
    if not one or not other or one["kind"] != other["kind"] or one["rest"] != other["rest"]:
        return "wrong-type"
    return "wrong-precision" if "," in one["bounds"] + other["bounds"] else "wrong-length"


def said(fact: str, value: object) -> str:
    if fact == "nullable":
        return "may be NULL" if value else "is NOT NULL"
    if fact == "automatic":
        return "numbers itself" if value else "does not number itself"
    if value is None:
        return f"has no {fact}" if fact != "generated" else "is not generated"
    return f"has the {fact} {value}" if fact != "generated" else f"is generated as {value}"

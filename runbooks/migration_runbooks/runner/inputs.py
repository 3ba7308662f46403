"""The values that a runbook needs: found by diagnose, or given with --set."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from migration_runbooks.catalogue.runbooks import Runbook
from migration_runbooks.runner.problems import NOT_REPAIRED, Stop

LINE = re.compile(r"([A-Z][A-Z0-9_]*)=(.*)")
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


@dataclass(frozen=True)
class Value:
    value: str
    source: str
    """`diagnose` or `--set`."""


def given(runbook: Runbook, settings: Iterable[str]) -> dict[str, Value]:
    """Read `NAME=VALUE` settings. Raises Stop for a name that the runbook does not declare, and for an odd value."""
    declared = {each.name for each in runbook.inputs}
    values = {}
    for setting in settings:
        name, equals, value = setting.partition("=")
        if not equals:
            raise Stop(f"--set takes NAME=VALUE, not {setting!r}. Nothing was changed.")
        if name not in declared:
            known = ", ".join(sorted(declared)) or "none"
            raise Stop(f"{runbook.slug} has no input {name!r}; its inputs: {known}. Nothing was changed.")
        values[name] = Value(_checked(name, value), "--set")
    return values


def found(runbook: Runbook, output: str, settings: dict[str, Value]) -> dict[str, Value]:
    """Add to the settings what diagnose printed. Raises Stop when it printed two values for one name."""
    declared = {each.name for each in runbook.inputs}
    values: dict[str, Value] = {}
    for line in output.splitlines():
        match = LINE.fullmatch(line)
        if not match or match[1] not in declared or match[1] in settings:
            continue
        name, value = match[1], _checked(match[1], match[2])
        if name in values and values[name].value != value:
            message = f"diagnose found more than one {name}: {values[name].value!r} and {value!r}."
            raise Stop(f"{message} Choose with --set {name}=VALUE. Nothing was changed.", NOT_REPAIRED)
        values[name] = Value(value, "diagnose")
    return {each.name: (values | settings)[each.name] for each in runbook.inputs if each.name in values | settings}


def missing(runbook: Runbook, values: dict[str, Value]) -> list[str]:
    """Return one sentence for every input that has no value."""
    absent = [each for each in runbook.inputs if each.name not in values]
    return [f"--set {each.name}=VALUE  {each.meaning} {each.found} Example: {each.example}" for each in absent]


def _checked(name: str, value: str) -> str:
    if CONTROL.search(value):
        raise Stop(f"The value of {name} has a line break or a control character: {value!r}. Nothing was changed.")
    return value

"""For programs: an object with `findings` and `not_checked`."""

from __future__ import annotations

import json

from migration_runbooks.integrity.finding import Finding
from migration_runbooks.integrity.run import Result

KEYS = ("id", "level", "app", "object", "message", "hint", "runbook")


def write(result: Result, findings: list[Finding]) -> str:
    rows = [{key: getattr(finding, key) for key in KEYS} for finding in findings]
    return json.dumps({"findings": rows, "not_checked": result.not_checked}, indent=2, ensure_ascii=False)

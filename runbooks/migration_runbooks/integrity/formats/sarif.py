"""SARIF 2.1.0, which code-scanning services read. https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html"""

from __future__ import annotations

import json
from typing import Any

from migration_runbooks.integrity.finding import Finding
from migration_runbooks.integrity.places import relative
from migration_runbooks.integrity.run import Result

LEVELS = {"error": "error", "warning": "warning", "info": "note"}
SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"


def write(result: Result, findings: list[Finding]) -> str:
    rules = [{"id": rule} for rule in sorted({finding.id for finding in findings})]
    notes = [{"level": "note", "message": {"text": f"Not checked: {note}"}} for note in result.not_checked]
    one_run: dict[str, Any] = {
        "tool": {"driver": {"name": "check_migration_integrity", "rules": rules}},
        "invocations": [{"executionSuccessful": not result.could_not, "toolExecutionNotifications": notes}],
        "results": [described(finding) for finding in findings],
    }
    return json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [one_run]}, indent=2, ensure_ascii=False)


def described(finding: Finding) -> dict[str, Any]:
    logical = {"fullyQualifiedName": ".".join(part for part in (finding.app, finding.object) if part)}
    location: dict[str, Any] = {"logicalLocations": [logical]}
    if finding.file:
        location["physicalLocation"] = {
            "artifactLocation": {"uri": relative(finding.file)},
            "region": {"startLine": 1},
        }
    return {
        "ruleId": finding.id,
        "level": LEVELS[finding.level],
        "message": {"text": f"{finding.message} Next: {finding.hint}"},
        "locations": [location],
        "properties": {"runbook": finding.runbook},
    }

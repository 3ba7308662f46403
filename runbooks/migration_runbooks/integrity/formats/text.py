"""For people."""

from __future__ import annotations

from collections import Counter

from migration_runbooks.integrity.finding import LEVELS, Finding
from migration_runbooks.integrity.run import Result


def write(result: Result, findings: list[Finding]) -> str:
    parts = [paragraph(finding) for finding in findings]
    if result.not_checked:
        parts.append("\n".join(["Not checked:", *(f"  {note}" for note in result.not_checked)]))
    return "\n\n".join([*parts, summary(findings, bool(result.not_checked))])


def paragraph(finding: Finding) -> str:
    place = " ".join(part for part in (finding.app, finding.object) if part)
    lines = [f"{finding.level}: {finding.id}: {place}", f"  {finding.message}", f"  Next: {finding.hint}"]
    if finding.runbook:
        lines.append(f"  Runbook: runbook run {finding.runbook}")
    return "\n".join(lines)


def summary(findings: list[Finding], partial: bool) -> str:
    counts = Counter(finding.level for finding in findings)
    if not counts:
        return "Nothing found in what was checked." if partial else "Files, history, schema and rows agree."
    found = [f"{counts[level]} {level}{'s' if counts[level] > 1 and level != 'info' else ''}" for level in reversed(LEVELS) if counts[level]]
    return f"Found {', '.join(found)}."

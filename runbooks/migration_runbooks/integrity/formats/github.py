"""GitHub's workflow commands: annotations of a run, at a file's line where there is one.

https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands
"""

from __future__ import annotations

from migration_runbooks.integrity.finding import Finding
from migration_runbooks.integrity.places import relative
from migration_runbooks.integrity.run import Result

COMMANDS = {"error": "error", "warning": "warning", "info": "notice"}


def write(result: Result, findings: list[Finding]) -> str:
    lines = [annotation(finding) for finding in findings]
    lines += [f"::notice title=not checked::{escaped(note)}" for note in result.not_checked]
    return "\n".join(lines)


def annotation(finding: Finding) -> str:
    values = {"title": f"{finding.id} {finding.object}"}
    if finding.file:
        values = {"file": relative(finding.file), "line": "1", **values}
    listed = ",".join(f"{name}={escaped(value, ',:')}" for name, value in values.items())
    runbook = f"\nRunbook: runbook run {finding.runbook}" if finding.runbook else ""
    return f"::{COMMANDS[finding.level]} {listed}::{escaped(f'{finding.message}{chr(10)}Next: {finding.hint}{runbook}')}"


def escaped(text: str, also: str = "") -> str:
    for character in "%\r\n" + also:
        text = text.replace(character, f"%{ord(character):02X}")
    return text

"""What diagnose said, and the plan that follows from it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from migration_runbooks.catalogue.runbooks import Runbook, find
from migration_runbooks.runner import inputs
from migration_runbooks.runner.backup import BACK_UP, backup_folder, touches_database
from migration_runbooks.runner.inputs import Value
from migration_runbooks.runner.problems import COULD_NOT_TELL
from migration_runbooks.runner.scripts import Scripts

STATUS = {0: "healthy", 1: "found"}
# Python and manage.py end with 1 when they fail, which is also how a diagnose says that it found its problem.
CRASH = re.compile(
    r"Traceback \(most recent call last\):|^(CommandError|SystemCheckError|Unknown command): ", re.MULTILINE
)


@dataclass(frozen=True)
class Diagnosis:
    status: int
    """0 healthy, 1 this is it, anything else could not tell."""
    evidence: str
    inputs: dict[str, Value]

    @property
    def result(self) -> str:
        return STATUS.get(self.status, "could not tell")


def diagnose(scripts: Scripts, runbook: Runbook, given: dict[str, Value], log: Path | None = None) -> Diagnosis:
    """Run diagnose, which reads only. Raises Stop when what it found is ambiguous or odd."""
    done = scripts.run(runbook, "diagnose", {name: each.value for name, each in given.items()}, log)
    if done.status == 1 and CRASH.search(done.stderr):
        scripts.say("diagnose crashed, so it can't tell whether this is it.")
        return Diagnosis(COULD_NOT_TELL, done.stdout, given)
    values = inputs.found(runbook, done.stdout, given) if done.status == 1 else given
    return Diagnosis(done.status, done.stdout, values)


def plan_steps(scripts: Scripts, runbook: Runbook, run: str) -> list[dict[str, str]]:
    """Return what `--apply` does, in order: step, what it runs, its risk label."""
    steps = []
    if touches_database(runbook):
        folder = backup_folder(scripts.project.private / "runs" / run).relative_to(scripts.project.directory)
        steps.append(
            {"step": "back up", "does": f"the database into {folder}/, verified", "risk": find(BACK_UP).risk["fix"]}
        )
    steps.append({"step": "copy", "does": "the project's .py files into the run's folder", "risk": "Reads only"})
    for step in ("fix", "verify"):
        script = runbook.script(step, scripts.database.vendor)
        steps.append({"step": step, "does": script.name, "risk": runbook.risk[step]})
    return steps


def plan(scripts: Scripts, runbook: Runbook, diagnosis: Diagnosis, run: str = "RUN") -> dict:
    """Return the plan, fit for JSON."""
    undo = runbook.script("undo", scripts.database.vendor)
    return {
        "runbook": runbook.slug,
        "project": str(scripts.project.directory),
        "database": {"alias": scripts.database.alias, "vendor": scripts.database.vendor} if runbook.django else None,
        "diagnosis": diagnosis.result,
        "evidence": scripts.hide(diagnosis.evidence),
        "inputs": {
            name: {"value": scripts.hide(each.value), "source": each.source} for name, each in diagnosis.inputs.items()
        },
        "missing_inputs": inputs.missing(runbook, diagnosis.inputs),
        "steps": plan_steps(scripts, runbook, run),
        "locks": runbook.locks,
        "duration": runbook.duration,
        "undo": {"command": scripts.project.command("undo", run) if undo else None, "limits": runbook.undo},
    }


def plan_text(runbook: Runbook, facts: dict) -> str:
    """Return the plan for people; diagnose's evidence has been shown before it."""
    values = [f"  {name} = {each['value']!r} (from {each['source']})" for name, each in facts["inputs"].items()]
    values += [f"  missing: {line}" for line in facts["missing_inputs"]]
    steps = [f"  {n}. {each['step']}: {each['does']} [{each['risk']}]" for n, each in enumerate(facts["steps"], 1)]
    undo = f"{facts['undo']['command']}. " if facts["undo"]["command"] else "there is none. "
    database = f", database {facts['database']['alias']} ({facts['database']['vendor']})" if facts["database"] else ""
    return "\n".join(
        [
            f"Plan: {runbook.title} ({runbook.slug}){database}",
            "Inputs:" if values else "Inputs: none",
            *values,
            "Steps:",
            *steps,
            f"Locks: {runbook.locks}",
            f"Duration: {runbook.duration}",
            f"Undo: {undo}{runbook.undo}",
        ]
    )

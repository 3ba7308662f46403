"""Carry out a runbook: diagnose, back up, fix, verify; from the beginning or from where a journal ends."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from migration_runbooks.catalogue.runbooks import Runbook
from migration_runbooks.runner import files
from migration_runbooks.runner.backup import back_up, touches_database
from migration_runbooks.runner.diagnosis import Diagnosis, diagnose, plan, plan_text
from migration_runbooks.runner.inputs import Value
from migration_runbooks.runner.journal import Journal
from migration_runbooks.runner.problems import COULD_NOT_TELL, HEALTHY, NOT_REPAIRED, STOPPED_HALF_WAY, Stop
from migration_runbooks.runner.scripts import Scripts


@dataclass(frozen=True)
class Outcome:
    status: int
    message: str
    facts: dict = field(default_factory=dict)


@dataclass
class Run:
    runbook: Runbook
    scripts: Scripts
    journal: Journal
    given: dict[str, Value]
    say: Callable[[str], None]
    confirm: Callable[[], bool]

    def carry_on(self) -> Outcome:
        """Do what is not done yet, and journal it. Raises Stop with the status that the run ends with."""
        facts: dict = {}
        if not self.journal.last("started", "fix"):
            diagnosis = self.diagnose()
            facts = plan(self.scripts, self.runbook, diagnosis, self.journal.run)
            if diagnosis.status != 1:
                return self.end(*_not_found(diagnosis), facts)
            self.say(plan_text(self.runbook, facts))
            if facts["missing_inputs"]:
                message = "Nothing was changed: give the missing inputs.\n  " + "\n  ".join(facts["missing_inputs"])
                return self.end(NOT_REPAIRED, message, facts)
            if not self.confirmed():
                return self.end(NOT_REPAIRED, "Nothing was changed.", facts)
            self.prepare()
        if not self.journal.done("fix") and (failed := self.fix()):
            return self.end(*failed, facts)
        return self.end(*self.verify(), facts)

    def confirmed(self) -> bool:
        """Whether a person has agreed to the run, now or before it was killed."""
        begun = self.journal.begun()["yes"] or self.journal.last("confirmed", "plan")
        if not begun and not self.confirm():
            return False
        self.journal.write("confirmed", step="plan")
        return True

    def diagnose(self) -> Diagnosis:
        self.journal.write("started", step="diagnose")
        diagnosis = diagnose(self.scripts, self.runbook, self.given, self.log("diagnose"))
        self.journal.write("finished", step="diagnose", status=diagnosis.status, evidence=_digest(diagnosis.evidence))
        self.journal.write("inputs", values={name: vars(each) for name, each in diagnosis.inputs.items()})
        return diagnosis

    def prepare(self) -> None:
        """Make it possible to go back: a verified backup and copies of the files."""
        if touches_database(self.runbook):
            self.say("Back up the database:")
            back_up(self.scripts, self.journal)
        self.journal.write("started", step="copy")
        files.keep(self.scripts, self.journal.folder / "before")
        self.journal.write("finished", step="copy", status=0)

    def step(self, step: str) -> int:
        """Run and journal one script with the run's inputs; return its status."""
        self.say(f"{step.capitalize()}:")
        self.journal.write("started", step=step)
        began = time.monotonic()
        values = {name: each["value"] for name, each in self.journal.inputs().items()}
        status = self.scripts.run(self.runbook, step, values, self.log(step)).status
        if step == "fix":
            after = json.dumps(files.digests(self.scripts))
            (self.journal.folder / "after.json").write_text(after)
        self.journal.write("finished", step=step, status=status, seconds=round(time.monotonic() - began, 3))
        return status

    def fix(self) -> tuple[int, str] | None:
        """Run fix; when it fails, say what state it left."""
        status = self.step("fix")
        if status == 0:
            return None
        self.say(f"fix ended with status {status}. Diagnose again:")
        before = self.journal.last("finished", "diagnose")
        try:
            now = diagnose(self.scripts, self.runbook, self.given, self.log("diagnose"))
        except Stop as stop:
            return STOPPED_HALF_WAY, f"fix ended with status {status}, and diagnose can't tell the state: {stop}"
        kept = files.kept(self.journal.folder / "before")
        same_evidence = (now.status, _digest(now.evidence)) == (1, before["evidence"])
        if not same_evidence or files.digests(self.scripts) != kept:
            return STOPPED_HALF_WAY, f"fix ended with status {status}, and the state is not as before."
        return NOT_REPAIRED, f"Not repaired: fix ended with status {status}. The state is as before."

    def verify(self) -> tuple[int, str]:
        status = self.step("verify")
        if status:
            return STOPPED_HALF_WAY, f"fix ended well, but verify says it is not healthy (status {status})."
        return HEALTHY, f"Repaired and verified: {self.runbook.title}."

    def end(self, status: int, message: str, facts: dict) -> Outcome:
        with suppress(OSError):  # a full disk must not hide how it ended; the run then counts as killed
            self.journal.write("ended", status=status, message=self.scripts.hide(message))
        return Outcome(status, message, facts)

    def log(self, step: str) -> Path:
        return self.journal.folder / f"{step}.txt"


def planned(scripts: Scripts, runbook: Runbook, given: dict[str, Value], say: Callable[[str], None]) -> Outcome:
    """Diagnose and show the plan; nothing is changed."""
    diagnosis = diagnose(scripts, runbook, given)
    facts = plan(scripts, runbook, diagnosis)
    if diagnosis.status != 1:
        return Outcome(*_not_found(diagnosis), facts)
    say(plan_text(runbook, facts))
    return Outcome(NOT_REPAIRED, "Nothing was changed. To carry out this plan:", facts)


def _not_found(diagnosis: Diagnosis) -> tuple[int, str]:
    if diagnosis.status == 0:
        return HEALTHY, "Healthy: nothing to do. Nothing was changed."
    return COULD_NOT_TELL, f"diagnose could not tell (status {diagnosis.status}). Nothing was changed."


def _digest(text: str) -> str:
    return sha256(text.encode()).hexdigest()

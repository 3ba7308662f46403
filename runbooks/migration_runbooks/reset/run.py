"""Carry a plan out under a journal: back up, change, check; resume and undo after a kill at any moment."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from migration_runbooks.reset import act, report
from migration_runbooks.reset.backup import project_here, scripts
from migration_runbooks.reset.order import Order
from migration_runbooks.reset.plan import Plan
from migration_runbooks.reset.refusal import BadInput, Refused
from migration_runbooks.runner.backup import back_up
from migration_runbooks.runner.journal import Journal, new_journal
from migration_runbooks.runner.lock import only_run
from migration_runbooks.runner.problems import Stop

Say = Callable[[str], None]


class HalfWay(Exception):
    """Something was changed and not all of it. The message says why it stopped."""


@dataclass(frozen=True)
class Run:
    journal: Journal
    plan: Plan
    say: Say
    lock: int

    def carry_on(self) -> None:
        """Do what is not done yet. Raises Refused when nothing was changed, HalfWay when something was."""
        if not self.journal.done("backup"):
            act.demand_known_files(self.plan)
            self.back_up()
        self.step("change", lambda: act.apply(self.plan))
        self.step("check", self.check)
        self.say(report.done(self.plan))

    def back_up(self) -> None:
        self.say("Back up the database:")
        with scripts(self.plan.alias, self.say, self.lock) as ready:
            back_up(ready, self.journal)

    def undo(self) -> None:
        self.step("undo", lambda: act.undo(self.plan))
        self.say(f"Undone: the migration files of {', '.join(self.plan.apps)} and their records are as before.")

    def step(self, name: str, work: Callable[[], None]) -> None:
        self.journal.write("started", step=name)
        try:
            work()
        except Refused as error:
            raise HalfWay(str(error)) from error
        self.journal.write("finished", step=name, status=0)

    def check(self) -> None:
        """Look at files, history and schema as check_migration_integrity does, now that they are new."""
        from migration_runbooks.integrity.examined import Examined
        from migration_runbooks.reset import preflight
        from migration_runbooks.reset.chosen import read_anew

        read_anew([Path(path).parent for path in self.plan.files])
        found = preflight.findings(Examined(self.plan.alias, rows=False), self.plan.apps)
        # What was just written is not committed yet, and migrations newer than the reset may wait.
        if lines := [line for line in found if not line.startswith(("untracked-migration", "unapplied-migration"))]:
            raise HalfWay("The new history was checked, and it is not sound:\n" + "\n".join(lines))


def plan_only(order: Order) -> Plan:
    """Return the plan. Raises Refused, NothingToDo."""
    # What plans and checks is imported where it is called: --undo, and an app that is not there, need none of it.
    from migration_runbooks.reset.planning import planned

    demand_none_unfinished()
    return planned(order)


def apply(order: Order, say: Say) -> None:
    """Plan and carry out, under a new journal. Raises Refused, NothingToDo, HalfWay, Stop."""
    from migration_runbooks.reset.planning import planned

    with locked(say) as lock:
        demand_none_unfinished()
        plan = planned(order, keep=True)
        say(report.plan_text(plan))
        journal = new_journal(private(), "reset")
        plan.keep(journal.folder)
        journal.write("begun", order=len(journals()), apps=plan.apps, database=plan.alias)
        finish(Run(journal, plan, say, lock))


def finish(run: Run) -> None:
    try:
        run.carry_on()
    except (Stop, Refused) as error:
        run.journal.write("ended", status=1)
        raise Refused(*str(error).splitlines()) from error


def resume(say: Say) -> None:
    """Finish the run that was interrupted. Raises Refused, HalfWay, Stop."""
    with locked(say) as lock:
        journal = unfinished()
        if journal is None:
            say("Nothing to resume: no reset was interrupted here.")
        elif journal.last("started", "undo"):
            reopened(journal, say, lock).undo()
        else:
            finish(reopened(journal, say, lock))


def undo(say: Say) -> None:
    """Take back the latest run that changed something, or that is unfinished. Raises BadInput, HalfWay, Stop."""
    with locked(say) as lock:
        begun = [journal for journal in journals() if journal.last("started", "change") or not ended(journal)]
        if not begun:
            raise BadInput(f"There is no reset to undo: {private()} knows of none.")
        journal = begun[-1]
        if journal.done("undo"):
            say("Nothing to undo: the latest reset is undone.")
        elif not journal.last("started", "change"):
            journal.write("ended", status=1)
            say("Nothing to undo: the reset was interrupted before it changed anything.")
        else:
            reopened(journal, say, lock).undo()


def reopened(journal: Journal, say: Say, lock: int) -> Run:
    return Run(journal, Plan.kept(journal.folder), say, lock)


def demand_none_unfinished() -> None:
    if journal := unfinished():
        apps = ", ".join(journal.begun()["apps"])
        raise Refused(f"A reset of {apps} was interrupted. Finish it: {report.COMMAND} --resume. Or take it back: {report.COMMAND} --undo")


def unfinished() -> Journal | None:
    """Return the latest run if it has begun and is neither done nor undone."""
    latest = journals()[-1:]
    return latest[0] if latest and not ended(latest[0]) else None


def ended(journal: Journal) -> bool:
    undoing = journal.last("started", "undo")
    return journal.done("undo") or (not undoing and journal.done("check")) or journal.ended() is not None


def private() -> Path:
    return project_here().private / "resets"


def journals() -> list[Journal]:
    """Return all runs of this project, the latest last."""
    folders = sorted({file.parent for file in (private() / "runs").glob("*/journal.jsonl")})
    found = [journal for folder in folders if (journal := Journal(folder)).events()]
    return sorted(found, key=lambda journal: journal.begun()["order"])


@contextmanager
def locked(say: Say) -> Iterator[int]:
    """One reset, or run of a runbook, at a time in a project. Raises Stop when another is at work."""
    project = project_here()
    if not (project.directory / "manage.py").is_file() and "manage.py" in project.manage:
        raise BadInput(f"There is no manage.py in {project.directory}. Run the command in the folder that holds it.")
    project.prepare()
    private().mkdir(exist_ok=True)
    with only_run(project.private, say) as lock:
        yield lock

"""From the words of a command line to a run: project, database, lock, scripts, journal."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from migration_runbooks.catalogue.runbooks import Runbook, find
from migration_runbooks.runner import inputs
from migration_runbooks.runner.backup import BACK_UP, touches_database
from migration_runbooks.runner.connection import secrets, tools_environment
from migration_runbooks.runner.inputs import Value
from migration_runbooks.runner.journal import Journal, find_journal, new_journal
from migration_runbooks.runner.lock import only_run
from migration_runbooks.runner.problems import HEALTHY, NOT_REPAIRED, STOPPED_HALF_WAY, Stop
from migration_runbooks.runner.project import UV_RUN, Database, Project, ask_django, find_project
from migration_runbooks.runner.run import Outcome, Run, planned
from migration_runbooks.runner.scripts import Scripts, default_database_only
from migration_runbooks.runner.undo import undo

Say = Callable[[str], None]


@dataclass(frozen=True)
class Order:
    """What the command line asks for."""

    slug: str
    project: Path
    manage: str = UV_RUN
    database: str = "default"
    settings: tuple[str, ...] = ()
    yes: bool = False
    """Whether to apply without asking."""


def plan_run(order: Order, say: Say) -> Outcome:
    """Diagnose and show the plan. Raises Stop."""
    runbook, project, given = _ready(order)
    with _scripts(project, runbook, order.database, say, lock=None) as scripts:
        return planned(scripts, runbook, given, say)


def apply_run(order: Order, say: Say, confirm: Callable[[], bool]) -> Outcome:
    """Diagnose, ask, back up, fix, verify, under a new journal. Raises Stop."""
    runbook, project, given = _ready(order)
    with only_run(project.private, say) as lock, _scripts(project, runbook, order.database, say, lock) as scripts:
        journal = new_journal(project.private, runbook.slug)
        journal.write(
            "begun",
            order=time.time_ns(),
            runbook=runbook.slug,
            database=order.database,
            manage=project.manage,
            yes=order.yes,
            settings=[scripts.hide(each) for each in order.settings],
        )
        say(f"Run {journal.run}")
        run = Run(runbook, scripts, journal, given, say, confirm)
        return _carried_out(run, run.carry_on)


def resume_run(run_id: str, project: Path, say: Say, confirm: Callable[[], bool]) -> Outcome:
    """Go on where the journal of a run ends. Raises Stop."""
    with _reopened(run_id, project, say, confirm) as run:
        ended = run.journal.ended()
        if run.journal.done("undo"):
            return Outcome(NOT_REPAIRED, f"Nothing to resume: run {run.journal.run} is undone.")
        if run.journal.last("started", "undo"):
            undoing = run.scripts.project.command("undo", run.journal.run)
            raise Stop(f"An undo of run {run.journal.run} was begun.\nTo end it: {undoing}", STOPPED_HALF_WAY)
        if ended in (None, STOPPED_HALF_WAY):
            return _carried_out(run, run.carry_on)
        again = "" if ended == 0 else f" To try again: runbook run {run.runbook.slug} --apply"
        return Outcome(ended, f"Nothing to resume: run {run.journal.run} has ended.{again}")


def undo_run(run_id: str, project: Path, say: Say) -> Outcome:
    """Take a run back. Raises Stop."""
    with _reopened(run_id, project, say, lambda: True) as run:
        return _carried_out(run, lambda: undo(run))


def _ready(order: Order) -> tuple[Runbook, Project, dict[str, Value]]:
    runbook = find(order.slug)
    given = inputs.given(runbook, order.settings)
    project = find_project(order.project, order.manage)
    if touches_database(runbook):
        find(BACK_UP)
    project.prepare()
    return runbook, project, given


@contextmanager
def _scripts(project: Project, runbook: Runbook, alias: str, say: Say, lock: int | None) -> Iterator[Scripts]:
    database = _database(project, runbook, alias)
    with tools_environment(database, project.private) as environment:
        yield Scripts(project, database, environment, say, secrets(database), lock)


def _database(project: Project, runbook: Runbook, alias: str) -> Database:
    """Return the database of an alias, one without a vendor when the runbook needs no Django. Raises Stop."""
    if not runbook.django:
        if alias != "default":
            raise Stop(f"{runbook.slug} touches no database; run it without --database. Nothing was changed.")
        return Database(alias, "", {}, {})
    database = ask_django(project, alias)
    if database.vendor not in runbook.databases:
        known = ", ".join(runbook.databases)
        raise Stop(f"{runbook.slug} is proven for {known}, not for {database.vendor}. Nothing was changed.")
    for each in (runbook, find(BACK_UP)) if touches_database(runbook) else (runbook,):
        if alias != "default" and (script := default_database_only(each, database.vendor)):
            raise Stop(f"{each.slug} works on the database `default` only ({script}). Nothing was changed.")
    return database


@contextmanager
def _reopened(run_id: str, directory: Path, say: Say, confirm: Callable[[], bool]) -> Iterator[Run]:
    private = directory.resolve() / ".runbook"
    journal = find_journal(private, run_id)
    begun = journal.begun()
    project = find_project(directory, begun["manage"])
    runbook = find(begun["runbook"])
    given = inputs.given(runbook, begun["settings"])
    with only_run(private, say) as lock, _scripts(project, runbook, begun["database"], say, lock) as scripts:
        say(f"Run {journal.run}")
        yield Run(runbook, scripts, journal, given, say, confirm)


def _carried_out(run: Run, work: Callable[[], Outcome]) -> Outcome:
    """Do the work; however it ends, the journal and the reader know how it stands."""
    journal: Journal = run.journal
    before = {each: signal.signal(each, signal.default_int_handler) for each in (signal.SIGTERM, signal.SIGHUP)}
    try:
        outcome = work()
    except Stop as stop:
        outcome = run.end(stop.status, str(stop), {})
    except (KeyboardInterrupt, OSError) as error:
        changing = journal.last("started", "fix") or journal.last("started", "undo")
        status = STOPPED_HALF_WAY if changing else NOT_REPAIRED
        reason = f"{error}." if isinstance(error, OSError) else "Interrupted."
        outcome = run.end(status, reason + ("" if changing else " Nothing was changed."), {})
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
    return Outcome(outcome.status, outcome.message, outcome.facts | _ways_on(run, outcome.status))


def _ways_on(run: Run, status: int) -> dict:
    facts: dict = {"run": run.journal.run}
    has_undo = run.runbook.script("undo", run.scripts.database.vendor)
    undoing = run.journal.last("started", "undo")
    verbs = []
    if status == STOPPED_HALF_WAY and not undoing:
        verbs.append("resume")
    if has_undo and (status == STOPPED_HALF_WAY or (status == HEALTHY and run.journal.done("fix") and not undoing)):
        verbs.append("undo")
    if verbs:
        facts["next"] = [run.scripts.project.command(verb, run.journal.run) for verb in verbs]
    return facts

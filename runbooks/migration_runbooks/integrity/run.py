"""Run every check over one database."""

from __future__ import annotations

import pkgutil
from dataclasses import dataclass, replace
from importlib import import_module
from types import ModuleType

from migration_runbooks.integrity import checks
from migration_runbooks.integrity.examined import Examined
from migration_runbooks.integrity.finding import LEVELS, Finding, Unreadable, known_runbook


@dataclass(frozen=True)
class Result:
    findings: list[Finding]
    not_checked: list[str]
    could_not: bool
    """Whether something that was asked for could not be looked at."""
    seconds: dict[str, float]


def all_checks() -> list[ModuleType]:
    names = sorted(module.name for module in pkgutil.iter_modules(checks.__path__))
    return [import_module(f"{checks.__name__}.{name}") for name in names]


def checks_of(level: str) -> list[ModuleType]:
    """Return the checks that may find something of this level or worse. One that never does says so by its LEVEL."""
    return [module for module in all_checks() if LEVELS.index(getattr(module, "LEVEL", LEVELS[-1])) >= LEVELS.index(level)]


def run(examined: Examined, level: str = "info") -> Result:
    """Return the findings, the worst first, without the checks all of whose findings lie below the level.

    What can't be read is said, and hides nothing else.
    """
    findings: list[Finding] = []
    unreadable: dict[str, str] = {}
    try:
        for module in checks_of(level):
            name = module.__name__.rpartition(".")[2]
            try:
                with examined.timed(f"check {name}"):
                    findings += module.check(examined)
            except Unreadable as error:
                unreadable.setdefault(error.source, str(error))
            except Exception as error:  # a check of ours that fails must not hide what the others find
                unreadable[f"the check {name}"] = f"{type(error).__name__}: {error}"
    finally:
        examined.release()
    if (replayed := examined.outcomes.get("the replayed schema")) and isinstance(replayed, Unreadable):
        unreadable.setdefault(replayed.source, str(replayed))
    findings += [said(source, reason) for source, reason in unreadable.items()]
    findings = [replace(finding, runbook=known_runbook(finding.runbook)) for finding in findings]
    return Result(sorted(findings, key=lambda each: each.rank), examined.not_checked, bool(unreadable), examined.seconds)


def said(source: str, reason: str) -> Finding:
    return Finding(
        id="could-not-check",
        level="warning",
        app="",
        object=source,
        message=f"{source.capitalize()} could not be read: {reason.rstrip('.')}.",
        hint="Repair what it names, and run the check again: what depends on it was not looked at.",
    )

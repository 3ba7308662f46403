"""Which operations of a migration that is not recorded took effect all the same."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby

from migration_runbooks.integrity.schema import Schema
from migration_runbooks.integrity.schema.model import Fact
from migration_runbooks.integrity.sources.expected import Expected, Step


@dataclass(frozen=True)
class Half:
    app: str
    migration: str
    done: tuple[str, ...]
    """The operations that took effect."""
    partly: tuple[str, ...]
    open: tuple[str, ...]
    unseen: tuple[str, ...]
    """Operations whose effect no schema shows, such as RunPython."""
    added: frozenset[Fact]
    removed: frozenset[Fact]


def find_half_applied(expected: Expected, live: Schema) -> list[Half]:
    """Compare each operation's effect with the live schema. Only what differs from before counts as an effect."""
    there, before = live.facts(), expected.schema.facts()
    found = []
    for (app, migration), steps in groupby(expected.steps, key=lambda step: (step.app, step.migration)):
        steps = list(steps)
        states = {step.operation: state_of(step, there, before) for step in steps}
        if {"done", "partly"} & set(states.values()):
            by_state = [tuple(name for name, state in states.items() if state == wanted) for wanted in STATES]
            added, removed = (frozenset().union(*(getattr(step, facts) for step in steps)) for facts in ("added", "removed"))
            found.append(Half(app, migration, *by_state, added, removed))
    return found


STATES = ("done", "partly", "open", "unseen")


def state_of(step: Step, there: frozenset[Fact], before: frozenset[Fact]) -> str:
    # A table that a later operation dropped again, or a fact that was so before, tells nothing.
    effects = [fact in there for fact in step.added - before] + [fact not in there for fact in step.removed & before]
    if not effects:
        return "unseen"
    return "done" if all(effects) else "partly" if any(effects) else "open"

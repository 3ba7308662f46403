"""Prove, before anything is changed, that a fresh database gets from the new files what it got from the old ones."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from django.db import connections
from django.db.migrations.exceptions import CircularDependencyError

from migration_runbooks.integrity.checks.model_changes import changes_of_models
from migration_runbooks.integrity.finding import Unreadable
from migration_runbooks.integrity.schema import Schema
from migration_runbooks.integrity.sources import cache
from migration_runbooks.integrity.sources.expected import Expected
from migration_runbooks.integrity.sources.files import Files, read_files
from migration_runbooks.reset.candidate import Candidate, candidate
from migration_runbooks.reset.carry import Carried, Orders
from migration_runbooks.reset.chosen import Chosen
from migration_runbooks.reset.measure import Content, Measured, measure
from migration_runbooks.reset.refusal import Refused
from migration_runbooks.reset.staging import staged

SHOWN = 6
SQUASH = "Next: squash instead, which keeps every operation: runbook run squash-app-migrations"


@dataclass(frozen=True)
class Tried:
    """What a fresh database got from new files."""

    content: Content
    expected: Expected
    key: str
    """Under which the expected schema is asked for once these very files are written and all of them are recorded."""

    def keep(self) -> None:
        """Spare the check at the end of the reset, also of one that is resumed, the same replay."""
        cache.keep(cache.default_folder(), self.key, self.expected)


def proven(alias: str, chosen: Chosen, initial: dict, measured: Measured, orders: Orders) -> tuple[Candidate, Carried, Tried, list[str]]:
    """Return files that make the same fresh database, what was decided for them, what they make, and notes. Raises Refused if there are none.

    First only what changed rows is carried over. If objects or parts of the schema are then seen to be lacking, what
    made them is carried over as well.
    """
    carried, lacking = Carried(), frozenset()
    while True:
        carried.decide(chosen, measured, orders, lacking)
        found = candidate(chosen, initial, carried)
        new = replayed(alias, chosen, found)
        missing = measured.content.facts - new.content.facts
        if missing <= lacking:
            break
        lacking |= missing
    if lines := [*differences(measured, new.content, carried, orders)]:
        raise Refused(*lines, SQUASH)
    return found, carried, new, [*other_names(measured.content.schema, new.content.schema), *losses(measured, orders)]


def replayed(alias: str, chosen: Chosen, found: Candidate) -> Tried:
    """Return what a fresh database gets from the new files. Raises Refused when they make none."""
    with staged(chosen.folders, found.texts):
        files = read_files(None)
        demand_graph(files, chosen)
        key = cache.fingerprint(files, set(files.order), connections[alias])
        try:
            measured = measure(alias, files, set())
        except Unreadable as error:
            raise Refused(f"The new files were tried on an empty database, and fail there: {error}", SQUASH) from error
        changes = changes_of_models()
        if changed := sorted(app for app in found.texts if app in changes):
            raise Refused(f"With the new files, makemigrations would find changes in {', '.join(changed)}.", SQUASH)
        return Tried(measured.content, measured.expected, key)


def demand_graph(files: Files, chosen: Chosen) -> None:
    for name, error in files.loader.broken.items():
        raise Refused(f"{'.'.join(name)} can't be read once the old files are gone: {type(error).__name__}: {error}", SQUASH)
    if isinstance(files.graph_error, CircularDependencyError):
        circle = {step.strip().split(".")[0] for step in str(files.graph_error).split(",")}
        together = " ".join([*chosen.apps, *sorted(circle - set(chosen.apps))])
        raise Refused(
            f"The new files would depend on each other in a circle ({files.graph_error}). "
            f"Reset these apps together: python manage.py reset_migrations {together}"
        )
    if files.graph_error:
        raise Refused(f"The new files don't fit the other apps' migrations: {files.graph_error}", SQUASH)


def differences(measured: Measured, new: Content, carried: Carried, orders: Orders) -> Iterator[str]:
    """Yield how a fresh database would differ, one sentence each; what was left out by order may lack rows."""
    old = measured.content
    for sentence, facts in (("would lack", old.facts - new.facts), ("would have, and has not now,", new.facts - old.facts)):
        listed = sorted(map(shown, facts))
        if listed:
            more = f" and {len(listed) - SHOWN} more" if len(listed) > SHOWN else ""
            yield f"A fresh database {sentence} {'; '.join(listed[:SHOWN])}{more}."
    accepted = set().union(*(measured.effects[name].tables for name in orders.leave_out))
    for table in sorted((old.rows.keys() | new.rows.keys()) - accepted):
        before, after = (content.rows.get(table, (0, ""))[0] for content in (old, new))
        if before != after:
            yield f"A fresh database would have {after} rows in {table}, and has {before} now."


def losses(measured: Measured, orders: Orders) -> Iterator[str]:
    """Yield what a fresh database will not have, because someone said so."""
    for name in sorted(orders.leave_out):
        tables = sorted(measured.effects[name].tables & measured.content.rows.keys())
        if tables:
            yield f"{'.'.join(name)} is left out as you said: a fresh database will not have its rows in {', '.join(tables)}."


def other_names(old: Schema, new: Schema) -> Iterator[str]:
    """Yield the indexes and constraints that a fresh database gets under another name; Django finds them by their columns."""
    for table in sorted(old.keys() & new.keys()):
        before, after = names(old, table), names(new, table)
        for kind, definition in sorted(before.keys() & after.keys()):
            if before[kind, definition] != after[kind, definition]:
                was, will = (", ".join(each[kind, definition]) for each in (before, after))
                yield f"On a fresh database the {kind} of {table} that is {was} here is named {will}. Django finds it all the same; SQL of yours may not."


def names(schema: Schema, table: str) -> dict[tuple[str, str], list[str]]:
    found: dict[tuple[str, str], list[str]] = {}
    for key in sorted(schema[table].keys, key=lambda key: key.name):
        found.setdefault((key.kind, key.definition), []).append(key.name)
    return found


def shown(fact: tuple) -> str:
    text = " ".join(" ".join(str(part).split()) for part in fact if part not in (None, ""))
    return text if len(text) <= 160 else f"{text[:160]}…"

"""From the apps that were asked for to a plan, or to the reasons why there is none. Changes nothing."""

from __future__ import annotations

import json
from pathlib import Path

from django.apps import apps as installed

from migration_runbooks.integrity.examined import Examined, outcome
from migration_runbooks.integrity.finding import Unreadable
from migration_runbooks.integrity.fingerprints import file_of, fingerprint, read_fingerprints
from migration_runbooks.integrity.sources.files import Name, read_files
from migration_runbooks.reset import history, preflight, ties, told
from migration_runbooks.reset.candidate import Candidate
from migration_runbooks.reset.carry import Carried, orders
from migration_runbooks.reset.chosen import Chosen, choose
from migration_runbooks.reset.initial import initial_migrations
from migration_runbooks.reset.measure import Measured, measure
from migration_runbooks.reset.mentions import mentions
from migration_runbooks.reset.order import Order
from migration_runbooks.reset.plan import Plan, row
from migration_runbooks.reset.proof import proven
from migration_runbooks.reset.refusal import NothingToDo, Refused
from migration_runbooks.reset.text import read


def planned(order: Order, keep: bool = False) -> Plan:
    """Return what is to be done; `keep` what the proof replayed for the check at the end. Raises BadInput, Refused with every reason that was found, NothingToDo."""
    examined = Examined(order.alias, rows=False)
    try:
        chosen = choose(order.apps, read_files(None))
        recorded = {record.key for record in examined.history}
        if waiting := told.waiting(chosen, recorded):
            demand_all_named(chosen, waiting)
            return told.plan_records(examined, chosen, waiting)
        if all(len(chosen.of_app(app)) == 1 for app in chosen.apps) and set(chosen.removed) <= recorded:
            raise NothingToDo(f"Nothing to do: {', '.join(chosen.apps)}: one migration each, and it is recorded.")
        decided = orders(chosen, list(order.carry_over), list(order.leave_out))
        measured = ready(examined, chosen)
        initial = initial_migrations(chosen, taken(chosen, examined), ties.rewritten(chosen, lambda old: None))
        if sum(map(len, initial.values())) >= len(chosen.removed):
            raise NothingToDo(f"Nothing to do: {', '.join(chosen.apps)} can't have fewer migrations.")
        found, carried, tried, notes = proven(order.alias, chosen, initial, measured, decided)
        if len(found.names) >= len(chosen.removed):
            raise NothingToDo(f"Nothing to do: {', '.join(chosen.apps)} can't have fewer migrations than {len(chosen.removed)}.")
        if keep:
            tried.keep()
        return whole(examined, chosen, found, carried, measured, notes)
    finally:
        examined.release()


def demand_all_named(chosen: Chosen, waiting: list[str]) -> None:
    """Refuse unless the apps that wait for their new records, and no others, were asked for."""
    if set(waiting) == set(chosen.apps):
        return
    together = " ".join(waiting)
    if set(chosen.apps) < set(waiting):
        raise Refused(f"The files of {', '.join(waiting)} are new to this database. Name all: python manage.py reset_migrations {together}")
    raise Refused(
        f"The files of {', '.join(waiting)} are new to this database, and not those of all that you named. "
        f"First: python manage.py reset_migrations {together} --apply"
    )


def taken(chosen: Chosen, examined: Examined) -> list[str]:
    """Return every name that the apps ever used, as far as it is known here."""
    files = [name for _, name in chosen.removed]
    stood_for = [name for app in chosen.apps for names in told.stands_for(chosen, app) for name in names]
    return files + stood_for + [record.name for record in examined.history if record.app in chosen.apps]


def ready(examined: Examined, chosen: Chosen) -> Measured:
    """Return what the old files make of an empty database. Raises Refused unless it is safe to begin."""
    reasons = [*preflight.uncommitted(touched(chosen)), *preflight.wrong_database(examined.alias, chosen.apps)]
    measured = None
    if not chosen.files.graph_error and not chosen.files.loader.broken:
        reasons += ties.obstacles(chosen)
        if set(chosen.names) <= examined.applied:
            measured = try_measure(examined, chosen)
            reasons += preflight.lost_objects(examined.alias, measured) if measured else []
    reasons += preflight.findings(examined, chosen.apps)
    if reasons:
        raise Refused(*dict.fromkeys(reasons))
    return measured or measure(examined.alias, chosen.files, set(chosen.apps))


def try_measure(examined: Examined, chosen: Chosen) -> Measured | None:
    """Replay once, for the check and for the proof. When that fails, the check says why."""
    found = outcome("the replayed schema", lambda: measure(examined.alias, chosen.files, set(chosen.apps)))
    measured = None if isinstance(found, Unreadable) else found
    if measured is None:
        examined.outcomes["the replayed schema"] = found
    elif set(chosen.files.order) <= examined.applied:
        examined.outcomes["the replayed schema"] = measured.expected
    return measured


def touched(chosen: Chosen) -> list[Path]:
    """Return the files that would be removed or changed."""
    return [chosen.path(name) for name in [*chosen.removed, *ties.dependents(chosen)] if chosen.files.path(name)]


def whole(examined: Examined, chosen: Chosen, found: Candidate, carried: Carried, measured: Measured, notes: list[str]) -> Plan:
    before: dict[Name, str] = {(app, name): text for app in found.texts for name, text in chosen.texts(app).items()}
    after: dict[Name, str] = {(app, name): text for app, texts in found.texts.items() for name, text in texts.items()}
    changed = [name for name in {**before, **after} if before.get(name) != after.get(name)]
    files = {str(chosen.folders[app] / f"{name}.py"): (before.get((app, name)), after.get((app, name))) for app, name in changed}
    records = [record for record in examined.history if record.app in chosen.apps]
    return Plan(
        alias=examined.alias,
        apps=list(chosen.apps),
        files=files | fingerprints(examined, chosen, after, changed),
        removed=[row(record) for record in records],
        added=found.names,
        carried=[*told_of(found, carried, measured)],
        notes=[*notes, *mentions(chosen.removed, {Path(path) for path in files}, {config.label: config.path for config in installed.get_app_configs()})],
        others=history.aliases_with(chosen.apps, examined.alias),
    )


def told_of(found: Candidate, carried: Carried, measured: Measured):
    names = {old: new for new, old in found.came_from.items()}
    for old, effect in measured.effects.items():
        does = "; ".join(effect.operations)
        if old in names:
            yield f"{'.'.join(old)} is carried over as {names[old][1]}: {does}"
        elif old in carried.first:
            yield f"{'.'.join(old)} is carried over into the first file: {does}"
        else:
            yield f"{'.'.join(old)} is left out, because {carried.left_out[old]}: {does}"


def fingerprints(examined: Examined, chosen: Chosen, after: dict[Name, str], changed: list[Name]) -> dict[str, tuple[str | None, str | None]]:
    """Return the change of the committed fingerprints, where the team keeps such a file."""
    known, file = read_fingerprints(examined), file_of(examined)
    if known is None:
        return {}
    for app, name in changed:
        if (app, name) not in after:
            known.get(app, {}).pop(name, None)
        elif app in chosen.apps or name in known.get(app, {}):
            known.setdefault(app, {})[name] = fingerprint(after[app, name])
    return {str(file.resolve()): (read(file), json.dumps({"migrations": known}, indent=2, sort_keys=True) + "\n")}

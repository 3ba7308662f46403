"""The rows of django_migrations: what is there, and the one transaction that changes them."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import connections, transaction
from django.db.migrations.recorder import MigrationRecorder

from migration_runbooks.integrity.sources.files import Name
from migration_runbooks.integrity.sources.history import Record, read_history
from migration_runbooks.reset.plan import Plan
from migration_runbooks.reset.refusal import Refused


def of_apps(alias: str, apps: Iterable[str]) -> list[Record]:
    wanted = set(apps)
    return [record for record in read_history(connections[alias]) if record.app in wanted]


def aliases_with(apps: Iterable[str], but: str) -> list[str]:
    """Return this project's other databases that recorded migrations of the apps; replicas follow by themselves."""
    wanted = set(apps)
    return [alias for alias in connections if alias != but and not connections[alias].settings_dict["TEST"]["MIRROR"] and has_any(alias, wanted)]


def has_any(alias: str, apps: set[str]) -> bool:
    try:
        return bool(of_apps(alias, apps))
    except Exception:  # a database that does not answer can't be told of, and must not stop this one
        return False


def demand_known(plan: Plan) -> None:
    """Raise Refused unless the records are as they were before, or as they are after."""
    found = {record.key for record in of_apps(plan.alias, plan.apps)}
    if found not in (old_names(plan), set(plan.added)):
        raise changed_meanwhile(plan, found)


def old_names(plan: Plan) -> set[Name]:
    return {record.key for record in plan.records}


def changed_meanwhile(plan: Plan, found: set[Name]) -> Refused:
    changed = ", ".join(".".join(name) for name in sorted(min(found ^ old_names(plan), found ^ set(plan.added), key=len)))
    return Refused(f"Somebody else changed the history of database {plan.alias!r} meanwhile: {changed}. Take that back first.")


def replace(plan: Plan) -> None:
    """Put the new records in place of the old ones, unless that is done. Raises Refused when others changed them meanwhile."""
    swap(plan, set(plan.added), [Record(None, *name, None) for name in plan.added])


def restore(plan: Plan) -> None:
    """Put the very same old records back, unless that is done. Raises Refused as `replace` does."""
    swap(plan, old_names(plan), plan.records)


def swap(plan: Plan, wanted: set[Name], records: list[Record]) -> None:
    with transaction.atomic(using=plan.alias):
        there = of_apps(plan.alias, plan.apps)
        found = {record.key for record in there}
        if found == wanted:
            return
        if found not in (old_names(plan), set(plan.added)):
            raise changed_meanwhile(plan, found)
        rows = MigrationRecorder(connections[plan.alias]).migration_qs
        rows.filter(id__in=[record.id for record in there]).delete()
        rows.bulk_create(made(rows.model, record) for record in records)


def made(model: type, record: Record):
    """Return a row: an old one with its own id and time, a new one without."""
    given = {} if record.id is None else {"id": record.id, "applied": record.applied}
    return model(app=record.app, name=record.name, **given)

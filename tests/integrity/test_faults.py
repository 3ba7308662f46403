"""Each fault, planted alone on each database that could hide it, is found and nothing else is said; on the newest Django those that it could hide."""

from __future__ import annotations

import pytest
from faults import ALL, FAULTS, Fault, assert_told
from migration_runbooks.worlds.djangos import DJANGOS
from sqlite_alone import on_sqlite_alone

READ_THROUGH_DJANGO = (
    "unapplied", "model changed, value needed", "two leaves", "cycle", "file gone", "file broken", "row gone", "half applied",
    "applied, not recorded", "column dropped", "unique dropped", "check dropped", "default lost", "orphans",
)
"""Faults that are found through Django's own loader, autodetector, operations and migrate, which change between versions."""


@pytest.mark.parametrize(
    ("database", "fault"),
    [pytest.param(database, fault, id=f"{database}-{fault}") for database in ALL for fault in FAULTS if database in fault.databases],
    indirect=["database"],
)
def test_fault_is_found(checked, database, fault: Fault):
    assert_found(checked, database, fault)


@on_sqlite_alone
@pytest.mark.parametrize("django", DJANGOS[-1:], indirect=True)
@pytest.mark.parametrize("fault", [fault for fault in FAULTS if fault.name in READ_THROUGH_DJANGO], ids=str)
def test_fault_is_found_on_the_newest_django(checked, database, fault: Fault):
    assert_found(checked, database, fault)


def assert_found(checked, database: str, fault: Fault) -> None:
    fault.plant(checked.sandbox)
    report = checked.report(*fault.options)
    first = next((each for each in report["findings"] if each["id"] == fault.id), None)
    assert first, report
    assert_told(first, fault)
    others = {(each["id"], each["level"], each["object"]) for each in report["findings"] if each is not first}
    assert others == fault.also | fault.also_on.get(database, set())
    assert report["status"] == (1 if fault.level == "error" else 0)

"""Each fault, planted alone on each database, is found and nothing else is said."""

from __future__ import annotations

import pytest
from faults import FAULTS, Fault
from migration_runbooks.integrity.finding import known_runbook


@pytest.mark.parametrize("fault", FAULTS, ids=str)
def test_fault_is_found(checked, database, fault: Fault):
    if database not in fault.databases:
        pytest.skip(f"{fault.name} does not exist on {database}")
    fault.plant(checked.sandbox)
    report = checked.report(*fault.options)
    first = next((each for each in report["findings"] if each["id"] == fault.id), None)
    assert first, report
    assert (first["level"], first["app"]) == (fault.level, fault.app)
    assert first["object"].endswith(fault.object)
    assert fault.message in first["message"]
    assert first["hint"]
    assert first["runbook"] == known_runbook(fault.runbook)
    others = {(each["id"], each["level"], each["object"]) for each in report["findings"] if each is not first}
    assert others == fault.also | fault.also_on.get(database, set())
    assert report["status"] == (1 if fault.level == "error" else 0)

"""Every runbook that a finding names is there."""

from __future__ import annotations

import re
from pathlib import Path

from faults import FAULTS
from migration_runbooks.integrity.finding import known_runbook
from migration_runbooks.integrity.run import all_checks


def named() -> dict[str, str]:
    """Return the slugs in the text of the checks, each with the check that names it."""
    found = {}
    for module in all_checks():
        for line in re.findall(r"runbook=(.*)", Path(module.__file__).read_text()):
            found |= dict.fromkeys(re.findall(r'"([a-z-]+)"', line), module.__name__.rpartition(".")[2])
    return found


def test_every_runbook_that_a_check_names_is_there():
    missing = {check: slug for slug, check in named().items() if not known_runbook(slug)}
    assert missing == {}, "these checks name runbooks that are not there, and their findings none"


def test_every_planted_fault_names_a_runbook_that_is_there():
    missing = {fault.id: fault.runbook for fault in FAULTS if fault.runbook and not known_runbook(fault.runbook)}
    assert missing == {}, "these findings name runbooks that are not there"


def test_the_slugs_of_checks_and_of_faults_are_the_same():
    assert set(named()) == {fault.runbook for fault in FAULTS if fault.runbook}

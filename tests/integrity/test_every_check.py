"""Adding a check is adding a file, a section of the page and a planted fault: none of them may lack."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from faults import FAULTS
from migration_runbooks.integrity.run import all_checks
from migration_runbooks.paths import DOCS

PAGE = (DOCS / "reference" / "check-migration-integrity.md").read_text()
TOLD = set(re.findall(r"`([a-z]+(?:-[a-z]+)+)`", PAGE))
PLANTED_ELSEWHERE = {"edited-migration", "untracked-migration", "literal-like-a-secret"}
"""These need version control or an option, and have a test file of their own."""

PLANTED = {fault.id for fault in FAULTS} | PLANTED_ELSEWHERE


@pytest.mark.parametrize("module", all_checks(), ids=lambda module: module.__name__.rpartition(".")[2])
def test_a_check_is_told_of_and_planted(module):
    names = set(re.findall(r'"([a-z]+(?:-[a-z]+)*-?)[{"]', Path(module.__file__).read_text()))
    mine = {found for found in TOLD if found in names or any(name.endswith("-") and found.startswith(name) for name in names)}
    assert mine, f"{module.__name__} has no id that the page tells of"
    assert mine & PLANTED, f"no fault of {sorted(mine)} is planted"


def test_every_planted_fault_is_told_of():
    assert {fault.id for fault in FAULTS} <= TOLD

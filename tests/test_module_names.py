"""Test folders share one list of modules: two of one name, and a test may import the other folder's."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

TESTS = Path(__file__).parent
PROJECTS = ("acharya", "library")


def test_every_module_has_a_name_of_its_own():
    names = Counter(
        file.name
        for file in TESTS.rglob("*.py")
        if file.relative_to(TESTS).parts[0] not in PROJECTS and file.name not in ("conftest.py", "__init__.py")
    )
    assert [name for name, times in names.items() if times > 1] == []

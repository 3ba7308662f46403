"""Folders with tests share one list of modules: two of one name, and a test may import the other folder's."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

TESTS = Path(__file__).parent


def test_every_module_has_a_name_of_its_own():
    folders = {file.parent for file in TESTS.rglob("test_*.py")}
    names = Counter(file.name for folder in folders for file in folder.glob("*.py") if file.name != "conftest.py")
    assert [name for name, times in names.items() if times > 1] == []

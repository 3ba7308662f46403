"""Tests that one database stands for."""

from __future__ import annotations

import pytest

on_sqlite_alone = pytest.mark.parametrize("database", ["sqlite"])
"""Run a test on SQLite for all: of what files, version control, recorded history or the options of the command decide.

What is found by looking at the schema or at rows runs on each database: each is read in its own way. So does a cause that
gives an error its text.
"""

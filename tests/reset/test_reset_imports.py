"""What takes long to import is not, where it is not needed."""

from __future__ import annotations

import subprocess
import sys


def loaded_by(*modules: str) -> set[str]:
    code = f"import django.conf, sys; django.conf.settings.configure(); django.setup(); import {', '.join(modules)}; print(*sys.modules)"
    return set(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split())


def test_undo_loads_nothing_that_plans_or_replays():
    loaded = loaded_by("migration_runbooks.management.commands.reset_migrations")
    assert "migration_runbooks.reset.run" in loaded
    assert not loaded & {"migration_runbooks.reset.planning", "migration_runbooks.reset.preflight", "migration_runbooks.integrity.sources.replay"}


"""Broken and healthy copies of a sample project, each with a database of its own, on which everything is proven."""

from __future__ import annotations

from migration_runbooks.worlds.available import DATABASES, available
from migration_runbooks.worlds.library import open_library
from migration_runbooks.worlds.project import Project
from migration_runbooks.worlds.run import scratch
from migration_runbooks.worlds.sandbox import Completed, Sandbox
from migration_runbooks.worlds.snapshots import Snapshot
from migration_runbooks.worlds.world import WorldError, copy_sandbox, freeze_sandbox, open_sandbox

__all__ = [
    "DATABASES",
    "Completed",
    "Project",
    "Sandbox",
    "Snapshot",
    "WorldError",
    "available",
    "copy_sandbox",
    "freeze_sandbox",
    "open_library",
    "open_sandbox",
    "scratch",
]

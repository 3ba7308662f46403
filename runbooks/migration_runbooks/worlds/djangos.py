"""The versions of Django on which sandboxes can be opened."""

from __future__ import annotations

import sys
from importlib.metadata import version
from pathlib import Path

from migration_runbooks.worlds.locked import locked_environment

OWN = ".".join(version("django").split(".")[:2])
"""The Django of the environment that runs the tests."""

DJANGOS = (OWN, "6.0", "6.1")
OLDEST_AND_NEWEST = (DJANGOS[0], DJANGOS[-1])


def environment_of(django: str) -> Path:
    """Return an environment with that version of Django, such as `6.1`. Raises EnvironmentMissing, with the reason."""
    return Path(sys.prefix) if django == OWN else locked_environment(f"django-{django}")

"""Django projects that others have published, each in an environment of its own with pinned versions."""

from __future__ import annotations

from pathlib import Path

from migration_runbooks.worlds import Project
from migration_runbooks.worlds.engines.place import Address
from migration_runbooks.worlds.locked import locked_environment
from migration_runbooks.worlds.project import PYTHON

FOLDER = Path(__file__).parent / "project"


def published(name: str) -> Project:
    """Return the project of `settings/<name>.py`, in the environment of tests/environments/<name>.lock."""

    def variables(address: Address) -> dict[str, str]:
        parts = {"ENGINE": address.engine, "NAME": address.name, "HOST": address.host, "USER": address.user}
        return {
            "DJANGO_SETTINGS_MODULE": f"settings.{name}",
            **{f"PUBLISHED_DB_{part}": value for part, value in parts.items() if value},
        }

    return Project(FOLDER, PYTHON, locked_environment(name), variables, with_uv=False)

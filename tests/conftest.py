"""The sample project, on the Django that a test asks for."""

from __future__ import annotations

import pytest
from migration_runbooks.paths import ACHARYA
from migration_runbooks.worlds import Project
from migration_runbooks.worlds.djangos import OWN, environment_of
from migration_runbooks.worlds.locked import EnvironmentMissing


@pytest.fixture
def django(request) -> str:
    """The version of Django, such as `6.1`: that of the tests' own environment unless the test is parametrized."""
    return getattr(request, "param", OWN)


@pytest.fixture
def acharya(django) -> Project:
    """The sample project on that Django. The test is skipped, with the reason, where there is none."""
    try:
        return Project(ACHARYA, environment=environment_of(django))
    except EnvironmentMissing as missing:
        pytest.skip(f"Django {django} is not available: {missing}")

"""A school of its own for every test, on the databases that the test names."""

from __future__ import annotations

import pytest
from migration_runbooks.worlds import DATABASES, available, open_sandbox


def pytest_generate_tests(metafunc):
    """Run a test with a `school` on every database, or on those that its `on` mark names."""
    if "school" not in metafunc.fixturenames:
        return
    mark = metafunc.definition.get_closest_marker("on")
    chosen = mark.args if mark else DATABASES
    metafunc.parametrize("school", [
        pytest.param(each, marks=pytest.mark.skipif(bool(available(each)), reason=available(each) or ""))
        for each in chosen
    ], indirect=True)


def pytest_configure(config):
    config.addinivalue_line("markers", "on(*databases): run the test on these databases only")
    config.addinivalue_line("markers", "world(name): open this world instead of the healthy one")


@pytest.fixture
def school(request, tmp_path):
    mark = request.node.get_closest_marker("world")
    with open_sandbox(mark.args[0] if mark else "healthy", request.param, tmp_path) as sandbox:
        yield sandbox

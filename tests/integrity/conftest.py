from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import pytest

pytest.register_assert_rewrite("faults")

from migration_runbooks.worlds import DATABASES, Sandbox, available, open_sandbox, scratch  # noqa: E402

INSTALLED = '\nINSTALLED_APPS += ["migration_runbooks"]\n'


@dataclass
class Checked:
    """A sandbox in which the command is installed."""

    sandbox: Sandbox
    cache: Path

    def command(self, *options: str):
        return self.sandbox.manage("check_migration_integrity", f"--cache-dir={self.cache}", *options)

    def report(self, *options: str) -> dict:
        """Run the command and return what it reported, with its exit status."""
        done = self.command("--format=json", *options)
        assert done.stdout.startswith("{"), done.output
        return json.loads(done.stdout) | {"status": done.status}

    def findings(self, *options: str) -> list[dict]:
        return self.report(*options)["findings"]


@pytest.fixture(params=DATABASES)
def database(request) -> str:
    """The name of each database in turn. A test is skipped, with the reason, where there is no such server."""
    if reason := available(request.param):
        pytest.skip(reason)
    return request.param


@pytest.fixture(scope="session")
def cache() -> Path:
    """One for all tests: worlds are alike, so each expected schema is replayed once."""
    return scratch("integrity-cache")


@pytest.fixture
def checked(database, cache, tmp_path, acharya):
    """Acharya, healthy, on each database and on the Django of the test, with the app installed."""
    with open_sandbox("healthy", database, tmp_path / "sandbox", acharya) as sandbox:
        with (sandbox.project / "acharya" / "settings.py").open("a") as settings:
            settings.write(INSTALLED)
        yield Checked(sandbox, cache)

"""Sandboxes on other versions of Django, and what is said where there can be none."""

from __future__ import annotations

import pytest
from migration_runbooks.worlds import DATABASES, available, locked, open_sandbox
from migration_runbooks.worlds.djangos import DJANGOS


@pytest.mark.parametrize("database", DATABASES)
@pytest.mark.parametrize("django", DJANGOS, indirect=True)
def test_acharya_is_migrated_by_that_django(django, database, acharya, tmp_path):
    if reason := available(database):
        pytest.skip(reason)
    with open_sandbox("healthy", database, tmp_path, acharya) as sandbox:
        assert sandbox.manage("version").stdout.startswith(f"{django}.")
        assert sandbox.manage("migrate", "--check").status == 0
        assert sandbox.run("runbook", "--help").status == 0
        assert sandbox.execute("SELECT COUNT(*) FROM students_student") != [(0,)]


@pytest.fixture
def elsewhere(tmp_path, monkeypatch):
    """Locks and environments in a folder of the test's own."""
    monkeypatch.setattr(locked, "LOCKS", tmp_path)
    monkeypatch.setattr(locked, "ENVIRONMENTS", tmp_path / "environments")
    (tmp_path / "nothing.lock").write_text("")
    return tmp_path


def test_no_python_that_fits_is_said(elsewhere, monkeypatch):
    monkeypatch.setattr(locked, "find_python", lambda minimum: None)
    with pytest.raises(locked.EnvironmentMissing, match="nothing needs Python 3.12 or newer, and none was found on PATH nor among pyenv"):
        locked.locked_environment("nothing")


def test_a_failed_installation_is_said_and_tried_once_a_run(elsewhere, monkeypatch):
    if not locked.find_python(locked.OLDEST):
        pytest.skip("there is no Python 3.12 or newer to install anything for")
    monkeypatch.setenv("UV_OFFLINE", "1")
    (elsewhere / "never.lock").write_text(f"django==6.1 --hash=sha256:{'0' * 64}\n")
    with pytest.raises(locked.EnvironmentMissing, match="uv pip sync .* failed"):
        locked.locked_environment("never")
    monkeypatch.setattr(locked, "make", lambda *_: pytest.fail("tried again"))
    with pytest.raises(locked.EnvironmentMissing, match="uv pip sync .* failed"):
        locked.locked_environment("never")

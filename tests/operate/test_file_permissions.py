"""What another account meets, as docs/operate/file-permissions.md says: an unreadable migration, a database it may not write.

The other account is root without its right to ignore modes, and the files belong to somebody else.
"""

from __future__ import annotations

import os
import shutil

import pytest
from migration_runbooks.worlds import open_sandbox
from migration_runbooks.worlds.engines.server import NOBODY

ORDINARY = ("setpriv", "--bounding-set=-dac_override,-dac_read_search")
WRITE = "from users.models import User; User.objects.update(first_name='x')"


@pytest.fixture
def sandbox(tmp_path):
    if os.geteuid() != 0 or not shutil.which("setpriv"):
        pytest.skip("needs root and setpriv, to give a file to somebody else")
    with open_sandbox("healthy", "sqlite", tmp_path) as sandbox:
        yield sandbox


def give_away(file, mode: int) -> None:
    os.chown(file, NOBODY, NOBODY)
    file.chmod(mode)


def test_an_unreadable_migration_stops_every_command_that_loads_it(sandbox):
    assert sandbox.run(*ORDINARY, "python", "manage.py", "migrate", "--check").status == 0
    give_away(sandbox.project / "fees/migrations/0012_invoice_discount.py", 0o600)
    done = sandbox.run(*ORDINARY, "python", "manage.py", "migrate", "--check")
    assert done.status == 1
    assert "PermissionError: [Errno 13] Permission denied" in done.stderr


def test_a_database_that_may_only_be_read(sandbox):
    give_away(sandbox.project / "db.sqlite3", 0o644)
    done = sandbox.run(*ORDINARY, "python", "manage.py", "shell", "-v", "0", "-c", WRITE)
    assert done.status == 1
    assert "attempt to write a readonly database" in done.stderr

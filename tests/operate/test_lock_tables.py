"""docs/reference/locks.md says what the databases themselves say."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
from migration_runbooks.worlds import available, open_sandbox
from migration_runbooks.worlds.engines.server import wait_until
from tables import rows

HERE = Path(__file__).parent
CONCURRENTLY = "AddIndexConcurrently"
MIGRATION = """from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("fees", "0012_invoice_discount")]
    operations = [AddIndexConcurrently("invoice", models.Index(fields=["amount"], name="by_amount"))]
"""
WAITS = """
    SELECT mode FROM pg_locks JOIN pg_stat_activity USING (pid)
    WHERE relation = 'fees_invoice'::regclass AND datname = current_database() AND granted AND query LIKE 'CREATE INDEX CONCURRENTLY%'
"""


@pytest.fixture
def sandbox(request, tmp_path):
    if reason := available(request.param):
        pytest.skip(reason)
    with open_sandbox("healthy", request.param, tmp_path) as sandbox:
        yield sandbox


def measured(sandbox, script: str) -> dict:
    done = sandbox.manage("shell", "-v", "0", input=(HERE / script).read_text())
    assert done.status == 0, done.output
    return json.loads(done.stdout)


@pytest.mark.parametrize("sandbox", ["postgresql"], indirect=True)
def test_postgresql_takes_the_locks_of_the_page(sandbox):
    promised = {
        name: tuple(cells) for name, *cells in rows("reference/locks.md", "Operation")[1:] if name != CONCURRENTLY
    }
    found = {
        name: (lock or "none", lock_of_parent or "", "yes" if rewritten else "no")
        for name, (lock, lock_of_parent, rewritten) in measured(sandbox, "locks.py").items()
    }
    assert found == promised


@pytest.mark.parametrize("sandbox", ["postgresql"], indirect=True)
def test_postgresql_builds_an_index_concurrently_under_the_lock_of_the_page(sandbox):
    """It waits for a writer that began before it, and so shows the lock that it holds meanwhile."""
    (sandbox.project / "fees/migrations/0013_by_amount.py").write_text(MIGRATION)
    with ThreadPoolExecutor() as threads, closing(sandbox.connect()) as writer:
        with writer.transaction():
            writer.execute("UPDATE fees_invoice SET note = note WHERE id = 1")
            migrating = threads.submit(sandbox.manage, "migrate", "fees")
            assert wait_until(lambda: sandbox.execute(WAITS))
            held = {mode.removesuffix("Lock") for (mode,) in sandbox.execute(WAITS)}
        assert migrating.result().status == 0
    assert held == {cells[0] for name, *cells in rows("reference/locks.md", "Operation") if name == CONCURRENTLY}


@pytest.mark.parametrize("sandbox", ["mariadb"], indirect=True)
def test_mariadb_needs_the_algorithms_of_the_page(sandbox):
    promised = rows("reference/locks.md", "Operation", number=2)[1:]
    assert measured(sandbox, "algorithms.py") == dict(promised)


@pytest.mark.parametrize("sandbox", ["sqlite"], indirect=True)
@pytest.mark.parametrize("journal", ["delete", "wal"])
def test_sqlite_stops_writers_and_not_readers(sandbox, journal):
    sandbox.execute(f"PRAGMA journal_mode = {journal}")
    done = sandbox.manage("shell", "-v", "0", input=HOLD)
    assert done.stdout.splitlines() == [journal, "a reader reads the state before", "database is locked"], done.output


HOLD = """
import sqlite3
from django.db import connection, migrations, models
from django.db.migrations.executor import MigrationExecutor

before = MigrationExecutor(connection).loader.project_state()
operation = migrations.AddField("invoice", "extra", models.TextField(null=True))
after = before.clone()
operation.state_forwards("fees", after)
other = sqlite3.connect(connection.settings_dict["NAME"], timeout=0.2)
with connection.schema_editor() as editor:
    operation.database_forwards("fees", editor, before, after)
    print(*other.execute("PRAGMA journal_mode").fetchone())
    columns = [row[1] for row in other.execute("PRAGMA table_info(fees_invoice)")]
    print("a reader reads the state", "after" if "extra" in columns else "before")
    try:
        other.execute("UPDATE users_user SET first_name = first_name")
    except sqlite3.OperationalError as error:
        print(error)
"""

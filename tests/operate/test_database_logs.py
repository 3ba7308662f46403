"""What docs/operate/read-the-logs.md says about the databases' own logs, seen on a migration that waits and then fails."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest
from migration_runbooks.pages.blocks import read_page
from migration_runbooks.pages.match import line_matches
from migration_runbooks.paths import DOCS
from migration_runbooks.worlds import available, open_sandbox
from migration_runbooks.worlds.engines import postgresql
from migration_runbooks.worlds.engines.server import wait_until

WAITING = "SELECT 1 FROM information_schema.processlist WHERE db = DATABASE() AND state = 'Waiting for table metadata lock'"
TRANSACTIONS = """
    SELECT trx_mysql_thread_id FROM information_schema.innodb_trx JOIN information_schema.processlist ON id = trx_mysql_thread_id
    WHERE db = DATABASE() ORDER BY trx_started"""

SETTINGS = {"log_lock_waits": "on", "log_statement": "ddl", "deadlock_timeout": "100ms"}


@pytest.fixture
def broken(tmp_path):
    """A project on PostgreSQL whose next migration changes a table and fails at two orphaned rows."""
    if reason := available("postgresql"):
        pytest.skip(reason)
    with open_sandbox("quarantine-orphaned-rows", "postgresql", tmp_path) as sandbox:
        yield sandbox


def test_postgresql_logs_the_wait_the_statement_and_the_error(broken):
    for name, value in SETTINGS.items():
        with postgresql.connect_as_superuser() as superuser:
            superuser.execute(f"ALTER DATABASE \"{broken.place.database}\" SET {name} = '{value}'")
    log = postgresql.socket_folder() / "log"
    before = log.stat().st_size
    with ThreadPoolExecutor() as threads, closing(broken.connect()) as other:
        with other.transaction():
            other.execute("UPDATE fees_invoice SET note = note WHERE id = 1")
            migrating = threads.submit(broken.manage, "migrate")
            assert wait_until(lambda: "still waiting" in log.read_text()[before:])
        assert migrating.result().status == 1
    lines = [
        line[line.find(kind[0]) :] for line in log.read_text()[before:].splitlines() if (kind := LINE.search(line))
    ]
    for expected in shown_lines():
        assert any(line_matches(expected, line) for line in lines), f"{expected}\nis not in\n" + "\n".join(lines)


LINE = re.compile(r"(LOG|ERROR|DETAIL):  ")


def shown_lines() -> list[str]:
    (text,) = (
        block.text for block in read_page(DOCS / "operate/read-the-logs.md").blocks if block.fence.language == "text"
    )
    return text.splitlines()


def test_mariadb_lists_the_migration_that_waits(tmp_path):
    if reason := available("mariadb"):
        pytest.skip(reason)
    with (
        open_sandbox("healthy", "mariadb", tmp_path) as sandbox,
        ThreadPoolExecutor() as threads,
        closing(sandbox.connect()) as reader,
    ):
        reader.begin()
        reader.cursor().execute("SELECT COUNT(*) FROM fees_invoice")
        migrating = threads.submit(sandbox.manage, "migrate", "fees", "0011")
        waits = wait_until(lambda: sandbox.execute(WAITING))
        oldest = sandbox.execute(TRANSACTIONS)[0][0]
        holder = reader.thread_id()
        reader.rollback()
        assert migrating.result().status == 0
    assert waits
    assert oldest == holder

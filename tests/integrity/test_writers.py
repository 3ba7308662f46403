"""The check holds no lock for which a writer waits: by the servers' own views and timeouts, and by SQLite's own count of steps."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from contextlib import closing

import pytest
from migration_runbooks.integrity.pieces import ENTRIES_AT_ONCE, ROWS_AT_ONCE
from migration_runbooks.worlds.engines import mariadb
from planting import drop_index, unenforced

WRITE = "INSERT INTO fees_payment (invoice_id, amount, paid_at, receipt_number) SELECT min(id), 1, '2026-01-01', '' FROM fees_invoice"
STEPS_OF_A_ROW = 12
"""Of SQLite's virtual machine, at the most."""

WRITES = (WRITE, "UPDATE fees_invoice SET discount = discount + 1 WHERE id IN (SELECT * FROM (SELECT min(id) FROM fees_invoice) x)")
"""A row more in the table that is searched, and another value in the row to which its rows point."""

NUMBERS = {
    "sqlite": "(WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {rows}) SELECT i FROM n) n",
    "postgresql": "generate_series(1, {rows}) n(i)",
    "mariadb": "(SELECT seq AS i FROM seq_1_to_{rows}) n",
}


def fill(checked, rows: int) -> None:
    """Add rows to a table, so many that the search of it takes a time."""
    numbers = NUMBERS[checked.sandbox.database].format(rows=rows)
    unenforced(checked.sandbox, f"{WRITE.partition('SELECT')[0]} SELECT (SELECT min(id) FROM fees_invoice), 1, '2026-01-01', '' FROM {numbers}")


def while_checking(checked, step: Callable[[], None]) -> int:
    """Do a step again and again until the check has ended. Return how often."""
    command = [*checked.sandbox.kind.manage, "check_migration_integrity", f"--cache-dir={checked.cache}"]
    process = subprocess.Popen(command, cwd=checked.sandbox.project, env=checked.sandbox.environment, stdout=subprocess.PIPE)
    times = 0
    try:
        while process.poll() is None:
            step()
            times += 1
    finally:
        said, _ = process.communicate()
    assert process.returncode == 0, said
    return times


LOCKS = """
    SELECT l.relation::regclass::text, l.mode, l.granted FROM pg_locks l JOIN pg_stat_activity a USING (pid)
    WHERE l.locktype = 'relation' AND a.datname = current_database() AND a.pid <> pg_backend_pid()"""


def test_on_postgresql_it_takes_the_lock_of_a_select_and_no_other(checked):
    if checked.sandbox.database != "postgresql":
        pytest.skip("pg_locks is PostgreSQL's; the other databases have a test of their own below")
    fill(checked, 1_000_000)
    seen = set()
    with closing(checked.sandbox.connect()) as writer:
        writer.execute("SET lock_timeout = '1ms'")  # a writer that waits for any lock fails

        def step() -> None:
            for statement in WRITES:
                writer.execute(statement)
            seen.update(writer.execute(LOCKS).fetchall())

        assert while_checking(checked, step) > 10
    assert {(mode, granted) for _, mode, granted in seen} == {("AccessShareLock", True)}
    assert "fees_payment" in {relation for relation, _, _ in seen}, "the search was never seen at work"


AT_WORK = "SELECT count(*) FROM information_schema.processlist WHERE db = '{database}' AND info LIKE '%fees_payment%LEFT JOIN%'"


def test_on_mariadb_a_writer_that_may_wait_for_no_lock_goes_on(checked):
    """A row that the search had locked, the writer could not change; a table, it could not write to."""
    if checked.sandbox.database != "mariadb":
        pytest.skip("the other databases have a test of their own")
    fill(checked, 500_000)
    seen = 0
    with closing(checked.sandbox.connect()) as writer, closing(mariadb.connect_as_root()) as watcher:
        cursor, eyes = writer.cursor(), watcher.cursor()
        cursor.execute("SET SESSION lock_wait_timeout = 0, innodb_lock_wait_timeout = 0")

        def step() -> None:
            nonlocal seen
            eyes.execute(AT_WORK.format(database=checked.sandbox.place.database))
            seen += eyes.fetchone()[0]
            for statement in WRITES:
                cursor.execute(statement)

        assert while_checking(checked, step) > 10
    assert seen, "the search was never seen at work"


WATCH = '''
import atexit, json, sqlite3
from contextlib import closing

from django.db.backends.signals import connection_created

LIVE = str(DATABASES["default"]["NAME"])
EVERY = 10_000
told = {"written": 0, "most steps": 0}
running = {"steps": 0}


def step():
    running["steps"] += EVERY


def around(execute, sql, params, many, context):
    with closing(sqlite3.connect(LIVE, timeout=0, isolation_level=None)) as writer:  # it fails rather than wait
        writer.execute("UPDATE fees_feehead SET amount = amount + 1")
        told["written"] += 1
    running["steps"] = 0
    result = execute(sql, params, many, context)
    told["most steps"] = max(told["most steps"], running["steps"])
    return result


def watch(connection, **kwargs):
    if str(connection.settings_dict["NAME"]) == LIVE:
        connection.connection.set_progress_handler(step, EVERY)
        connection.execute_wrappers.append(around)


connection_created.connect(watch)
atexit.register(lambda: open(BASE_DIR / "told.json", "w").write(json.dumps(told)))
'''


@pytest.mark.parametrize(("rows", "index", "most"), [(2_500_000, True, ENTRIES_AT_ONCE), (400_000, False, ROWS_AT_ONCE)], ids=["index", "no index"])
def test_on_sqlite_no_statement_is_long_and_between_them_no_lock_is_held(checked, rows, index, most):
    if checked.sandbox.database != "sqlite":
        pytest.skip("only on SQLite does a writer wait for a reader")
    fill(checked, rows)
    if not index:
        drop_index(checked.sandbox, "fees_payment", "invoice_id")
    with (checked.sandbox.project / "acharya" / "settings.py").open("a") as settings:
        settings.write(WATCH)
    checked.command("--fail-level=never")
    told = json.loads((checked.sandbox.project / "told.json").read_text())
    assert told["written"] > 50
    assert told["most steps"] < STEPS_OF_A_ROW * most

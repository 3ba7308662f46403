"""The scratch database: nothing of the live one is written, none is left, and none may be needed."""

from __future__ import annotations

import os
import signal
import subprocess
import time

import pytest
from migration_runbooks.worlds.engines import mariadb, postgresql
from planting import edit, migration, sql
from sqlite_alone import on_sqlite_alone

BESIDE = {
    "postgresql": "SELECT datname FROM pg_database WHERE datname LIKE '%\\_integrity\\_%'",
    "mariadb": "SELECT schema_name FROM information_schema.schemata WHERE schema_name LIKE '%\\_integrity\\_%'",
}


def beside(checked) -> list[str]:
    """The scratch databases of this sandbox's own."""
    if checked.sandbox.database == "sqlite":
        return [str(file) for file in (checked.sandbox.place.home / "tmp").glob("migration-integrity-*")]
    names = [name for (name,) in checked.sandbox.execute(BESIDE[checked.sandbox.database])]
    return [name for name in names if name.startswith(checked.sandbox.place.database)]


@pytest.fixture
def fresh(checked, tmp_path):
    """Without a schema that another test has replayed."""
    checked.cache = tmp_path / "cache"
    return checked


def test_code_of_a_migration_that_names_no_alias_reaches_the_scratch_alone(fresh):
    """A data migration often uses the default alias: replayed beside the live database it must not write there."""
    edit(
        fresh.sandbox, "fees/migrations/0006_number_existing_invoices.py", "    Invoice = apps.get_model",
        '    from django.db import connections\n    import threading\n'
        '    add = lambda: connections["default"].cursor().execute("INSERT INTO fees_feehead (name, amount) VALUES (\'planted\', 1)")\n'
        "    apps.get_model('fees', 'FeeHead').objects.create(name='planted', amount=1)\n"
        "    apps.get_model('fees', 'FeeHead').objects.using('default').create(name='planted', amount=1)\n"
        + ("    thread = threading.Thread(target=add)\n    thread.start()\n    thread.join()\n" if fresh.sandbox.database != "sqlite" else "")
        + "    Invoice = apps.get_model",
    )  # fmt: skip
    before = fresh.sandbox.snapshot()
    report = fresh.report()
    assert [each["id"] for each in report["findings"]] == []
    assert list(fresh.cache.glob("*.json")), "it was replayed"
    assert fresh.sandbox.snapshot() == before
    assert beside(fresh) == []


def test_the_replay_is_kept_until_a_file_changes(fresh):
    fresh.findings()
    (kept,) = fresh.cache.glob("*.json")
    written = kept.stat().st_mtime_ns
    fresh.findings()
    assert [file.stat().st_mtime_ns for file in fresh.cache.glob("*.json")] == [written]
    migration(fresh.sandbox, "fees", "0013_nothing", "0012_invoice_discount")
    fresh.findings()
    assert len(list(fresh.cache.glob("*.json"))) == 2


@on_sqlite_alone
def test_the_cache_lies_in_the_project_and_is_ignored_by_git(checked):
    assert checked.sandbox.manage("check_migration_integrity").status == 0
    folder = checked.sandbox.project / ".runbook" / "integrity"
    assert list(folder.glob("*.json"))
    assert (folder / ".gitignore").read_text() == "*\n"


def test_a_killed_run_leaves_nothing_that_the_next_one_does_not_clear(fresh):
    if fresh.sandbox.database == "sqlite":
        pytest.skip("on SQLite the scratch database is a file among the system's temporary ones")
    edit(
        fresh.sandbox, "fees/migrations/0006_number_existing_invoices.py", "    Invoice = apps.get_model",
        "    import os, time\n    if os.environ.get('WAIT'):\n        time.sleep(60)\n    Invoice = apps.get_model",
    )  # fmt: skip
    command = [*fresh.sandbox.kind.manage, "check_migration_integrity", f"--cache-dir={fresh.cache}"]
    process = subprocess.Popen(command, cwd=fresh.sandbox.project, env=fresh.sandbox.environment | {"WAIT": "1"}, start_new_session=True)
    deadline = time.monotonic() + 60
    while not beside(fresh) and time.monotonic() < deadline:
        time.sleep(0.1)
    time.sleep(2)
    left = beside(fresh)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert left
    time.sleep(1)  # the server notices that the client is gone
    assert fresh.findings() == []
    assert beside(fresh) == []


def test_without_the_right_to_make_one_the_rest_is_checked_and_that_is_said(fresh):
    if fresh.sandbox.database == "sqlite":
        pytest.skip("on SQLite a scratch database is a file, and needs no right")
    sql(fresh.sandbox, "ALTER TABLE fees_payment DROP COLUMN receipt_number")
    with no_right_to_create(fresh):
        report = fresh.report()
    found = {(each["id"], each["object"]) for each in report["findings"]}
    assert found == {("missing-column", "fees_payment.receipt_number"), ("could-not-check", "the expected schema")}
    (said,) = [each["message"] for each in report["findings"] if each["id"] == "could-not-check"]
    assert "no scratch database can be made" in said
    assert any("compared with the models alone" in note for note in report["not_checked"])


def test_status_2_when_something_asked_for_could_not_be_checked(fresh):
    if fresh.sandbox.database == "sqlite":
        pytest.skip("on SQLite a scratch database is a file, and needs no right")
    with no_right_to_create(fresh):
        assert fresh.report()["status"] == 2
        assert fresh.report("--quick")["status"] == 0


class no_right_to_create:
    """The same database, reached by a user who may make no other."""

    def __init__(self, checked) -> None:
        self.checked, self.name = checked, checked.sandbox.place.database

    def __enter__(self) -> None:
        user = f"u_{self.name[-8:]}"
        if self.checked.sandbox.database == "postgresql":
            with postgresql.connect_as_superuser() as connection:
                connection.execute(f"CREATE ROLE {user} LOGIN IN ROLE {postgresql.USER}")
                connection.execute(f'ALTER ROLE {user} SET role = "{user}"')
        else:
            connection = mariadb.connect_as_root()
            connection.cursor().execute(f"GRANT ALL ON `{self.name}`.* TO {user}@localhost IDENTIFIED BY ''")
            connection.close()
        settings = self.checked.sandbox.project / "acharya" / "settings.py"
        settings.write_text(settings.read_text() + f'\nDATABASES["default"]["USER"] = "{user}"\n')

    def __exit__(self, *_: object) -> None:
        if self.checked.sandbox.database == "postgresql":
            with postgresql.connect_as_superuser() as connection:
                connection.execute(f"DROP ROLE u_{self.name[-8:]}")

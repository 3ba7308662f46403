from __future__ import annotations

import json
import os
import threading
from contextlib import closing
from pathlib import Path

import pytest
from migration_runbooks.worlds import open_sandbox
from proof import RunbookProof, inputs_in

RECORDING_CLIENT = """#!/usr/bin/env bash
printf '%s\\n' "$0 $*" >> {log}
exec {real} "$@"
"""


def record_of(sandbox, inputs) -> dict:
    return json.loads((sandbox.project / f"{inputs['BACKUP']}.json").read_text())


def write_pairs(sandbox, stop: threading.Event, written: list[int]) -> None:
    """Move a rupee between two rows, one transaction a move: the sum over both never changes."""
    with closing(sandbox.connect()) as connection, closing(connection.cursor()) as cursor:
        while not stop.wait(0.005):
            cursor.execute("BEGIN")
            cursor.execute("UPDATE fees_feehead SET amount = amount + 1 WHERE id = 1")
            cursor.execute("UPDATE fees_feehead SET amount = amount - 1 WHERE id = 2")
            cursor.execute("COMMIT")
            written.append(1)


class TestBackUpDatabase(RunbookProof):
    slug = "back-up-database"
    extra_inputs = {"BACKUP_DIR": ".runbook/backups"}
    # A procedure, not a repair: no command fails, and a healthy database is one that needs a backup.
    test_the_command_fails_with_exactly_this_text = None
    test_healthy_project_is_told_healthy_and_left_alone = None

    def broken_world(self, cause):
        return "healthy"

    def check_fixed(self, cause, broken, fixed, sandbox):
        assert broken.difference(fixed) == []

    def break_other_project(self, library):
        """Nothing to break: it has no backup yet."""

    def backed_up(self, sandbox, **inputs) -> dict[str, str]:
        return inputs_in(self.fix(sandbox, {**self.extra_inputs, **inputs}))

    def leftovers(self, sandbox) -> list:
        """Databases that were made to check a backup."""
        beside = {
            "sqlite": "SELECT 1 WHERE 0",
            "postgresql": "SELECT datname FROM pg_database WHERE datname LIKE '%\\_check\\_%'",
            "mariadb": "SELECT schema_name FROM information_schema.schemata WHERE schema_name LIKE '%\\_check\\_%'",
        }
        name = sandbox.place.database
        return [each for (each,) in sandbox.execute(beside[sandbox.database]) if each.startswith(name)]

    def test_backup_has_its_record_is_private_and_nothing_else_is_left(self, database, tmp_path):
        with open_sandbox("healthy", database, tmp_path) as sandbox:
            first, second = self.backed_up(sandbox), self.backed_up(sandbox)
            assert first != second, "a new name each time"
            folder = sandbox.project / ".runbook/backups"
            kept = sorted(path.name for path in folder.iterdir())
            assert kept == sorted([".lock", *(Path(each["BACKUP"]).name + end for each in (first, second) for end in ("", ".json"))])
            assert {path.stat().st_mode & 0o077 for path in folder.iterdir() if path.name != ".lock"} == {0}
            counts = {table.removeprefix("public."): rows for table, (rows, _) in record_of(sandbox, second)["tables"].items()}
            assert counts == {table: len(rows) for table, rows in sandbox.snapshot().rows.items()}
            assert self.leftovers(sandbox) == []

    def test_backup_under_a_live_writer_is_of_one_moment(self, database, tmp_path):
        with open_sandbox("healthy", database, tmp_path) as sandbox:
            total = sandbox.execute("SELECT SUM(amount) FROM fees_feehead")
            stop, written = threading.Event(), []
            writer = threading.Thread(target=write_pairs, args=(sandbox, stop, written))
            writer.start()
            try:
                found = self.backed_up(sandbox)
            finally:
                stop.set()
                writer.join()
            assert len(written) > 2, "the writer wrote meanwhile"
            restored = self.backup_as_database(sandbox, found["BACKUP"])
            assert restored == total

    def backup_as_database(self, sandbox, backup: str) -> list[tuple]:
        """The sum that the writer keeps, read from the backup itself by the database's own tools."""
        query, name = "SELECT SUM(amount) FROM fees_feehead", f"{sandbox.place.database}_reader"
        if sandbox.database == "sqlite":
            import sqlite3

            with closing(sqlite3.connect(sandbox.project / backup)) as copy:
                return copy.execute(query).fetchall()
        sandbox.execute(f"CREATE DATABASE {name}")
        restore = {
            "postgresql": f"pg_restore --no-owner --exit-on-error -d {name} {backup} && psql -At -d {name} -c '{query}'",
            "mariadb": f"mariadb {name} < {backup} && mariadb {name} -N -e '{query}'",
        }
        done = sandbox.run("bash", "-c", restore[sandbox.database])
        assert done.status == 0, done.output
        from decimal import Decimal

        return [(Decimal(done.stdout.strip()),)]

    def test_changed_or_cut_backup_no_longer_counts(self, database, tmp_path):
        with open_sandbox("healthy", database, tmp_path) as sandbox:
            backup = sandbox.project / self.backed_up(sandbox)["BACKUP"]
            whole = backup.read_bytes()
            backup.write_bytes(whole[: len(whole) * 6 // 10])
            done = self.step(sandbox, "verify", self.extra_inputs)
            assert done.status == 1 and "its file was changed after it was verified" in done.output

    def test_old_backup_or_one_from_before_a_migration_does_not_count(self, database, tmp_path):
        with open_sandbox("healthy", database, tmp_path) as sandbox:
            self.backed_up(sandbox)
            old = self.step(sandbox, "diagnose", {**self.extra_inputs, "MAX_AGE_MINUTES": "0"})
            assert old.status == 1 and "minutes old" in old.output
            assert sandbox.manage("migrate", "fees", "0011", "-v", "0").status == 0
            done = self.step(sandbox, "diagnose", self.extra_inputs)
            assert done.status == 1 and "migrations were applied or unapplied since" in done.output

    def test_dump_that_lacks_rows_does_not_count(self, database, tmp_path):
        """The dump is cut behind the client's back: the tool says all is well, the restore says what is missing."""
        if database == "sqlite":
            pytest.skip("SQLite's copy is made by the library itself: there is no client program to tamper with")
        client, cut = {
            "postgresql": ("pg_dump", 'for each; do [[ $each = --file=* ]] && truncate -s 50000 "${each#--file=}"; done'),
            "mariadb": ("mariadb-dump", ""),
        }[database]
        with open_sandbox("healthy", database, tmp_path) as sandbox:
            tools = tmp_path / "tools"
            tools.mkdir()
            real = sandbox.run("bash", "-c", f"command -v {client}").stdout.strip()
            run = f"{real} \"$@\" | sed '/^INSERT INTO `fees_payment`/d'" if database == "mariadb" else f'{real} "$@"'
            (tools / client).write_text(f"#!/usr/bin/env bash\n{run}\n{cut}\ntrue\n")
            (tools / client).chmod(0o755)
            path = f"{tools}{os.pathsep}{sandbox.environment['PATH']}"
            done = self.step(sandbox, "fix", {**self.extra_inputs, "PATH": path})
            assert done.status == 1 and "This backup does not count" in done.output, done.output
            assert "Traceback" not in done.output
            assert [path.suffix for path in (sandbox.project / ".runbook/backups").glob("*Z*")] == [".unverified"]
            assert self.leftovers(sandbox) == []
            assert self.step(sandbox, "verify", self.extra_inputs).status == 1

    def test_client_that_fails_or_is_missing_is_told_plainly(self, database, tmp_path):
        if database == "sqlite":
            pytest.skip("SQLite's copy needs no client program")
        client = {"postgresql": "pg_dump", "mariadb": "mariadb-dump"}[database]
        with open_sandbox("healthy", database, tmp_path) as sandbox:
            tools = tmp_path / "tools"
            tools.mkdir()
            (tools / client).write_text("#!/usr/bin/env bash\necho 'disk full' >&2\nexit 3\n")
            (tools / client).chmod(0o755)
            path = f"{tools}{os.pathsep}{sandbox.environment['PATH']}"
            done = self.step(sandbox, "fix", {**self.extra_inputs, "PATH": path})
            assert done.status == 1 and f"{client} failed with status 3:\ndisk full" in done.output
            assert "Traceback" not in done.output and "BACKUP=" not in done.output

    def test_role_that_may_not_create_a_database_is_told_what_is_unverified(self, database, tmp_path):
        if database != "postgresql":
            pytest.skip("the private MariaDB has one user; SQLite has none")
        from migration_runbooks.worlds.engines import postgresql

        with open_sandbox("healthy", database, tmp_path) as sandbox:
            role = f"{sandbox.place.database}_plain"
            postgresql.execute("CREATE ROLE {} LOGIN IN ROLE {}", role, postgresql.USER)
            try:
                url = sandbox.environment["DATABASE_URL"].replace(f"{postgresql.USER}@", f"{role}@")
                done = self.step(sandbox, "fix", {**self.extra_inputs, "DATABASE_URL": url, "PGUSER": role})
                assert done.status == 1 and "may not create a database" in done.output, done.output
                assert "ALTER ROLE" in done.output and ".unverified" in done.output
            finally:
                postgresql.execute("DROP ROLE {}", role)

    def test_password_is_in_no_argument_and_no_output(self, database, tmp_path):
        if database == "sqlite":
            pytest.skip("SQLite has no passwords")
        secret = "s3cret-0f-the-test"
        clients = {"postgresql": ("pg_dump", "pg_restore"), "mariadb": ("mariadb-dump", "mariadb")}[database]
        with open_sandbox("healthy", database, tmp_path) as sandbox:
            tools, log = tmp_path / "tools", tmp_path / "arguments"
            tools.mkdir()
            for client in clients:
                real = sandbox.run("bash", "-c", f"command -v {client}").stdout.strip()
                (tools / client).write_text(RECORDING_CLIENT.format(log=log, real=real) + "")
                (tools / client).chmod(0o755)
            path = f"{tools}{os.pathsep}{sandbox.environment['PATH']}"
            if database == "mariadb":
                from migration_runbooks.worlds.engines import mariadb

                with closing(mariadb.connect_as_root()) as connection:
                    connection.cursor().execute(f"GRANT ALL ON *.* TO keeper@localhost IDENTIFIED BY '{secret}'")
            user = {"mariadb": "keeper", "postgresql": "django"}[database]
            url = sandbox.environment["DATABASE_URL"].replace("django@", f"{user}:{secret}@")
            assert secret in url
            done = self.step(sandbox, "fix", {**self.extra_inputs, "PATH": path, "DATABASE_URL": url})
            assert done.status == 0, done.output
            arguments = log.read_text()
            assert all(client in arguments for client in clients), arguments
            assert secret not in arguments + done.output
            for kept in (sandbox.project / ".runbook").rglob("*"):
                assert kept.is_dir() or secret.encode() not in kept.read_bytes()

    def test_second_backup_at_the_same_time_is_refused(self, database, tmp_path):
        import fcntl

        with open_sandbox("healthy", database, tmp_path) as sandbox:
            folder = sandbox.project / ".runbook/backups"
            folder.mkdir(parents=True)
            with open(folder / ".lock", "w") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                done = self.step(sandbox, "fix", self.extra_inputs)
            assert done.status == 1 and "Another backup is being written" in done.output
            assert [path.name for path in folder.iterdir()] == [".lock"]

    def test_database_that_is_not_there(self, tmp_path):
        with open_sandbox("healthy", "sqlite", tmp_path) as sandbox:
            done = self.step(sandbox, "fix", {**self.extra_inputs, "DATABASE_URL": "sqlite:////nowhere/db.sqlite3"})
            assert done.status == 1 and "There is no database file /nowhere/db.sqlite3" in done.output
            assert "Traceback" not in done.output

from __future__ import annotations

import json
import sqlite3
from contextlib import closing

import pytest
from beside import DatabaseBesideProof
from migration_runbooks.catalogue.runbooks import find
from migration_runbooks.paths import RUNBOOKS
from migration_runbooks.worlds import open_sandbox
from proof import inputs_in

WAIVED = {"attendance_leaverequest", "fees_invoice"}
REFERENCED = """
    SELECT DISTINCT constraint_schema, unique_constraint_schema FROM information_schema.referential_constraints
    WHERE constraint_schema = DATABASE() OR unique_constraint_schema = DATABASE()"""


def back_up(sandbox, folder: str = "backups") -> dict[str, str]:
    done = sandbox.bash(find("back-up-database").script("fix", sandbox.database), BACKUP_DIR=folder)
    assert done.status == 0, done.output
    return inputs_in(done.output)


def short_name(sandbox) -> str:
    code = "import sys; sys.path.insert(0, '.runbook/restore-database'); import backup_folder; print(backup_folder.short_name())"
    done = sandbox.manage("shell", "-v", "0", "-c", code)
    assert done.status == 0, done.output
    return done.stdout.strip()


def query(sandbox, name: str, sql: str) -> str:
    """Run statements in another database of the server; what its client program prints."""
    client = {"postgresql": ["psql", "-qAt", "-d", name, "-c", sql], "mariadb": ["mariadb", name, "-N", "-e", sql]}
    done = sandbox.run(*client[sandbox.database])
    assert done.status == 0, done.output
    return done.stdout.strip()


def fill(sandbox, name: str) -> None:
    sandbox.execute(f"CREATE DATABASE {name}")
    query(sandbox, name, "CREATE TABLE book (pages integer); INSERT INTO book VALUES (7)")


def copy_of_database(sandbox, name: str) -> dict[str, str]:
    """Copy the sandbox's database; the variables that lead a project to the copy."""
    source = sandbox.place.database
    if sandbox.database == "postgresql":
        sandbox.execute(f"CREATE DATABASE {name} TEMPLATE {source}")
    else:
        sandbox.execute(f"CREATE DATABASE {name}")
        done = sandbox.run("bash", "-c", f"mariadb-dump {source} | mariadb {name}")
        assert done.status == 0, done.output
    url = sandbox.environment["DATABASE_URL"]
    assert f"/{source}" in url
    return {"DATABASE_URL": url.replace(f"/{source}", f"/{name}"), **({"PGDATABASE": name} if sandbox.database == "postgresql" else {})}


class TestRestoreDatabase(DatabaseBesideProof):
    slug = "restore-database"
    extra_inputs = {"BACKUP_DIR": "backups"}
    # A procedure, not the repair of an error: no command fails.
    test_the_command_fails_with_exactly_this_text = None

    def check_fixed(self, cause, broken, fixed, sandbox):
        with open_sandbox("healthy", sandbox.database, sandbox.place.directory / "compared") as healthy:
            assert healthy.snapshot().difference(fixed) == []

    def test_healthy_project_is_told_healthy_and_left_alone(self, database, tmp_path):
        with open_sandbox("healthy", database, tmp_path) as sandbox:
            back_up(sandbox)
            before, files = sandbox.snapshot(), sandbox.files()
            inputs = self.diagnose(sandbox, status=0)
            assert "Nothing to do" in self.fix(sandbox, inputs)
            assert before.difference(sandbox.snapshot()) == []
            assert sandbox.files() == files

    def break_other_project(self, library):
        back_up(library)
        self.good = library.snapshot()
        library.execute("UPDATE catalog_book SET pages = 0")
        library.execute("DELETE FROM loans_reservation")

    def check_other_project(self, broken, fixed, library):
        assert self.good.difference(fixed) == []

    def test_world_is_damaged(self, database, tmp_path):
        with open_sandbox(self.slug, database, tmp_path) as sandbox:
            done = self.step(sandbox, "diagnose", self.extra_inputs)
            lines = done.output.replace("public.", "").splitlines()
            assert "attendance_leaverequest: missing" in lines
            assert "fees_invoice: 50 rows, but other values" in lines
            assert not WAIVED & {table for table, rows in sandbox.snapshot().rows.items() if table != "fees_invoice"}

    def test_nothing_refers_to_the_kept_tables_afterwards(self, tmp_path, database):
        if database != "mariadb":
            pytest.skip("only on MariaDB are tables moved one by one, with their foreign keys")
        with open_sandbox(self.slug, database, tmp_path) as sandbox:
            for step in ("fix", "undo"):
                done = self.step(sandbox, step, self.extra_inputs)
                assert done.status == 0, done.output
                assert sandbox.execute(REFERENCED) == [(sandbox.place.database, sandbox.place.database)]

    def test_restored_database_works(self, database, tmp_path):
        with open_sandbox(self.slug, database, tmp_path) as sandbox:
            self.fix(sandbox, self.extra_inputs)
            checked = sandbox.manage("migrate", "--check")
            assert checked.status == 0, checked.output
            made = sandbox.manage("shell", "-v", "0", "-c", "from fees.models import FeeHead; print(FeeHead.objects.create(name='Lab', amount=1).pk)")
            assert made.status == 0, made.output
            refused = sandbox.manage("shell", "-v", "0", "-c", "from fees.models import Payment; Payment.objects.update(invoice_id=999999)")
            assert "IntegrityError" in refused.output, "foreign keys are enforced"

    def test_backup_that_is_not_whole_is_refused(self, database, tmp_path):
        with open_sandbox(self.slug, database, tmp_path) as sandbox:
            broken = sandbox.snapshot()
            inputs = self.diagnose(sandbox)
            backup = sandbox.project / inputs["BACKUP"]
            record = backup.with_name(backup.name + ".json")
            whole = {file: file.read_bytes() for file in (backup, record)}
            for damage in ("cut", "no record", "other database", "no file"):
                for file, content in whole.items():
                    file.write_bytes(content)
                if damage == "cut":
                    backup.write_bytes(backup.read_bytes()[:-1000])
                elif damage == "no record":
                    record.unlink()
                elif damage == "no file":
                    backup.unlink()
                else:
                    record.write_text(json.dumps({**json.loads(record.read_text()), "vendor": "oracle"}))
                done = self.step(sandbox, "fix", inputs)
                assert done.status == 1 and "The database was not changed" in done.output, f"{damage}: {done.output}"
                assert "Traceback" not in done.output, f"{damage}: {done.output}"
                assert self.step(sandbox, "diagnose", inputs).status == 2, damage
                assert broken.difference(sandbox.snapshot()) == [], damage

    def test_copy_that_differs_from_the_record_never_goes_live(self, database, tmp_path):
        with open_sandbox(self.slug, database, tmp_path) as sandbox:
            broken = sandbox.snapshot()
            inputs = self.diagnose(sandbox)
            record = sandbox.project / f"{inputs['BACKUP']}.json"
            content = json.loads(record.read_text())
            table = next(name for name in content["tables"] if name.endswith("fees_payment"))
            content["tables"][table][0] += 1
            record.write_text(json.dumps(content))
            done = self.step(sandbox, "fix", inputs)
            assert done.status == 1 and "is not what the backup recorded" in done.output, done.output
            assert broken.difference(sandbox.snapshot()) == []

    def test_somebody_connected_is_named_and_nothing_changes(self, database, tmp_path):
        with open_sandbox(self.slug, database, tmp_path) as sandbox:
            broken = sandbox.snapshot()
            if database == "sqlite":
                holder = ["python3", "-c", "import sqlite3,sys; c=sqlite3.connect('db.sqlite3'); c.execute('select 1 from django_migrations'); print('open', flush=True); sys.stdin.read()"]
                import subprocess

                process = subprocess.Popen(holder, cwd=sandbox.project, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
                process.stdout.readline()
                done = self.step(sandbox, "fix", self.extra_inputs)
                process.communicate("")
                assert f"Process {process.pid} has db.sqlite3 open" in done.output, done.output
            else:
                with closing(sandbox.connect()) as connection, closing(connection.cursor()) as cursor:
                    cursor.execute("SELECT 1")
                    done = self.step(sandbox, "fix", self.extra_inputs)
                assert f"Somebody is connected to {sandbox.place.database}" in done.output, done.output
            assert done.status == 1 and "The database was not changed" in done.output
            assert broken.difference(sandbox.snapshot()) == []
            self.fix(sandbox, self.extra_inputs)

    def test_database_that_is_not_ours_is_not_dropped(self, database, tmp_path):
        if database == "sqlite":
            pytest.skip("on SQLite the copy is a file beside the live one, not a database of the server")
        with open_sandbox(self.slug, database, tmp_path) as sandbox:
            inputs, broken = self.diagnose(sandbox), sandbox.snapshot()
            new = f"{short_name(sandbox)}_restoring"
            fill(sandbox, new)
            done = self.step(sandbox, "fix", inputs)
            assert done.status == 1 and f"database {new} that this runbook did not make" in done.output, done.output
            assert done.output.splitlines()[-1].startswith({"postgresql": "ALTER DATABASE", "mariadb": "SHOW TABLES"}[database])
            assert query(sandbox, new, "SELECT pages FROM book") == "7"
            assert broken.difference(sandbox.snapshot()) == []
            if database == "postgresql":  # empty and without a comment is what a killed run leaves
                query(sandbox, new, "DROP TABLE book")
            else:
                sandbox.execute(f"DROP DATABASE {new}")
            self.fix(sandbox, inputs)

    def test_databases_whose_names_begin_alike_keep_their_copies_apart(self, database, tmp_path):
        if database == "sqlite":
            pytest.skip("on SQLite a copy has the whole name of its file")
        with open_sandbox(self.slug, database, tmp_path) as sandbox:
            stem = f"{sandbox.place.database}_{'x' * 40}"[:40]
            one, two = ({**self.extra_inputs, **copy_of_database(sandbox, f"{stem}_{each}")} for each in ("one", "two"))
            self.fix(sandbox, one)
            done = self.step(sandbox, "undo", two)
            assert done.status == 0 and "Nothing to undo" in done.output, done.output
            assert self.step(sandbox, "diagnose", one).status == 0, "and the first is as it was restored"
            done = self.step(sandbox, "undo", one)
            assert done.status == 0 and "as it was before the restore" in done.output, done.output

    def test_views_and_triggers_are_refused_where_they_cannot_move(self, tmp_path, database):
        if database != "mariadb":
            pytest.skip("SQLite and PostgreSQL switch the whole database")
        with open_sandbox(self.slug, database, tmp_path) as sandbox:
            sandbox.execute("CREATE VIEW due AS SELECT id FROM fees_invoice")
            broken = sandbox.snapshot()
            done = self.step(sandbox, "fix", self.extra_inputs)
            assert done.status == 1 and "view due" in done.output, done.output
            assert broken.difference(sandbox.snapshot()) == []

    def test_stale_wal_is_not_replayed_onto_the_restored_file(self, tmp_path):
        with open_sandbox(self.slug, "sqlite", tmp_path) as sandbox:
            live = sandbox.project / "db.sqlite3"
            with closing(sqlite3.connect(live)) as connection:
                connection.execute("PRAGMA journal_mode = WAL")
                connection.execute("UPDATE fees_feehead SET amount = 1")
                connection.commit()
                saved = {end: live.with_name(live.name + end).read_bytes() for end in ("", "-wal", "-shm")}
            for end, content in saved.items():  # what a crash leaves
                live.with_name(live.name + end).write_bytes(content)
            broken = sandbox.snapshot()
            for end, content in saved.items():
                live.with_name(live.name + end).write_bytes(content)
            self.fix(sandbox, self.extra_inputs)
            self.verify(sandbox, self.extra_inputs)
            assert self.step(sandbox, "undo", self.extra_inputs).status == 0
            assert broken.difference(sandbox.snapshot()) == []

    def test_unreadable_live_file_is_replaced_and_kept(self, tmp_path):
        with open_sandbox(self.slug, "sqlite", tmp_path) as sandbox:
            live = sandbox.project / "db.sqlite3"
            live.write_bytes(b"not a database" * 1000)
            self.fix(sandbox, self.extra_inputs)
            self.verify(sandbox, self.extra_inputs)
            (kept,) = live.parent.glob("db.sqlite3.before-*")
            assert kept.read_bytes() == b"not a database" * 1000

    def test_shared_files_are_one(self):
        for name in ("backup_folder.py", "fingerprints.py", "postgresql_tools.py", "mariadb_tools.py"):
            one, other = (RUNBOOKS / slug / name for slug in ("back-up-database", "restore-database"))
            assert one.read_text() == other.read_text()

"""The database's password reaches the tools, and nothing that a person or another process can read."""

from __future__ import annotations

import stat
import threading
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

import pytest
from migration_runbooks.runner.connection import secrets, tools_environment
from migration_runbooks.runner.project import Database
from migration_runbooks.runner.secrets import hide
from migration_runbooks.worlds import available, open_sandbox
from migration_runbooks.worlds.engines import mariadb

PASSWORD = "s3cret/Word+of acharya"
SETTINGS = {"NAME": "school", "USER": "head", "PASSWORD": PASSWORD, "HOST": "db.example", "PORT": "5433"}


class Watch(threading.Thread):
    """Reads the arguments of every process until it is stopped."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: set[bytes] = set()
        self.over = threading.Event()

    def run(self) -> None:
        while not self.over.wait(0.005):
            for file in Path("/proc").glob("[0-9]*/cmdline"):
                try:
                    self.seen.add(file.read_bytes())
                except OSError:
                    pass  # it has ended

    def stop(self) -> set[bytes]:
        self.over.set()
        self.join()
        return self.seen


@pytest.mark.parametrize("database", ["postgresql", "mariadb"])
def test_password_of_a_server_is_in_no_argument_output_or_file(database, tmp_path):
    if reason := available(database):
        pytest.skip(reason)
    with open_sandbox("repair-migration-history", database, tmp_path) as sandbox:
        scheme, place = sandbox.environment["DATABASE_URL"].split("://")
        user, address = place.split("@")
        if database == "mariadb":  # asks for the password; PostgreSQL here trusts its socket
            user = "head"
            with closing(mariadb.connect_as_root()) as connection:
                connection.cursor().execute(f"GRANT ALL ON *.* TO head@localhost IDENTIFIED BY '{PASSWORD}'")
        with_password = f"{scheme}://{user}:{quote(PASSWORD, safe='')}@{address}"
        watch = Watch()
        watch.start()
        words = ("runbook", "run", "repair-migration-history", "--apply", "--yes")
        done = sandbox.run(*words, DATABASE_URL=with_password)
        arguments = watch.stop()
        assert any(b"pg_dump" in each or b"mariadb-dump" in each for each in arguments)
        written = [file for file in sandbox.project.rglob("*") if file.is_file()]
        said = [done.output.encode(), *arguments, *(file.read_bytes() for file in written)]
    for secret in (PASSWORD.encode(), quote(PASSWORD, safe="").encode()):
        assert [each[:200] for each in said if secret in each] == []
    assert done.status == 0, done.output


def test_postgresql_tools_get_variables(tmp_path, monkeypatch):
    monkeypatch.setenv("PGSERVICE", "another server")
    database = Database("default", "postgresql", SETTINGS, {"sslmode": "require"})
    with tools_environment(database, tmp_path) as environment:
        given = {name: value for name, value in environment.items() if name.startswith("PG")}
    assert given == {
        "PGDATABASE": "school",
        "PGUSER": "head",
        "PGPASSWORD": PASSWORD,
        "PGHOST": "db.example",
        "PGPORT": "5433",
        "PGSSLMODE": "require",
        "PGAPPNAME": "runbook",
    }


def test_mariadb_tools_get_a_private_option_file_that_is_gone_afterwards(tmp_path):
    database = Database("default", "mariadb", SETTINGS, {"unix_socket": "/run/db.sock"})
    with tools_environment(database, tmp_path) as environment:
        file = Path(environment["MYSQL_HOME"]) / "my.cnf"
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
        assert f'password="{PASSWORD}"' in file.read_text()
        assert PASSWORD not in "".join(environment.values())
    assert list(tmp_path.rglob("my.cnf")) == []


def test_option_files_of_killed_runs_are_removed(tmp_path):
    left = tmp_path / "private" / "999999999"
    left.mkdir(parents=True)
    (left / "my.cnf").write_text(PASSWORD)
    with tools_environment(Database("default", "mariadb", SETTINGS, {}), tmp_path):
        assert not left.exists()


def test_password_in_a_url_is_hidden_even_before_it_is_known():
    assert hide("no scheme in mysql://head:s3cret/x@db/school", []) == "no scheme in mysql://head:****@db/school"


def test_secrets_are_the_password_in_every_spelling():
    assert secrets(Database("default", "postgresql", SETTINGS, {})) == [quote(PASSWORD, safe=""), PASSWORD]
    assert PASSWORD not in repr(Database("default", "postgresql", SETTINGS, {}))

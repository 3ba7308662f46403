"""An account with too few rights: each database's own texts, which right helps, and what the usual advice gives away."""

from __future__ import annotations

from contextlib import closing

import pytest
from advice import last_line, on, on_all_djangos, page_of
from migration_runbooks.pages.blocks import read_page
from migration_runbooks.worlds.engines import mariadb, postgresql

SLUG = "permission-denied"
on_both = on("postgresql", "mariadb")
DENIED = {
    "postgresql": "django.db.utils.ProgrammingError: permission denied for schema public",
    "mariadb": """django.db.utils.OperationalError: (1142, "CREATE command denied to user '{0}'@'localhost' for table `{1}`.`fees_refund`")""",
}
ROWS = {
    "postgresql": [
        "CREATE ROLE {0} LOGIN",
        "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {0}",
        "GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {0}",
    ],
    "mariadb": ["CREATE USER {0}@localhost", "GRANT SELECT, INSERT, UPDATE, DELETE ON {1}.* TO {0}@localhost"],
}
SCHEMA = "GRANT USAGE, CREATE ON SCHEMA public TO {0}"
ALTER = "GRANT CREATE, DROP, INDEX, REFERENCES, ALTER ON {1}.* TO {0}@localhost"


class Account:
    """An account of the server with rights on one sandbox, and what its administrator may run."""

    def __init__(self, sandbox, statements=()):
        self.sandbox, self.database = sandbox, sandbox.place.database
        self.name = f"test_of_{self.database}"
        for statement in statements or ROWS[sandbox.database]:
            self.administrator(statement)

    def administrator(self, statement):
        statement = statement.format(self.name, self.database)
        if self.sandbox.database == "mariadb":
            with closing(mariadb.connect_as_root()) as connection:
                connection.cursor().execute(statement)
        else:
            import psycopg

            with psycopg.connect(host=str(postgresql.socket_folder()), user="postgres", dbname=self.database, autocommit=True) as connection:
                connection.execute(statement)

    def manage(self, *arguments, **options):
        url = self.sandbox.environment["DATABASE_URL"].replace("django@", f"{self.name}@", 1)
        return self.sandbox.run("uv", "run", "manage.py", *arguments, DATABASE_URL=url, **options)

    def sql(self, statement):
        code = f"from django.db import connection; c = connection.cursor(); c.execute({statement!r})"
        return self.manage("shell", "-v", "0", "-c", code)

    def drop(self):
        if self.sandbox.database == "mariadb":
            self.administrator("DROP USER {0}@localhost")
        else:
            self.administrator("DROP OWNED BY {0}")
            self.administrator("DROP ROLE {0}")


@pytest.fixture
def account(opened):
    """A function that opens a world with an account in it; the account is dropped after the test."""
    made = []

    def open_account(world, database, statements=()):
        made.append(Account(opened(world, database), statements))
        return made[-1]

    yield open_account
    for each in made:
        each.drop()


def lines(done) -> list[str]:
    return done.output.splitlines()


@on_all_djangos
@on_both
def test_account_that_may_not_make_tables(database, account):
    site = account(SLUG, database)
    before = site.sandbox.snapshot()
    assert DENIED[database].format(site.name, site.database) in lines(site.manage("migrate"))
    assert before.difference(site.sandbox.snapshot()) == []


@on_all_djangos
@on("postgresql")
def test_owner_alone_changes_a_table(database, account):
    site = account(SLUG, database)
    site.administrator(SCHEMA)
    assert last_line(site.manage("migrate").output) == "django.db.utils.ProgrammingError: must be owner of table fees_payment"
    site.administrator("GRANT django TO {0}")
    assert site.manage("migrate").status == 0


@on_all_djangos
@on("mariadb")
def test_each_missing_right_has_its_name(database, account):
    site = account(SLUG, database)
    site.administrator(ALTER.replace(", ALTER", ""))
    expected = f"""(1142, "ALTER command denied to user '{site.name}'@'localhost' for table `{site.database}`.`fees_payment`")"""
    assert last_line(site.manage("migrate").output) == f"django.db.utils.OperationalError: {expected}"


@on_all_djangos
@on("postgresql")
def test_empty_database_of_another_owner(database, account):
    site = account("empty", database, ["CREATE ROLE {0} LOGIN"])
    said = site.manage("migrate")
    text = "django.db.migrations.exceptions.MigrationSchemaMissing: Unable to create the django_migrations table (permission denied for schema public"
    assert text in lines(said)


@on_all_djangos
@on("postgresql")
def test_table_without_any_right(database, account):
    site = account(SLUG, database, ["CREATE ROLE {0} LOGIN"])
    assert "django.db.utils.ProgrammingError: permission denied for table django_migrations" in lines(site.manage("migrate"))


@on_all_djangos
@on("postgresql")
def test_extension(database, account):
    site = account(SLUG, database)
    assert 'permission denied to create extension "file_fdw"' in site.sql("CREATE EXTENSION file_fdw").output


@on_all_djangos
@on_both
def test_tests_need_a_database(database, account):
    site = account(SLUG, database)
    (site.sandbox.project / "fees/tests.py").write_text(
        "from django.test import TestCase\n\n\nclass Test(TestCase):\n    def test(self):\n        pass\n"
    )
    said = site.manage("test", "--noinput")
    if database == "postgresql":
        assert "Got an error creating the test database: permission denied to create database" in lines(said)
        site.administrator("ALTER ROLE {0} CREATEDB")
    else:
        text = f"""Got an error creating the test database: (1044, "Access denied for user '{site.name}'@'localhost' to database 'test_{site.database}'")"""
        assert text in lines(said)
        site.administrator(r"GRANT ALL ON `test\_{1}`.* TO {0}@localhost")
    done = site.manage("test", "--noinput")
    assert done.status == 0, done.output


@on_both
def test_script_of_the_page_shows_no_password(database, account):
    site = account(SLUG, database)
    if database == "mariadb":
        site.administrator("SET PASSWORD FOR {0}@localhost = PASSWORD('secret')")
        site.sandbox.environment["DATABASE_URL"] = site.sandbox.environment["DATABASE_URL"].replace("django@", "django:secret@", 1)
    (script,) = (block.text for block in read_page(page_of(SLUG)).blocks if block.fence.title == "scripts/show_rights.py")
    url = site.sandbox.environment["DATABASE_URL"].replace("django", site.name, 1)
    done = site.sandbox.run("uv", "run", "manage.py", "shell", "-v", "0", input=script, DATABASE_URL=url)
    assert done.status == 0 and site.name in done.stdout and "*" not in done.stdout.replace("*.*", "").replace("`.*", ""), done.output


@on("postgresql")
def test_rights_on_the_database_do_not_help(database, account):
    site = account(SLUG, database)
    site.administrator("GRANT ALL PRIVILEGES ON DATABASE {1} TO {0}")
    assert DENIED[database] in lines(site.manage("migrate"))


@on("postgresql")
def test_superuser_reads_hashes_and_drops_other_databases(database, account):
    site = account(SLUG, database)
    site.administrator(f"CREATE DATABASE {site.database}_other OWNER django")
    site.administrator("ALTER ROLE {0} SUPERUSER")
    assert site.sql("SELECT rolpassword FROM pg_authid").status == 0
    assert site.sql(f"DROP DATABASE {site.database}_other").status == 0


@on("mariadb")
def test_all_rights_on_everything_drop_other_databases(database, account):
    site = account(SLUG, database)
    site.administrator("CREATE DATABASE {1}_other")
    assert site.sql(f"DROP DATABASE {site.database}_other").status != 0
    site.administrator("GRANT ALL ON *.* TO {0}@localhost")
    assert site.sql(f"DROP DATABASE {site.database}_other").status == 0


@on_both
def test_fake_records_a_table_that_is_not_there(database, account):
    site = account(SLUG, database)
    assert site.manage("migrate", "--fake").status == 0
    assert site.manage("migrate", "--check").status == 0
    assert "fees_refund" not in site.sandbox.snapshot().schema

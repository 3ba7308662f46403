"""A way back that does nothing where something has to be done changes the values twice; a record without its columns costs more."""

from __future__ import annotations

from advice import find_cause, last_line, on_all, on_all_djangos, write_migration
from sqlite_alone import on_sqlite_alone

SLUG = "irreversible-migration"
WORLD = "make-migration-reversible"
FILE = "fees/migrations/0014_fill_payment_channel.py"
INSIDE = "migrations.SeparateDatabaseAndState(database_operations=[migrations.RunSQL('SELECT 1')])"
LATE_FEE = "migrations.RunSQL('UPDATE fees_payment SET amount = amount + 50', migrations.RunSQL.noop)"
EXISTS = {
    "postgresql": 'django.db.utils.ProgrammingError: column "channel" of relation "fees_payment" already exists',
    "mariadb": "django.db.utils.OperationalError: (1060, \"Duplicate column name 'channel'\")",
}


def migrate(sandbox, *arguments: str) -> None:
    done = sandbox.manage("migrate", "fees", *arguments)
    assert done.status == 0, done.output


def values(sandbox, column: str) -> list:
    return [value for (value,) in sandbox.execute(f"SELECT {column} FROM fees_payment ORDER BY id")]


@on_all_djangos
@on_all
def test_operation_inside_of_another_fails_with_the_second_text(django, database, opened):
    sandbox = opened("healthy", database)
    write_migration(sandbox, "fees", "0013_inside", INSIDE)
    migrate(sandbox)
    done = sandbox.manage("migrate", "fees", "0012")
    assert done.status == 1 and last_line(done.output) == "NotImplementedError: You cannot reverse this operation"
    assert "fees.0013_inside can't be reversed: SELECT 1\n1 operations" in find_cause(sandbox, SLUG).output


@on_sqlite_alone
def test_check_of_the_page_names_the_code_and_reads_only(database, opened):
    sandbox = opened(WORLD, database)
    before, files = sandbox.snapshot(), sandbox.files()
    assert find_cause(sandbox, SLUG).output == "fees.0014_fill_payment_channel can't be reversed: fill_channel\n1 operations without a way back\n"
    assert before.difference(sandbox.snapshot()) == [] and sandbox.files() == files
    assert find_cause(opened("healthy", database), SLUG).output == "0 operations without a way back\n"


@on_all
def test_noop_changes_the_values_a_second_time(database, opened):
    sandbox = opened("healthy", database)
    write_migration(sandbox, "fees", "0013_late_fee", LATE_FEE)
    before = values(sandbox, "amount")
    migrate(sandbox)
    migrate(sandbox, "0012")
    migrate(sandbox)
    assert before and values(sandbox, "amount") == [amount + 100 for amount in before]


@on_all
def test_fake_leaves_a_column_that_stops_the_next_migrate_or_is_emptied(database, opened):
    sandbox = opened(WORLD, database)
    sandbox.execute("UPDATE fees_payment SET channel = 'cheque'")
    migrate(sandbox, "0012", "--fake")
    if database == "sqlite":
        migrate(sandbox)
        assert values(sandbox, "channel") and "cheque" not in values(sandbox, "channel")
    else:
        done = sandbox.manage("migrate")
        assert done.status == 1 and EXISTS[database] in done.output.splitlines()


@on_all
def test_operation_taken_out_is_never_run(database, opened):
    sandbox, other = opened(WORLD, database), opened("healthy", database)
    for name, text in sandbox.files().items():
        if name.startswith("fees/"):
            (other.project / name).write_text(text.replace("migrations.RunPython(fill_channel),", ""))
    migrate(other)
    assert set(values(other, "channel")) == {""} and "" not in values(sandbox, "channel")

"""The page's check tells the causes apart; a merge that nobody read lets the last one win, and other advice breaks more."""

from __future__ import annotations

from advice import find_cause, last_line, on_all, on_all_djangos
from sqlite_alone import on_sqlite_alone

SLUG = "conflicting-migrations"
INDEPENDENT = "merge-conflicting-migrations"
SAME_FIELD = "merge-conflicting-migrations:same-field"
REPEATED = "merge-conflicting-migrations:repeated"
ERROR = "CommandError: Conflicting migrations detected; multiple leaf nodes in the migration graph: "
EXISTS = {
    "sqlite": "django.db.utils.OperationalError: duplicate column name: reminded_on",
    "postgresql": 'django.db.utils.ProgrammingError: column "reminded_on" of relation "fees_invoice" already exists',
    "mariadb": "django.db.utils.OperationalError: (1060, \"Duplicate column name 'reminded_on'\")",
}
SIZE = "from fees.models import Payment as P; from django.db import connection as c; k = c.cursor(); print([d[3] if d[3] and d[3] > 0 else d[2] for d in " \
    "c.introspection.get_table_description(k, 'fees_payment') if d[0] == 'receipt_number'])"


def size_of_receipt_number(sandbox) -> int:
    """How many characters the column takes in the real database."""
    printed = sandbox.manage("shell", "-v", "0", "-c", SIZE)
    assert printed.status == 0, printed.output
    return int(last_line(printed.output).strip("[]"))


def merge(sandbox) -> None:
    merged = sandbox.manage("makemigrations", "fees", "--merge", "--noinput")
    assert merged.status == 0, merged.output


def error_of(output: str, text: str) -> bool:
    """Whether the error stands in a traceback; SQLite may print a second one after it."""
    return text in output.splitlines()


@on_sqlite_alone
def test_check_of_the_page_tells_the_causes_apart(database, opened):
    printed = find_cause(opened(INDEPENDENT, database), SLUG).output
    assert "0013_invoice_reminded_on.py (applied)\n    Add field reminded_on to invoice" in printed
    assert "0013_payment_channel.py (not applied)\n    Add field channel to payment" in printed
    printed = find_cause(opened(SAME_FIELD, database), SLUG).output
    assert printed.count("    Alter field receipt_number on payment") == 2
    printed = find_cause(opened(REPEATED, database), SLUG).output
    assert printed.count("    Add field reminded_on to invoice") == 2
    assert find_cause(opened("healthy", database), SLUG).output == "0 apps with more than one last migration\n"


@on_all
def test_blind_merge_lets_the_last_one_win_and_databases_differ(database, opened):
    old = opened(SAME_FIELD, database)
    assert "max_length=40" in old.files()["fees/models.py"]
    assert size_of_receipt_number(old) == 30
    merge(old)
    assert old.manage("migrate", "--verbosity", "0").status == 0
    assert size_of_receipt_number(old) == 40

    new = opened("empty", database)
    for name, text in old.files().items():
        if name.startswith("fees/"):
            (new.project / name).write_text(text)
    assert new.manage("migrate", "--verbosity", "0").status == 0
    assert size_of_receipt_number(new) == 30
    assert new.manage("migrate", "--check").status == old.manage("migrate", "--check").status == 0
    assert old.manage("makemigrations", "--check").status == 1, "the one check that finds it"


@on_all
@on_all_djangos
def test_merge_of_the_same_column_twice_stops_at_what_exists(database, opened):
    sandbox = opened(REPEATED, database)
    merge(sandbox)
    done = sandbox.manage("migrate")
    assert done.status == 1 and error_of(done.output, EXISTS[database]), done.output


def test_merge_of_the_same_column_with_a_default_resets_its_values_on_sqlite(opened):
    sandbox = opened(REPEATED, "sqlite")
    for name in ("0013_invoice_reminded_on", "0013_reminder_date"):
        file = sandbox.project / f"fees/migrations/{name}.py"
        file.write_text(file.read_text().replace("models.DateField(blank=True, null=True)", "models.IntegerField(default=0)"))
        assert "default=0" in file.read_text()
    sandbox.execute("UPDATE fees_invoice SET reminded_on = 7")
    merge(sandbox)
    done = sandbox.manage("migrate", "fees")
    assert done.status == 0, done.output
    assert sandbox.execute("SELECT DISTINCT reminded_on FROM fees_invoice") == [(0,)]


@on_all
def test_deleting_the_applied_file_makes_its_column_twice(database, opened):
    sandbox = opened(INDEPENDENT, database)
    (sandbox.project / "fees/migrations/0013_invoice_reminded_on.py").unlink()
    assert sandbox.manage("makemigrations", "fees", "--verbosity", "0").status == 0
    done = sandbox.manage("migrate")
    assert done.status == 1 and error_of(done.output, EXISTS[database]), done.output


@on_all_djangos
def test_other_commands_stop_with_the_same_error_and_check_is_green(opened):
    sandbox = opened(INDEPENDENT, "sqlite")
    for command in ("makemigrations", "makemigrations --check", "migrate --fake", "migrate --plan"):
        done = sandbox.manage(*command.split())
        assert done.status == 1 and done.output.strip().splitlines()[-2].startswith(ERROR), command
    assert "no issues" in sandbox.manage("check").output

"""Rows without files are found; removing them unread, or leaving them and taking their names, is what costs."""

from __future__ import annotations

from advice import find_cause, last_line, on_all, on_all_djangos
from sqlite_alone import on_sqlite_alone

SLUG = "ghost-migration-records"
WORLD = "prune-ghost-records"
FILE = "fees/migrations/0013_channel_of_payment.py"
GHOST = "fees.0013_payment_channel"
BELL = (
    "from django.db import migrations, models\n\n\nclass Migration(migrations.Migration):\n"
    '    dependencies = [("fees", "0012_invoice_discount")]\n'
    '    operations = [migrations.CreateModel("Bell", [("id", models.BigAutoField(primary_key=True))])]\n'
)


def succeeds(sandbox, *command: str) -> str:
    done = sandbox.manage(*command)
    assert done.status == 0, done.output
    return done.output


@on_sqlite_alone
def test_check_of_the_page_finds_the_rows_and_reads_only(database, opened):
    sandbox = opened(WORLD, database)
    before = sandbox.snapshot()
    assert find_cause(sandbox, SLUG).output == f"{GHOST} has no file\nRecords without a file: 1\n"
    assert before.difference(sandbox.snapshot()) == []
    assert find_cause(opened("healthy", database), SLUG).output == "Records without a file: 0\n"
    assert "transport.0002_bus_driver has no file: the app is not installed\nRecords without a file: 2" in find_cause(opened(f"{WORLD}:removed-app", database), SLUG).output


@on_all
def test_text_of_the_page_is_that_of_the_integrity_check(database, opened):
    sandbox = opened(WORLD, database)
    settings = sandbox.project / "acharya/settings.py"
    settings.write_text(settings.read_text().replace('    "attendance",', '    "attendance",\n    "migration_runbooks",'))
    found = sandbox.manage("check_migration_integrity")
    assert f"{GHOST} is recorded as applied, and there is no such file, nor a squash that replaces it." in found.output


@on_all_djangos
@on_all
def test_prune_says_what_it_removes(django, database, opened):
    assert f"  Pruning {GHOST} OK\n" in succeeds(opened(WORLD, database), "migrate", "--prune", "fees")


@on_all
def test_pruned_at_once_the_file_of_the_branch_runs_again(database, opened):
    sandbox = opened(WORLD, database)
    sandbox.execute("UPDATE fees_payment SET channel = 'cheque'")
    file = sandbox.project / FILE
    sandbox.execute("DELETE FROM django_migrations WHERE name = '0013_channel_of_payment'")
    text = file.read_text()
    file.unlink()
    succeeds(sandbox, "migrate", "--prune", "fees")
    (sandbox.project / "fees/migrations/0013_payment_channel.py").write_text(text)
    done = sandbox.manage("migrate")
    if database == "sqlite":
        assert done.status == 0 and sandbox.execute("SELECT DISTINCT channel FROM fees_payment") == [("",)]
    else:
        assert done.status == 1 and ("already exists" in done.output or "Duplicate column name 'channel'" in last_line(done.output))


@on_all
def test_all_rows_of_the_app_deleted_the_first_migration_stops_at_what_exists(database, opened):
    sandbox = opened(WORLD, database)
    sandbox.execute("DELETE FROM django_migrations WHERE app = 'fees'")
    done = sandbox.manage("migrate")
    assert done.status == 1 and "Applying fees.0001_initial..." in done.output and "already exists" in last_line(done.output)


@on_sqlite_alone
def test_migration_that_takes_the_name_never_runs(database, opened):
    sandbox = opened(WORLD, database)
    (sandbox.project / FILE).unlink()
    (sandbox.project / "fees/migrations/0013_payment_channel.py").write_text(BELL)
    assert "No migrations to apply" in succeeds(sandbox, "migrate", "fees")
    assert "fees_bell" not in sandbox.snapshot().rows

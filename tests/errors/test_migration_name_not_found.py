"""Each wrong name gets its text and changes nothing; the page's check finds what was meant; a guess goes back."""

from __future__ import annotations

import os

import pytest
from advice import first_command, last_line, on_all, on_all_djangos
from sqlite_alone import on_sqlite_alone

SLUG = "migration-name-not-found"
TEXTS = {
    "migrate fees 0099": "CommandError: Cannot find a migration matching '0099' from app 'fees'.",
    "migrate fees 000": "CommandError: More than one migration matches '000' in app 'fees'. Please be more specific.",
    "migrate feess": "CommandError: No installed app with label 'feess'.",
    "migrate messages": "CommandError: App 'messages' does not have migrations.",
}
EMPTY = (
    "from django.db import migrations\n\n\nclass Migration(migrations.Migration):\n"
    '    dependencies = [("fees", "0012_invoice_discount")]\n    operations = []\n'
)
BELL = EMPTY.replace("import migrations", "import migrations, models").replace(
    "operations = []", 'operations = [migrations.CreateModel("Bell", [("id", models.BigAutoField(primary_key=True))])]'
)


def succeeds(sandbox, *command: str) -> str:
    done = sandbox.manage(*command)
    assert done.status == 0, done.output
    return done.output


def look_up(sandbox, app: str, name: str) -> str:
    """Run the page's check for what somebody typed."""
    text = first_command(SLUG).text
    first, _, rest = text.partition("\n")
    assert first.startswith("export APP=")
    return sandbox.run("bash", "-c", f'export APP="{app}" MIGRATION="{name}"{os.linesep}{rest}').output


@pytest.mark.parametrize("command", TEXTS)
@on_all_djangos
def test_each_wrong_name_gets_its_text(django, command, opened):
    done = opened("healthy", "sqlite").manage(*command.split())
    assert done.status == 1 and last_line(done.output) == TEXTS[command]


@on_all
def test_nothing_changes(database, opened):
    sandbox = opened("healthy", database)
    before, files = sandbox.snapshot(), sandbox.files()
    for command, text in TEXTS.items():
        assert last_line(sandbox.manage(*command.split()).output) == text
    assert before.difference(sandbox.snapshot()) == [] and sandbox.files() == files


@on_sqlite_alone
def test_check_of_the_page_finds_what_was_meant_and_reads_only(database, opened):
    sandbox = opened("healthy", database)
    before, files = sandbox.snapshot(), sandbox.files()
    assert look_up(sandbox, "feess", "") == "No app has the label feess. Like it: fees\n"
    assert look_up(sandbox, "acharya.fees", "") == "No app has the label acharya.fees. Like it: fees\n"
    assert look_up(sandbox, "fees", "0099") == "No file matches 0099. The last ones: 0011_payment_received_by 0012_invoice_discount\n"
    assert look_up(sandbox, "fees", "001") == "001 matches: 0010_invoice_student_due_index 0011_payment_received_by 0012_invoice_discount\n"
    assert look_up(sandbox, "messages", "0001") == "messages has no models and no migrations\n"
    (sandbox.project / "fees/migrations/__init__.py").unlink()
    assert look_up(sandbox, "fees", "0099") == "fees has models and no migrations\n"
    (sandbox.project / "fees/migrations/__init__.py").write_text("")
    assert before.difference(sandbox.snapshot()) == [] and sandbox.files() == files


def test_squashed_and_removed_names_are_told(opened):
    sandbox = opened("healthy", "sqlite")
    (sandbox.project / "attendance/migrations/0002_record_marked_by.py").unlink()
    assert last_line(sandbox.manage("migrate", "attendance", "0002").output) == "CommandError: Cannot find a migration matching '0002' from app 'attendance'."
    printed = look_up(sandbox, "attendance", "0002")
    assert "0002_record_marked_by has no file any more: 0001_squashed_0003_one_record_per_student_and_day replaces it" in printed
    printed = look_up(opened("prune-ghost-records", "sqlite"), "fees", "0013_pay")
    assert "0013_payment_channel has no file, and was applied here\n" in printed


@on_all
def test_older_number_goes_back_without_a_question(database, opened):
    sandbox = opened("healthy", database)
    sandbox.execute("UPDATE fees_invoice SET discount = 5")
    assert "Unapplying fees.0012_invoice_discount... OK" in succeeds(sandbox, "migrate", "fees", "0011")
    succeeds(sandbox, "migrate")
    assert [float(value) for (value,) in sandbox.execute("SELECT DISTINCT discount FROM fees_invoice")] == [0.0]


@on_all
def test_zero_drops_the_rows(database, opened):
    sandbox = opened("healthy", database)
    assert sandbox.execute("SELECT COUNT(*) FROM fees_payment") != [(0,)]
    succeeds(sandbox, "migrate", "fees", "zero")
    succeeds(sandbox, "migrate")
    assert sandbox.execute("SELECT COUNT(*) FROM fees_payment") == [(0,)]


@on_sqlite_alone
def test_empty_migration_of_the_name_keeps_the_real_one_from_running(database, opened):
    sandbox = opened("healthy", database)
    file = sandbox.project / "fees/migrations/0013_bell.py"
    file.write_text(EMPTY)
    succeeds(sandbox, "migrate")
    file.write_text(BELL)
    assert "No migrations to apply" in succeeds(sandbox, "migrate", "fees")
    assert "fees_bell" not in sandbox.snapshot().rows

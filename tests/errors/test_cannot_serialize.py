"""Each value is found with its field; what people write in its place loses values, checks or the next migration."""

from __future__ import annotations

import pytest
from advice import find_cause, last_line, on_all, on_all_djangos
from sqlite_alone import on_sqlite_alone

SLUG = "cannot-serialize"
LAMBDA = '    channel = models.CharField(max_length=20, default=lambda: "counter")\n'
OBJECT = '    reference = models.CharField(max_length=20, blank=True, validators=[Without(" /")])\n'
INNER = '    scan = models.FileField(blank=True, upload_to=below("receipts"))\n'
HELP = "There are some values Django cannot serialize into migration files."
TEXTS = {
    LAMBDA: "ValueError: Cannot serialize function: lambda",
    OBJECT: "ValueError: Cannot serialize: <fees.receipts.Without object at 0x",
    INNER: "ValueError: Could not find function path in fees.receipts.",
}
ADD = "migrations.AddField('payment', 'channel', models.CharField(max_length=20, default=lambda: 'counter'))"


def only(sandbox, *kept: str) -> None:
    """Leave these of the fields in the model."""
    models = sandbox.project / "fees/models.py"
    text = models.read_text()
    for line in TEXTS:
        assert text.count(line) == 1
        text = text.replace(line, line if line in kept else "")
    models.write_text(text)


def replace(sandbox, file: str, old: str, new: str) -> None:
    path = sandbox.project / file
    assert path.read_text().count(old) == 1
    path.write_text(path.read_text().replace(old, new))


def succeeds(sandbox, *command: str) -> str:
    done = sandbox.manage(*command)
    assert done.status == 0, done.output
    return done.output


@pytest.mark.parametrize("line", TEXTS, ids=["lambda", "object", "inner"])
@on_all_djangos
def test_each_value_stops_makemigrations_with_its_text(django, line, opened):
    sandbox = opened(SLUG, "sqlite")
    only(sandbox, line)
    before = sandbox.files()
    done = sandbox.manage("makemigrations")
    assert done.status == 1 and any(each.startswith(TEXTS[line]) for each in done.output.splitlines()), done.output
    assert (HELP in done.output) == (line == OBJECT)
    assert sandbox.files() == before
    assert find_cause(sandbox, SLUG).output.endswith("\n1 values that no migration can hold\n")


@on_all
def test_same_text_on_each_database_and_the_check_reads_only(database, opened):
    sandbox = opened(SLUG, database)
    before, files = sandbox.snapshot(), sandbox.files()
    assert last_line(sandbox.manage("makemigrations", "fees").output) == TEXTS[LAMBDA]
    printed = find_cause(sandbox, SLUG).output
    assert "fees.Payment channel default: " in printed and "fees.Payment reference validators: " in printed and "fees.Payment scan upload_to: " in printed
    assert before.difference(sandbox.snapshot()) == [] and sandbox.files() == files
    assert find_cause(opened("healthy", database), SLUG).output == "0 values that no migration can hold\n"


@on_all_djangos
def test_object_that_can_be_taken_apart_needs_no_eq(django, opened):
    sandbox = opened(SLUG, "sqlite")
    only(sandbox, OBJECT)
    replace(sandbox, "fees/receipts.py", "class Without:", "from django.utils.deconstruct import deconstructible\n\n\n@deconstructible\nclass Without:")
    assert "Add field reference" in succeeds(sandbox, "makemigrations", "fees")
    assert succeeds(sandbox, "makemigrations", "fees") == "No changes detected in app 'fees'\n"
    replace(sandbox, "fees/models.py", 'Without(" /")', 'Without("-")')
    assert "Alter field reference" in succeeds(sandbox, "makemigrations", "fees")


@on_all
def test_function_that_is_called_gives_every_row_the_same_value(database, opened):
    sandbox = opened(SLUG, database)
    only(sandbox, LAMBDA)
    replace(sandbox, "fees/models.py", 'max_length=20, default=lambda: "counter"', "max_length=40, default=str(uuid.uuid4())")
    replace(sandbox, "fees/models.py", "from fees.receipts", "import uuid\nfrom fees.receipts")
    succeeds(sandbox, "makemigrations", "fees")
    succeeds(sandbox, "migrate")
    (rows, values), = sandbox.execute("SELECT COUNT(*), COUNT(DISTINCT channel) FROM fees_payment")
    assert rows > values == 1


def test_removed_validator_accepts_what_it_refused(opened):
    sandbox = opened(SLUG, "sqlite")
    validate = "from fees.models import Payment; Payment._meta.get_field('reference').clean('a/b', None)"
    only(sandbox, OBJECT)
    assert "None of these may stand in it" in last_line(sandbox.manage("shell", "-v", "0", "-c", validate).output)
    replace(sandbox, "fees/models.py", ', validators=[Without(" /")]', "")
    succeeds(sandbox, "shell", "-v", "0", "-c", validate)


@on_all
def test_null_in_the_place_of_the_default_is_what_rows_hold(database, opened):
    sandbox = opened(SLUG, database)
    only(sandbox, LAMBDA)
    replace(sandbox, "fees/models.py", 'default=lambda: "counter"', "null=True")
    succeeds(sandbox, "makemigrations", "fees")
    succeeds(sandbox, "migrate")
    assert sandbox.execute("SELECT DISTINCT channel FROM fees_payment") == [(None,)]


@on_sqlite_alone
def test_lambda_written_by_hand_stops_every_later_makemigrations(database, opened):
    sandbox = opened(SLUG, database)
    only(sandbox, LAMBDA)
    (sandbox.project / "fees/migrations/0013_channel.py").write_text(
        "from django.db import migrations, models\n\n\nclass Migration(migrations.Migration):\n"
        f'    dependencies = [("fees", "0012_invoice_discount")]\n    operations = [{ADD}]\n'
    )
    succeeds(sandbox, "migrate")
    done = sandbox.manage("makemigrations")
    assert done.status == 1 and last_line(done.output) == TEXTS[LAMBDA]

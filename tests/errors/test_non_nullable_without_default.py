"""What the prompt prints, and what each answer to it leaves in the old rows."""

from __future__ import annotations

import pytest
from advice import find_cause, last_line, migration_files, on, on_all, on_all_djangos, write_migration

SLUG = "non-nullable-without-default"
PAYMENTS = "SELECT COUNT(*) FROM fees_payment"
ASKED = (
    "It is impossible to add a non-nullable field 'channel' to payment without specifying a default."
    " This is because the database needs something to populate existing rows."
)
UNATTENDED = "Field 'channel' on model 'payment' not migrated: it is impossible to add a non-nullable field without specifying a default."
NO_ROW = {
    "sqlite": "fees_payment.head_id contains a value '99' that does not have a corresponding value in fees_feehead.id.",
    "postgresql": 'DETAIL:  Key (head_id)=(99) is not present in table "fees_feehead".',
    "mariadb": "(1452, ",
}
EMPTY_KEY = {
    "sqlite": "NOT NULL constraint failed: new__fees_payment.head_id",
    "postgresql": 'column "head_id" of relation "fees_payment" contains null values',
}
SAME = {
    "sqlite": "UNIQUE constraint failed: new__fees_payment.stamp",
    "postgresql": 'could not create unique index "fees_payment_stamp_key"',
    "mariadb": "(1062, ",
}


def add_field(sandbox, field: str) -> None:
    """Put a field into the payment's model, in place of the one that the world has added."""
    models = sandbox.project / "fees/models.py"
    models.write_text(models.read_text().replace("channel = models.CharField(max_length=20)", field))


def answer(sandbox, *lines: str):
    return sandbox.manage("makemigrations", "fees", "--name", "answered", input="\n".join([*lines, ""]))


def migrated(sandbox, *lines: str):
    assert answer(sandbox, *lines).status == 0
    return sandbox.manage("migrate", "fees")


def count(sandbox, query: str) -> int:
    return sandbox.execute(query)[0][0]


@on_all_djangos
@on_all
def test_prompt_that_nobody_answers(database, opened):
    sandbox = opened(SLUG, database)
    before, files = sandbox.snapshot(), migration_files(sandbox)
    done = answer(sandbox)
    assert done.output.splitlines()[0] == ASKED
    assert last_line(done.output) == "EOFError: EOF when reading a line"
    unattended = sandbox.manage("makemigrations", "--noinput")
    assert (unattended.status, last_line(unattended.output)) == (3, UNATTENDED)
    found = find_cause(sandbox, SLUG)
    assert (found.status, found.output) == (3, f"{count(sandbox, PAYMENTS)} payments\n{UNATTENDED}\n")
    assert migration_files(sandbox) == files
    assert before.difference(sandbox.snapshot()) == []


@on_all_djangos
@pytest.mark.parametrize(
    "field, text",
    [
        (
            "made_at = models.DateTimeField(auto_now_add=True)",
            "It is impossible to add the field 'made_at' with 'auto_now_add=True' to payment without providing a default.",
        ),
        (
            "code = models.CharField(max_length=32, default=object, unique=True)",
            "Callable default on unique field payment.code will not generate unique values upon migrating.",
        ),
    ],
)
def test_prompts_for_other_fields(field, text, opened):
    sandbox = opened(SLUG, "sqlite")
    add_field(sandbox, field)
    assert text in answer(sandbox).output


@on_all_djangos
def test_nullable_field_that_becomes_required_is_written_without_a_default(opened):
    sandbox = opened("healthy", "sqlite")
    models = sandbox.project / "fees/models.py"
    models.write_text(models.read_text().replace("note = models.TextField(null=True, blank=True)", "note = models.TextField()"))
    asked = answer(sandbox)
    assert "It is impossible to change a nullable field 'note' on invoice to non-nullable without providing a default." in asked.output
    done = sandbox.manage("makemigrations", "--noinput")
    assert done.status == 0
    assert "Field 'note' on model 'invoice' given a default of NOT PROVIDED and must be corrected.\n" in done.output


@on_all
def test_1_for_a_foreign_key_is_in_every_row(database, opened):
    sandbox = opened(SLUG, database)
    add_field(sandbox, "head = models.ForeignKey(FeeHead, on_delete=models.PROTECT)")
    assert migrated(sandbox, "1", "1").status == 0
    assert count(sandbox, f"{PAYMENTS} WHERE head_id = 1") == count(sandbox, PAYMENTS) > 1


@on_all
def test_key_of_no_row_stops_the_migration(database, opened):
    sandbox = opened(SLUG, database)
    add_field(sandbox, "head = models.ForeignKey(FeeHead, on_delete=models.PROTECT)")
    done = migrated(sandbox, "1", "99")
    assert done.status == 1 and NO_ROW[database] in done.output


@on("sqlite", "postgresql")
def test_empty_text_for_a_foreign_key_becomes_null_and_stops_the_migration(database, opened):
    sandbox = opened(SLUG, database)
    add_field(sandbox, "head = models.ForeignKey(FeeHead, on_delete=models.PROTECT)")
    done = migrated(sandbox, "1", "''")
    assert done.status == 1 and EMPTY_KEY[database] in last_line(done.output)


@on_all_djangos
@on_all
def test_text_for_a_foreign_key_stops_the_migration(database, opened):
    sandbox = opened(SLUG, database)
    add_field(sandbox, "head = models.ForeignKey(FeeHead, on_delete=models.PROTECT)")
    assert last_line(migrated(sandbox, "1", "'x'").output) == "ValueError: Field 'id' expected a number but got 'x'."


@on_all
def test_empty_text_is_in_every_row(database, opened):
    sandbox = opened(SLUG, database)
    assert migrated(sandbox, "1", "''").status == 0
    assert count(sandbox, f"{PAYMENTS} WHERE channel = ''") == count(sandbox, PAYMENTS)


@on_all
def test_now_for_auto_now_add_is_in_every_row(database, opened):
    sandbox = opened(SLUG, database)
    add_field(sandbox, "made_at = models.DateTimeField(auto_now_add=True)")
    assert migrated(sandbox, "1", "").status == 0
    assert count(sandbox, "SELECT COUNT(DISTINCT made_at) FROM fees_payment") == 1
    assert count(sandbox, "SELECT COUNT(DISTINCT paid_at) FROM fees_payment") > 1


@on_all
def test_now_for_a_unique_column_is_the_same_in_every_row(database, opened):
    sandbox = opened("healthy", database)
    write_migration(
        sandbox, "fees", "0013_stamp",
        "migrations.AddField('payment', 'stamp', models.DateTimeField(default=timezone.now, unique=True))",
    )
    file = sandbox.project / "fees/migrations/0013_stamp.py"
    imports = "from django.db import migrations, models\nfrom django.utils import timezone"
    file.write_text(file.read_text().replace("from django.db import migrations", imports, 1))
    done = sandbox.manage("migrate", "fees")
    assert done.status == 1 and SAME[database] in done.output


@on_all
def test_null_is_found_by_no_comparison(database, opened):
    sandbox = opened(SLUG, database)
    add_field(sandbox, "channel = models.CharField(max_length=20, null=True)")
    assert migrated(sandbox).status == 0
    assert count(sandbox, f"{PAYMENTS} WHERE channel <> 'bank'") == 0
    assert count(sandbox, PAYMENTS) > 0


@on_all
def test_answer_that_is_too_long_is_kept_on_sqlite_alone(database, opened):
    sandbox = opened(SLUG, database)
    add_field(sandbox, "channel = models.CharField(max_length=5)")
    done = migrated(sandbox, "1", "'unknown'")
    if database == "sqlite":
        assert done.status == 0 and count(sandbox, f"{PAYMENTS} WHERE channel = 'unknown'") == count(sandbox, PAYMENTS)
    else:
        stopped = {"postgresql": "value too long for type character varying(5)", "mariadb": "(1067, \"Invalid default value for 'channel'\")"}
        assert done.status == 1 and stopped[database] in last_line(done.output)

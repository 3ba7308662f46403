"""Each cause prints the page's text on a new database and is told apart; other advice records a migration that never ran."""

from __future__ import annotations

from advice import find_cause, last_line, on_all, on_all_djangos, page_of, write_migration
from migration_runbooks.pages.blocks import read_page
from sqlite_alone import on_sqlite_alone

SLUG = "historical-model-lookup"
TOO_EARLY = f"{SLUG}:too-early"
REAL_MODEL = f"{SLUG}:real-model"
CAUGHT = f"{SLUG}:caught"
DATA_MIGRATION = "admissions/migrations/0011_admission_fee.py"
GROUPS = "users/migrations/0006_more_groups.py"
FOUND = {
    SLUG: "admissions.0011_admission_fee asks for fees.feehead, which fees.0001_initial makes",
    TOO_EARLY: "admissions.0011_admission_fee asks for fees.scholarship, which fees.0009_scholarship makes",
    REAL_MODEL: "admissions.0011_admission_fee imports models of today from fees.models",
    CAUGHT: "users.0006_more_groups catches a database error in line 10",
}
NO_APP = "LookupError: No installed app with label 'fees'."
NO_MODEL = "LookupError: App 'fees' doesn't have a 'Scholarship' model."
BROKEN = (
    "django.db.transaction.TransactionManagementError: An error occurred in the current transaction."
    " You can't execute queries until the end of the 'atomic' block."
)
NO_COLUMN = {
    "sqlite": "django.db.utils.OperationalError: no such column: fees_invoice.discount",
    "postgresql": "django.db.utils.ProgrammingError: column fees_invoice.discount does not exist",
    "mariadb": "django.db.utils.OperationalError: (1054, \"Unknown column 'fees_invoice.discount' in 'SELECT'\")",
}


def illustrated(word: str) -> str:
    """The piece of code that the page shows and that holds this word."""
    return next(block.text for block in read_page(page_of(SLUG)).blocks if block.fence.kind == "illustration" and word in block.text)


def replace(sandbox, path: str, old: str, new: str) -> None:
    file = sandbox.project / path
    assert old in file.read_text()
    file.write_text(file.read_text().replace(old, new))


def depend_on(sandbox, migration: str) -> None:
    parent = '        ("admissions", "0010_one_document_per_title"),\n'
    replace(sandbox, DATA_MIGRATION, parent, f'{parent}        ("fees", "{migration}"),\n')


def migrated(sandbox) -> None:
    done = sandbox.manage("migrate")
    assert done.status == 0, done.output


def fee_heads(sandbox) -> list[tuple]:
    return sandbox.snapshot().rows_of("fees_feehead", ["name"])


@on_all
@on_all_djangos
def test_every_cause_prints_a_text_of_the_page(database, opened):
    texts = {SLUG: NO_APP, TOO_EARLY: NO_MODEL, CAUGHT: BROKEN}
    for world, text in texts.items():
        assert last_line(opened(world, database).manage("migrate").output) == text
    assert NO_COLUMN[database] in opened(REAL_MODEL, database).manage("migrate").output.splitlines()


def test_check_of_the_page_tells_the_causes_apart(opened):
    for world, line in FOUND.items():
        assert find_cause(opened(world, "sqlite"), SLUG).output == f"{line}\n1 findings\n"
    assert find_cause(opened("healthy", "sqlite"), SLUG).output == "0 findings\n"


def test_check_knows_what_the_migration_makes_itself_and_reads_named_arguments(opened):
    sandbox = opened("healthy", "sqlite")
    makes_it = 'migrations.CreateModel("Note", fields=[("id", models.BigAutoField(primary_key=True))])'
    write_migration(sandbox, "fees", "0013_note", f"{makes_it},\n        migrations.RunPython(ask)")
    asks = 'def ask(apps, schema_editor):\n    apps.get_model("fees", "Note")\n    apps.get_model(app_label="fees", model_name="Gone")\n'
    replace(sandbox, "fees/migrations/0013_note.py", "from django.db import migrations\n", f"from django.db import migrations, models\n\n\n{asks}")
    assert find_cause(sandbox, SLUG).output == "fees.0013_note asks for fees.gone, which no migration makes\n1 findings\n"


@on_all
def test_the_same_file_runs_where_everything_else_is_applied_and_may_be_repaired_there(database, opened):
    sandbox = opened("healthy", database)
    (sandbox.project / DATA_MIGRATION).write_text((opened(SLUG, "sqlite").project / DATA_MIGRATION).read_text())
    migrated(sandbox)
    assert ("Admission",) in fee_heads(sandbox)
    after = sandbox.snapshot()
    depend_on(sandbox, "0001_initial")
    migrated(sandbox)
    assert after.difference(sandbox.snapshot()) == []


@on_all
def test_repairs_of_the_page(database, opened):
    too_early = opened(TOO_EARLY, database)
    replace(too_early, DATA_MIGRATION, '("fees", "0001_initial")', '("fees", "0009_scholarship")')
    migrated(too_early)
    assert too_early.snapshot().rows_of("fees_scholarship", ["name"]) == [("Admission",)]

    caught = opened(CAUGHT, database)
    replace(caught, GROUPS, "import IntegrityError, migrations", "import IntegrityError, migrations, transaction")
    replace(caught, GROUPS, "            groups.create(name=name)\n", illustrated("atomic").rstrip() + "\n")
    migrated(caught)
    assert find_cause(caught, SLUG).output == "0 findings\n"
    assert {name for (name,) in caught.snapshot().rows_of("auth_group", ["name"])} == {"Teachers", "Office", "Librarians"}


@on_sqlite_alone
def test_model_of_its_time_in_the_place_of_the_import(database, opened):
    imported = opened(REAL_MODEL, database)
    replace(imported, DATA_MIGRATION, "from fees.models import Invoice\n", "")
    replace(imported, DATA_MIGRATION, "    for invoice in", f"{illustrated('get_model').rstrip()}\n    for invoice in")
    migrated(imported)


@on_sqlite_alone
def test_catching_or_faking_it_records_what_never_ran(database, opened):
    caught = opened(SLUG, database)
    ask = '    heads = apps.get_model("fees", "FeeHead").objects.using(schema_editor.connection.alias)\n'
    careless = f"    try:\n    {ask}    except LookupError:\n        return\n"
    replace(caught, DATA_MIGRATION, ask, careless)
    migrated(caught)
    faked = opened(SLUG, database)
    assert faked.manage("migrate", "admissions", "0010").status == 0
    assert faked.manage("migrate", "--fake", "admissions", "0011").status == 0
    migrated(faked)
    for sandbox in (caught, faked):
        assert "[X] 0011_admission_fee" in sandbox.manage("showmigrations", "admissions").output
        assert fee_heads(sandbox) == []


@on_sqlite_alone
def test_migrating_by_hand_helps_this_database_alone(database, opened):
    sandbox = opened(SLUG, database)
    assert sandbox.manage("migrate", "fees").status == 0
    migrated(sandbox)
    assert fee_heads(sandbox) == [("Admission",)]
    assert last_line(opened(SLUG, database).manage("migrate").output) == NO_APP


def test_imported_model_runs_on_the_database_that_has_its_columns(opened):
    sandbox = opened("healthy", "sqlite")
    (sandbox.project / DATA_MIGRATION).write_text((opened(REAL_MODEL, "sqlite").project / DATA_MIGRATION).read_text())
    migrated(sandbox)

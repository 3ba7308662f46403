"""Each cause prints the page's text and is told apart; repairs at the table instead of the files lose the column."""

from __future__ import annotations

from advice import find_cause, last_line, on, on_all, on_all_djangos, page_of, write_migration
from migration_runbooks.pages.blocks import read_page

SLUG = "model-state-mismatch"
ORDER = f"{SLUG}:order"
RAW_SQL = f"{SLUG}:raw-sql"
NO_FIELD = "django.core.exceptions.FieldDoesNotExist: "
DISCOUNT_EXISTS = {
    "postgresql": 'django.db.utils.ProgrammingError: column "discount" of relation "fees_invoice" already exists',
    "mariadb": "django.db.utils.OperationalError: (1060, \"Duplicate column name 'discount'\")",
}
TEXTS = {
    'migrations.RenameField("invoice", "zzz", "x")': f"{NO_FIELD}fees.invoice has no field named 'zzz'",
    'migrations.RemoveField("invoice", "zzz")': "KeyError: 'zzz'",
    'migrations.AddIndex("invoice", models.Index(fields=["zzz"], name="x"))': f"{NO_FIELD}Invoice has no field named 'zzz'",
    'migrations.RemoveIndex("invoice", "zzz")': "ValueError: No index named zzz on model Invoice",
    'migrations.RemoveConstraint("invoice", "zzz")': "ValueError: No constraint named zzz on model Invoice",
    'migrations.DeleteModel("zzz")': "KeyError: ('fees', 'zzz')",
}
WRONG = "0013_wrong"


def illustrated(word: str) -> str:
    """The piece of code that the page shows and that holds this word."""
    return next(block.text for block in read_page(page_of(SLUG)).blocks if block.fence.kind == "illustration" and word in block.text)


def replace(sandbox, name: str, old: str, new: str) -> None:
    file = sandbox.project / f"fees/migrations/{name}.py"
    assert old in file.read_text()
    file.write_text(file.read_text().replace(old, new))


def repaired(sandbox) -> None:
    for command in ("migrate", "makemigrations --check"):
        done = sandbox.manage(*command.split())
        assert done.status == 0, done.output


def discounts(sandbox, column: str = "discount") -> list[tuple]:
    return sandbox.snapshot().rows_of("fees_invoice", ["id", column])


@on_all
@on_all_djangos
def test_every_cause_prints_a_text_of_the_page_and_is_told_apart(database, opened):
    edited = opened(SLUG, database)
    before = edited.snapshot()
    assert last_line(edited.manage("migrate", "fees").output) == f"{NO_FIELD}Invoice has no field named 'discount'"
    found = find_cause(edited, SLUG).output
    assert "In the database: yes\n" in found and "Named in" not in found
    assert before.difference(edited.snapshot()) == []

    order = opened(ORDER, database)
    before = order.snapshot()
    assert last_line(order.manage("migrate", "fees").output) == "KeyError: ('fees', 'refund')"
    found = find_cause(order, SLUG).output
    assert found.startswith("fees.0013_reason_of_refund: Add field reason to refund\nModel fees.refund was made by no migration before it\n")
    assert "In the database: no\nNamed in 0013_add_refund, not applied\n" in found
    assert before.difference(order.snapshot()) == []

    raw = opened(RAW_SQL, database)
    before = raw.snapshot()
    assert last_line(raw.manage("migrate", "fees").output) == f"{NO_FIELD}Invoice has no field named 'paid_on'"
    assert find_cause(raw, SLUG).output.endswith("In the database: yes\nNamed in 0013_paid_on, applied\n")
    assert before.difference(raw.snapshot()) == []


def test_check_of_the_page_sees_a_healthy_project(opened):
    done = find_cause(opened("healthy", "sqlite"), SLUG)
    assert (done.status, done.output) == (0, "Every operation finds what it names\n")


def test_check_of_the_page_leaves_out_operations_that_name_no_model(opened):
    sandbox = opened("healthy", "sqlite")
    write_migration(sandbox, "fees", WRONG, "CreateExtension('pg_trgm')")
    file = sandbox.project / f"fees/migrations/{WRONG}.py"
    file.write_text(f"from django.contrib.postgres.operations import CreateExtension\n{file.read_text()}")
    assert find_cause(sandbox, SLUG).output == "Every operation finds what it names\n"


@on_all
@on_all_djangos
def test_each_operation_has_its_own_text(database, opened):
    sandbox = opened("healthy", database)
    for operation, text in TEXTS.items():
        write_migration(sandbox, "fees", WRONG, operation)
        file = sandbox.project / f"fees/migrations/{WRONG}.py"
        file.write_text(file.read_text().replace("import migrations", "import migrations, models", 1))
        assert last_line(sandbox.manage("migrate", "fees").output) == text
        if "named zzz" not in text:
            assert "zzz" in find_cause(sandbox, SLUG).output.splitlines()[1]
        file.unlink()


def test_constraint_on_sqlite_names_the_table_that_is_being_rebuilt(opened):
    sandbox = opened("healthy", "sqlite")
    write_migration(sandbox, "fees", WRONG, 'migrations.AddConstraint("invoice", models.UniqueConstraint(fields=["zzz"], name="x"))')
    replace(sandbox, WRONG, "import migrations", "import migrations, models")
    assert last_line(sandbox.manage("migrate").output) == f"{NO_FIELD}NewInvoice has no field named 'zzz'"


@on_all
def test_repairs_of_the_page_keep_every_value(database, opened):
    raw = opened(RAW_SQL, database)
    days = raw.snapshot().rows_of("fees_invoice", ["id", "paid_on"])
    assert any(day for _id, day in days)
    replace(raw, "0014_find_paid_on", "operations = [\n", f"operations = [\n{illustrated('SeparateDatabaseAndState')}\n")
    repaired(raw)
    assert raw.snapshot().rows_of("fees_invoice", ["id", "paid_on"]) == days

    order = opened(ORDER, database)
    replace(order, "0013_reason_of_refund", '    dependencies = [("fees", "0012_invoice_discount")]', illustrated("0013_add_refund").rstrip())
    repaired(order)

    edited = opened(SLUG, database)
    values = discounts(edited)
    assert len({value for _id, value in values}) > 1
    replace(edited, "0012_invoice_discount", '"rebate"', '"discount"')
    rename = next(block for block in read_page(page_of(SLUG)).blocks if (block.fence.title or "").endswith("rebate.py"))
    (edited.project / rename.fence.title).write_text(rename.text)
    repaired(edited)
    assert [(key, float(value)) for key, value in discounts(edited, "rebate")] == [(key, float(value)) for key, value in values]


@on_all
def test_adding_the_field_again_resets_it_or_stops(database, opened):
    sandbox = opened(SLUG, database)
    again = 'operations = [\n        migrations.AddField("invoice", "discount", models.DecimalField(decimal_places=2, default=0, max_digits=12)),\n'
    replace(sandbox, "0013_larger_discounts", "operations = [\n", again)
    done = sandbox.manage("migrate", "fees")
    if database == "sqlite":
        assert done.status == 0 and {float(value) for _id, value in discounts(sandbox)} == {0.0}, done.output
    else:
        assert DISCOUNT_EXISTS[database] in done.output.splitlines()


def only_text(sandbox) -> bool:
    """Whether SQLite took the name of the column that is not there for a text, and wrote it into every row."""
    return {value for _id, value in discounts(sandbox, "rebate")} == {"rebate"}


@on_all
def test_deleting_the_file_writes_a_text_into_every_row_or_stops(database, opened):
    sandbox = opened(SLUG, database)
    values = discounts(sandbox)
    (sandbox.project / "fees/migrations/0013_larger_discounts.py").unlink()
    assert sandbox.manage("makemigrations", "fees").status == 0
    done = sandbox.manage("migrate")
    if database == "sqlite":
        assert done.status == 0 and only_text(sandbox), done.output
    else:
        assert done.status == 1 and discounts(sandbox) == values and "rebate" in done.output


@on_all
def test_faking_it_lets_the_next_migration_drop_the_column(database, opened):
    sandbox = opened(SLUG, database)
    values = discounts(sandbox)
    assert sandbox.manage("migrate", "--fake", "fees", "0013").status == 0
    made = sandbox.manage("makemigrations", "fees", input="n\n" * 9)
    assert made.status == 0 and "Remove field discount from invoice" in made.output, made.output
    done = sandbox.manage("migrate")
    if database == "sqlite":
        assert done.status == 0 and only_text(sandbox), done.output
    elif database == "mariadb":
        assert done.status == 1 and not {"discount", "rebate"} & set(sandbox.snapshot().columns["fees_invoice"])
    else:
        assert done.status == 1 and discounts(sandbox) == values


@on("mariadb")
def test_mariadb_keeps_what_came_before_in_the_same_migration(database, opened):
    sandbox = opened(SLUG, database)
    half = 'operations = [\n        migrations.AddField("invoice", "half", models.IntegerField(default=0)),\n'
    replace(sandbox, "0013_larger_discounts", "operations = [\n", half)
    assert NO_FIELD in last_line(sandbox.manage("migrate").output)
    assert "half" in sandbox.snapshot().columns["fees_invoice"]
    assert "(1060, \"Duplicate column name 'half'\")" in last_line(sandbox.manage("migrate").output)


@on("sqlite", "postgresql")
def test_other_databases_roll_it_back(database, opened):
    sandbox = opened(SLUG, database)
    before = sandbox.snapshot()
    half = 'operations = [\n        migrations.AddField("invoice", "half", models.IntegerField(default=0)),\n'
    replace(sandbox, "0013_larger_discounts", "operations = [\n", half)
    assert NO_FIELD in last_line(sandbox.manage("migrate").output)
    assert before.difference(sandbox.snapshot()) == []

"""Every cause gives exactly the message; the page's check finds it before `migrate`; what people are told loses rows."""

from __future__ import annotations

from contextlib import closing

from advice import find_cause, last_line, on, on_all, on_all_djangos, page_of, write_migration
from migration_runbooks.pages.blocks import read_page
from sqlite_alone import on_sqlite_alone

SLUG = "duplicate-values-found"
WORLD = "deduplicate-rows"
LOOSE_LINKS = "SELECT COUNT(*) FROM fees_invoice_heads WHERE feehead_id NOT IN (SELECT id FROM fees_feehead)"
NAMES = "SELECT COUNT(*) FROM fees_feehead WHERE name = 'Tuition'"
REPEATED = {
    "sqlite": "django.db.utils.IntegrityError: UNIQUE constraint failed: new__fees_feehead.name",
    "postgresql": "DETAIL:  Key (name)=(Tuition) is duplicated.",
    "mariadb": "django.db.utils.IntegrityError: (1062, \"Duplicate entry 'Tuition' for key 'fees_feehead_name_\")",
}
EXPRESSION = {
    "sqlite": "django.db.utils.IntegrityError: UNIQUE constraint failed: index 'lower_name'",
    "postgresql": "DETAIL:  Key (lower(name::text))=(tuition) is duplicated.",
}
CHECK = {
    "sqlite": "django.db.utils.IntegrityError: CHECK constraint failed: large",
    "postgresql": 'django.db.utils.IntegrityError: check constraint "large" of relation "fees_payment" is violated by some row',
    "mariadb": "django.db.utils.IntegrityError: (4025, 'CONSTRAINT `large` failed for `{0}`.`fees_payment`')",
}
UUID = {
    "sqlite": "django.db.utils.IntegrityError: UNIQUE constraint failed: new__fees_invoice.code",
    "postgresql": 'django.db.utils.IntegrityError: could not create unique index "fees_invoice_code_key"',
    "mariadb": "for key 'code'\")",
}
WRITTEN = {
    "sqlite": "django.db.utils.IntegrityError: UNIQUE constraint failed: fees_invoice.number",
    "postgresql": 'django.db.utils.IntegrityError: duplicate key value violates unique constraint "fees_invoice_number_',
    "mariadb": "django.db.utils.IntegrityError: (1062, \"Duplicate entry '1' for key 'fees_invoice_number_",
}
LARGE = "models.CheckConstraint(condition=models.Q(amount__gt=7000), name='large')"


def add_migration(sandbox, name: str, operations: str) -> None:
    write_migration(sandbox, "fees", name, operations)
    file = sandbox.project / f"fees/migrations/{name}.py"
    imports = "import uuid\n\nfrom django.contrib.postgres.operations import AddConstraintNotValid\nfrom django.db import migrations, models"
    if sandbox.database != "postgresql":
        imports = "import uuid\n\nfrom django.db import migrations, models"
    file.write_text(file.read_text().replace("from django.db import migrations", imports, 1))


def count(sandbox, query: str) -> int:
    return sandbox.execute(query)[0][0]


def refused(sandbox, *statements: str) -> str:
    """What the database answers to the last of the statements, which it must refuse."""
    with closing(sandbox.connect()) as connection, closing(connection.cursor()) as cursor:
        for statement in statements[:-1]:
            cursor.execute(statement)
        try:
            cursor.execute(statements[-1])
        except Exception as error:
            return str(error)
    raise AssertionError("nothing refused it")


@on_all_djangos
@on_all
def test_rows_mean_the_same(database, opened):
    sandbox = opened(WORLD, database)
    before = sandbox.snapshot()
    assert last_line(sandbox.manage("migrate").output).startswith(REPEATED[database].partition("fees_feehead_name_")[0])
    found = find_cause(sandbox, SLUG)
    assert found.status == 1
    assert found.output == "fees.0013_unique_fee_head: fees_feehead: 2 rows hold name='Tuition'\n1 problems\n"
    assert before.difference(sandbox.snapshot()) == []
    healthy = find_cause(opened("healthy", database), SLUG)
    assert (healthy.status, healthy.output) == (0, "0 problems\n")


@on_all
def test_rule_about_an_expression(database, opened):
    sandbox = opened("healthy", database)
    sandbox.execute("UPDATE fees_feehead SET name = 'tuition' WHERE id = (SELECT MAX(id) FROM fees_feehead)")
    add_migration(sandbox, "0013_name", "migrations.AddConstraint('feehead', models.UniqueConstraint(Lower('name').desc(), name='lower_name'))")
    file = sandbox.project / "fees/migrations/0013_name.py"
    file.write_text(f"from django.db.models.functions import Lower\n{file.read_text()}".replace("from __future__ import annotations\n", ""))
    if database == "mariadb":
        assert find_cause(sandbox, SLUG).output == "0 problems\n"
        assert sandbox.manage("migrate").status == 0, "MariaDB makes no such rule"
        return
    assert last_line(sandbox.manage("migrate").output).startswith(EXPRESSION[database])
    assert find_cause(sandbox, SLUG).output == "fees.0013_name: fees_feehead: 2 rows hold expression_1='tuition'\n1 problems\n"


@on_all
def test_rows_mean_different_things(database, opened):
    sandbox = opened(WORLD, database)
    sandbox.execute("UPDATE fees_feehead SET name = 'Tuition, senior school' WHERE id = 4")
    assert find_cause(sandbox, SLUG).status == 0
    assert sandbox.manage("migrate").status == 0


@on_all_djangos
@on_all
def test_rows_break_a_check(database, opened):
    sandbox = opened("healthy", database)
    add_migration(sandbox, "0013_large", f"migrations.AddConstraint('payment', {LARGE})")
    assert CHECK[database].partition("{0}")[0] in sandbox.manage("migrate").output
    small = count(sandbox, "SELECT COUNT(*) FROM fees_payment WHERE NOT amount > 7000")
    assert f"fees_payment: {small} rows break the check large: " in find_cause(sandbox, SLUG).output
    (sandbox.project / "fees/migrations/0013_large.py").unlink()
    add_migration(sandbox, "0013_correct", "migrations.RunSQL('UPDATE fees_payment SET amount = 7000.5 WHERE NOT amount > 7000')")
    add_migration(sandbox, "0014_large", f"migrations.AddConstraint('payment', {LARGE})")
    assert sandbox.manage("migrate").status == 0


@on_all_djangos
@on_all
def test_one_default_for_all_rows(database, opened):
    sandbox = opened("healthy", database)
    add_migration(sandbox, "0013_code", "migrations.AddField('invoice', 'code', models.UUIDField(default=uuid.uuid4, unique=True))")
    rows = count(sandbox, "SELECT COUNT(*) FROM fees_invoice")
    assert f"fees_invoice: code is added, and all {rows} rows get the same value\n" in find_cause(sandbox, SLUG).output
    assert UUID[database] in sandbox.manage("migrate").output


@on_all
def test_three_migrations_of_the_page_give_each_row_its_own(database, opened):
    sandbox = opened("healthy", database)
    for block in read_page(page_of(SLUG)).blocks:
        if block.fence.kind == "file" and block.fence.title.startswith("students/"):
            (sandbox.project / block.fence.title).write_text(block.text)
    assert sandbox.manage("migrate", "students").status == 0
    assert count(sandbox, "SELECT COUNT(DISTINCT card) - COUNT(*) FROM students_student") == 0


@on_all_djangos
@on_all
def test_migration_writes_them(database, opened):
    sandbox = opened("healthy", database)
    add_migration(sandbox, "0013_wrong", "migrations.RunSQL('UPDATE fees_invoice SET number = 1')")
    assert WRITTEN[database] in sandbox.manage("migrate").output
    assert find_cause(sandbox, SLUG).output == "0 problems\n"


def test_deleted_duplicates_leave_links_that_point_to_nothing_on_sqlite(opened):
    sandbox = opened(WORLD, "sqlite")
    sandbox.execute("DELETE FROM fees_feehead WHERE id NOT IN (SELECT MIN(id) FROM fees_feehead GROUP BY name)")
    assert count(sandbox, LOOSE_LINKS) == 2


@on("postgresql", "mariadb")
def test_servers_refuse_to_delete_them(database, opened):
    sandbox = opened(WORLD, database)
    assert "foreign key constraint" in refused(sandbox, "DELETE FROM fees_feehead WHERE id = 4")
    assert count(sandbox, NAMES) == 2


@on("mariadb")
def test_alter_ignore_deletes_rows_without_a_word(database, opened):
    sandbox = opened("healthy", database)
    payments, amounts = (count(sandbox, f"SELECT COUNT({what}) FROM fees_payment") for what in ("*", "DISTINCT amount"))
    assert amounts < payments
    sandbox.execute("ALTER IGNORE TABLE fees_payment ADD UNIQUE (amount)")
    assert count(sandbox, "SELECT COUNT(*) FROM fees_payment") == amounts


@on_sqlite_alone
def test_fake_makes_nothing_unique(database, opened):
    sandbox = opened(WORLD, database)
    assert sandbox.manage("migrate", "fees", "0013", "--fake").status == 0
    assert sandbox.manage("migrate", "--check").status == 0
    sandbox.execute("INSERT INTO fees_feehead (name, amount) VALUES ('Tuition', 1)")
    assert count(sandbox, NAMES) == 3


@on("postgresql")
def test_concurrent_index_fails_too_and_stays_behind_invalid(database, opened):
    sandbox = opened(WORLD, database)
    index = "CREATE UNIQUE INDEX CONCURRENTLY one_name ON fees_feehead (name)"
    assert "could not create unique index" in refused(sandbox, index)
    assert sandbox.execute("SELECT indisvalid FROM pg_index WHERE indexrelid = 'one_name'::regclass") == [(False,)]
    assert 'relation "one_name" already exists' in refused(sandbox, index)


@on("postgresql")
def test_check_for_new_rows_alone_stops_the_next_change_of_an_old_row(database, opened):
    sandbox = opened("healthy", database)
    add_migration(sandbox, "0013_large", f"AddConstraintNotValid('payment', {LARGE})")
    assert sandbox.manage("migrate").status == 0
    change = "UPDATE fees_payment SET receipt_number = 'x' WHERE NOT amount > 7000"
    assert 'violates check constraint "large"' in refused(sandbox, change)

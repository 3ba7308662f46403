"""Every cause and its text; where no text is shown, what is left of the values."""

from __future__ import annotations

from contextlib import closing

from advice import find_cause, last_line, on, on_all, on_all_djangos, write_migration

SLUG = "value-too-long"
WORLD = "fit-long-values"
LONGEST = "SELECT MAX({}(previous_school)) FROM admissions_application"
NOTES = "SELECT MAX(CHAR_LENGTH(note)) FROM fees_invoice"
TOO_LONG = {
    "postgresql": "django.db.utils.DataError: value too long for type character varying(50)",
    "mariadb": "django.db.utils.DataError: (1406, \"Data too long for column 'previous_school' at row 3\")",
}
DEFAULT = {
    "postgresql": "django.db.utils.DataError: value too long for type character varying(5)",
    "mariadb": "django.db.utils.OperationalError: (1067, \"Invalid default value for 'code'\")",
}
WRITTEN = {
    "postgresql": "django.db.utils.DataError: value too long for type character varying(12)",
    "mariadb": "django.db.utils.DataError: (1406, \"Data too long for column 'number' at row 1\")",
}
NUMBER = {
    "postgresql": "django.db.utils.DataError: numeric field overflow",
    "mariadb": "django.db.utils.DataError: (1264, \"Out of range value for column 'amount' at row 1\")",
}


def add_migration(sandbox, operations: str) -> None:
    write_migration(sandbox, "fees", "0013_change", operations)
    file = sandbox.project / "fees/migrations/0013_change.py"
    file.write_text(file.read_text().replace("import migrations", "import migrations, models", 1))


def longest(sandbox) -> int:
    size = "LENGTH" if sandbox.database == "sqlite" else "CHAR_LENGTH"
    return sandbox.execute(LONGEST.format(size))[0][0]


@on_all
def test_check_of_the_page_finds_them_and_changes_nothing(database, opened):
    sandbox = opened(WORLD, database)
    before = sandbox.snapshot()
    found = find_cause(sandbox, SLUG)
    told = "admissions.0011_shorten_previous_school: admissions_application.previous_school holds 50 characters, and 10 values need up to 110"
    assert (found.status, found.output) == (1, f"{told}\nColumns that are too short: 1\n")
    assert before.difference(sandbox.snapshot()) == []
    healthy = find_cause(opened("healthy", database), SLUG)
    assert (healthy.status, healthy.output) == (0, "Columns that are too short: 0\n")


def test_check_of_the_page_says_what_is_not_there_yet(opened):
    sandbox = opened("healthy", "sqlite")
    add_migration(sandbox, 'migrations.AddField("invoice", "code", models.TextField()), migrations.AlterField("invoice", "code", models.CharField(max_length=5))')
    found = find_cause(sandbox, SLUG)
    told = "fees.0013_change: fees_invoice.code is not there yet. Run this again when the migrations before it are applied."
    assert (found.status, found.output) == (0, f"{told}\nColumns that are too short: 0\n")


@on_all_djangos
@on("postgresql", "mariadb")
def test_values_from_before_the_limit(database, opened):
    sandbox = opened(WORLD, database)
    assert last_line(sandbox.manage("migrate").output) == TOO_LONG[database]
    assert longest(sandbox) == 110


def test_sqlite_keeps_what_the_field_no_longer_allows(opened):
    sandbox = opened(WORLD, "sqlite")
    assert sandbox.manage("migrate").status == 0
    assert longest(sandbox) == 110
    checked = sandbox.manage(
        "shell", "-v", "0", "-c", "from admissions.models import Application as A; A.objects.get(pk=3).full_clean()"
    )
    assert "Ensure this value has at most 50 characters (it has 110)." in checked.output


@on_all_djangos
@on("postgresql")
def test_text_field_that_becomes_a_char_field_is_cut_without_a_word(database, opened):
    sandbox = opened("healthy", database)
    assert sandbox.execute(NOTES)[0][0] > 50
    add_migration(sandbox, "migrations.AlterField('invoice', 'note', models.CharField(max_length=10, null=True))")
    found = find_cause(sandbox, SLUG)
    assert found.status == 1 and "fees_invoice.note holds 10 characters" in found.output
    assert 'USING "note"::varchar(10)' in sandbox.manage("sqlmigrate", "fees", "0013").output
    assert sandbox.manage("migrate").status == 0
    assert sandbox.execute(NOTES) == [(10,)]


@on("mariadb")
def test_text_field_that_becomes_a_char_field_stops_on_mariadb(database, opened):
    sandbox = opened("healthy", database)
    add_migration(sandbox, "migrations.AlterField('invoice', 'note', models.CharField(max_length=10, null=True))")
    assert last_line(sandbox.manage("migrate").output) == "django.db.utils.DataError: (1406, \"Data too long for column 'note' at row 2\")"


@on("mariadb")
def test_without_strict_mode_the_ends_are_gone(database, opened):
    sandbox = opened(WORLD, database)
    with closing(sandbox.connect()) as connection, closing(connection.cursor()) as cursor:
        cursor.execute("SET SESSION sql_mode = ''")
        cursor.execute("ALTER TABLE admissions_application MODIFY previous_school varchar(50) NOT NULL")
    assert longest(sandbox) == 50


@on_all_djangos
@on_all
def test_default_that_does_not_fit(database, opened):
    sandbox = opened("healthy", database)
    add_migration(sandbox, "migrations.AddField('feehead', 'code', models.CharField(max_length=5, default='too long'))")
    assert find_cause(sandbox, SLUG).output.startswith(
        "fees.0013_change: fees_feehead.code holds 5 characters, and the default needs up to 8\n"
    )
    done = sandbox.manage("migrate")
    if database == "sqlite":
        assert done.status == 0 and sandbox.execute("SELECT DISTINCT code FROM fees_feehead") == [("too long",)]
    else:
        assert last_line(done.output) == DEFAULT[database]


@on_all_djangos
@on("postgresql", "mariadb")
def test_migration_writes_it(database, opened):
    sandbox = opened("healthy", database)
    add_migration(sandbox, "migrations.RunSQL(\"UPDATE fees_invoice SET number = '123456789012345' WHERE id = 1\")")
    assert last_line(sandbox.manage("migrate").output) == WRITTEN[database]
    assert find_cause(sandbox, SLUG).status == 0


@on("postgresql", "mariadb")
def test_number_too_large(database, opened):
    sandbox = opened("healthy", database)
    add_migration(sandbox, "migrations.AlterField('feehead', 'amount', models.DecimalField(max_digits=5, decimal_places=2))")
    assert NUMBER[database] in sandbox.manage("migrate").output.splitlines()


@on_all
def test_values_cut_by_hand_do_not_come_back(database, opened):
    sandbox = opened(WORLD, database)
    sandbox.execute("UPDATE admissions_application SET previous_school = SUBSTR(previous_school, 1, 50)")
    assert sandbox.manage("migrate").status == 0
    assert sandbox.manage("migrate", "admissions", "0010").status == 0
    assert longest(sandbox) == 50

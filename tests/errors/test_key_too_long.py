"""MariaDB alone limits what a key could hold: what it refuses, what it lets pass, and what a refusal leaves behind."""

from __future__ import annotations

from contextlib import closing

from advice import find_cause, last_line, on, on_all_djangos, write_migration

SLUG = "key-too-long"
TOO_LONG = "django.db.utils.OperationalError: (1071, 'Specified key was too long; max key length is {} bytes')"
OLD_FORMAT = "(1709, 'Index column size too large. The maximum column size is 767 bytes')"
SCHOOL_INDEX = "models.Index(fields=['previous_school', 'applicant_name'], name='school')"
KEY = '("id", models.BigAutoField(primary_key=True))'
SCHOOL = "सरस्वती विद्या मन्दिर"
INDEXED = "SELECT COUNT(*) FROM information_schema.statistics WHERE table_schema = DATABASE() AND index_name = '{}'"


def add_migration(sandbox, operations: str) -> None:
    file = sandbox.project / "fees/migrations/0013_change.py"
    file.unlink(missing_ok=True)
    write_migration(sandbox, "fees", "0013_change", operations)
    file.write_text(file.read_text().replace("import migrations", "import migrations, models", 1))


def shelf(*fields: str, options: str = "{}") -> str:
    return f"migrations.CreateModel('Shelf', [{', '.join(fields)}], options={options})"


def keys_of(sandbox, table: str) -> str:
    return "\n".join(line for line in sandbox.execute(f"SHOW CREATE TABLE {table}")[0][1].splitlines() if "KEY" in line)


@on_all_djangos
@on("mariadb")
def test_index_is_too_long_and_what_came_before_it_stays(database, opened):
    sandbox = opened(SLUG, database)
    rows = sandbox.snapshot().rows
    found = find_cause(sandbox, SLUG)
    told = "admissions_application: application_school_idx has 3200 bytes, 3072 fit: previous_school 2800, applicant_name 400"
    assert (found.status, found.output) == (1, f"{told}\n1 keys are too long\n")
    assert sandbox.snapshot().rows == rows
    assert last_line(sandbox.manage("migrate").output) == TOO_LONG.format(3072)
    assert "`previous_school` varchar(700)" in sandbox.execute("SHOW CREATE TABLE admissions_application")[0][1]
    assert "[ ] 0011_application_school_idx" in sandbox.manage("showmigrations", "admissions").output
    assert sandbox.snapshot().rows == rows
    healthy = find_cause(opened("healthy", database), SLUG)
    assert (healthy.status, healthy.output) == (0, "0 keys are too long\n")


@on("mariadb")
def test_primary_key_is_a_text(database, opened):
    sandbox = opened("healthy", database)
    add_migration(sandbox, shelf("('code', models.CharField(max_length=1000, primary_key=True))"))
    assert last_line(sandbox.manage("migrate").output) == TOO_LONG.format(3072)
    add_migration(sandbox, shelf("('code', models.TextField(primary_key=True))"))
    text = "(1170, \"BLOB/TEXT column 'code' used in key specification without a key length\")"
    assert last_line(sandbox.manage("migrate").output) == f"django.db.utils.OperationalError: {text}"
    add_migration(sandbox, shelf(KEY, "('code', models.CharField(max_length=1000, unique=True))"))
    assert sandbox.manage("migrate").status == 0
    assert "USING HASH" in keys_of(sandbox, "fees_shelf")


@on("mariadb")
def test_table_has_an_old_row_format(database, opened):
    sandbox = opened("healthy", database)
    sandbox.execute("ALTER TABLE admissions_application ROW_FORMAT=COMPACT")
    write_migration(sandbox, "admissions", "0011_school", f"migrations.AddIndex('application', {SCHOOL_INDEX})")
    file = sandbox.project / "admissions/migrations/0011_school.py"
    file.write_text(file.read_text().replace("import migrations", "import migrations, models", 1))
    assert last_line(sandbox.manage("migrate").output) == f"django.db.utils.OperationalError: {OLD_FORMAT}"
    sandbox.execute("ALTER TABLE admissions_application ROW_FORMAT=DYNAMIC")
    assert sandbox.manage("migrate").status == 0


@on("mariadb")
def test_check_knows_the_old_row_format(database, opened):
    sandbox = opened(SLUG, database)
    sandbox.execute("ALTER TABLE admissions_application ROW_FORMAT=COMPACT")
    assert "application_school_idx has 3200 bytes, 767 in a column fit" in find_cause(sandbox, SLUG).output


@on("mariadb")
def test_row_or_column_is_too_long(database, opened):
    sandbox = opened("healthy", database)
    for length, text in ((16380, "(1118, 'Row size too large."), (20000, "(1074, \"Column length too big for column 'note'")):
        add_migration(sandbox, f"migrations.AddField('feehead', 'note', models.CharField(max_length={length}, default=''))")
        assert text in last_line(sandbox.manage("migrate").output)
    add_migration(sandbox, "migrations.AddField('feehead', 'note', models.TextField(default=''))")
    assert sandbox.manage("migrate").status == 0


@on("mariadb")
def test_one_byte_a_character_costs_letters(database, opened):
    sandbox = opened("healthy", database)
    sandbox.execute(f"UPDATE admissions_application SET previous_school = '{SCHOOL}' WHERE id = 1")
    change = "ALTER TABLE admissions_application CONVERT TO CHARACTER SET latin1"
    try:
        sandbox.execute(change)
    except Exception as error:
        assert "Incorrect string value" in str(error)
    else:
        raise AssertionError("nothing refused it")
    with closing(sandbox.connect()) as connection, closing(connection.cursor()) as cursor:
        cursor.execute("SET SESSION sql_mode = ''")
        cursor.execute(change)
    ((left,),) = sandbox.execute("SELECT previous_school FROM admissions_application WHERE id = 1")
    assert set(left) == {"?", " "}


@on("mariadb")
def test_second_try_meets_the_table_of_the_first(database, opened):
    sandbox = opened("healthy", database)
    fields = (KEY, "('a', models.CharField(max_length=600))", "('b', models.CharField(max_length=600))")
    add_migration(sandbox, shelf(*fields, options="{'indexes': [models.Index(fields=['a', 'b'], name='two')]}"))
    assert last_line(sandbox.manage("migrate").output) == TOO_LONG.format(3072)
    assert "(1050, \"Table 'fees_shelf' already exists\")" in last_line(sandbox.manage("migrate").output)
    assert sandbox.execute(INDEXED.format("two")) == [(0,)]


@on("mariadb")
def test_fake_makes_no_index(database, opened):
    sandbox = opened(SLUG, database)
    assert sandbox.manage("migrate", "admissions", "0011", "--fake").status == 0
    assert sandbox.manage("migrate", "--check").status == 0
    assert sandbox.execute(INDEXED.format("application_school_idx")) == [(0,)]


@on("mariadb")
def test_index_of_one_long_column_holds_its_first_768_characters(database, opened):
    sandbox = opened("healthy", database)
    add_migration(sandbox, shelf(KEY, "('code', models.CharField(max_length=1000, db_index=True))"))
    assert sandbox.manage("migrate").status == 0
    assert "(`code`(768))" in keys_of(sandbox, "fees_shelf")

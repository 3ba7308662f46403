"""Each cause prints the page's text and is told apart; a changed base class costs no row in three steps, and all in two."""

from __future__ import annotations

from advice import find_cause, last_line, on_all, on_all_djangos, page_of, write_migration
from migration_runbooks.pages.blocks import read_page
from sqlite_alone import on_sqlite_alone

SLUG = "invalid-bases"
RENAMED = f"{SLUG}:renamed"
NO_MIGRATIONS = f"{SLUG}:no-migrations"
BASE_CHANGED = f"{SLUG}:base-changed"
ERROR = "django.db.migrations.exceptions.InvalidBasesError: Cannot resolve bases for [<ModelState: '{}'>]"
CLASH = "django.core.exceptions.FieldError: Local field 'name' in class 'Grant' clashes with field of the same name from base class 'Scholarship'."
POINTS = "which its dependencies do not bring"
FOUND = {
    SLUG: f"admissions.0011_promise inherits from fees.scholarship, {POINTS}: fees.0009_scholarship makes it\n1 findings\n",
    RENAMED: f"admissions.0011_promise inherits from fees.grant, {POINTS}: no migration makes it\n1 findings\n",
    NO_MIGRATIONS: "promises.Promise inherits from fees.Scholarship, and promises has no migrations\n1 findings\n",
    BASE_CHANGED: (
        "fees.0014_grant_stands_alone adds name to Grant, which inherits it from fees.scholarship\n"
        "fees.0014_grant_stands_alone adds percent to Grant, which inherits it from fees.scholarship\n2 findings\n"
    ),
    "healthy": "0 findings\n",
}
MIGRATION = "admissions/migrations/0011_promise.py"
ALONE = "fees/migrations/0014_grant_stands_alone.py"
PARENT = '        ("admissions", "0010_one_document_per_title"),\n'
FIELDS = (
    '[("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),'
    ' ("name", models.CharField(max_length=50, unique=True)), ("percent", models.PositiveSmallIntegerField()),'
    ' ("sponsor", models.CharField(max_length=50))]'
)
GRANTS = "from fees.models import Grant; print(sorted((each.name, each.percent, each.sponsor) for each in Grant.objects.all()))"
THREE = "[('Grant 20', 20, 'Rotary'), ('Grant 35', 35, 'Rotary'), ('Grant 50', 50, 'Rotary')]\n"


def illustrated(word: str) -> str:
    """The piece of code that the page shows and that holds this word."""
    return next(block.text for block in read_page(page_of(SLUG)).blocks if block.fence.kind == "illustration" and word in block.text)


def replace(sandbox, path: str, old: str, new: str) -> None:
    file = sandbox.project / path
    assert old in file.read_text()
    file.write_text(file.read_text().replace(old, new))


def migrated(sandbox, *arguments: str) -> None:
    done = sandbox.manage("migrate", *arguments)
    assert done.status == 0, done.output


def grants(sandbox) -> str:
    return sandbox.manage("shell", "-v", "0", "-c", GRANTS).output


def error_of(sandbox, error: str) -> bool:
    done = sandbox.manage("migrate")
    return done.status == 1 and error in done.output.splitlines()


@on_all
@on_all_djangos
def test_every_cause_prints_a_text_of_the_page(database, opened):
    for world, model in {SLUG: "admissions.Promise", RENAMED: "admissions.Promise", NO_MIGRATIONS: "promises.Promise"}.items():
        assert error_of(opened(world, database), ERROR.format(model)), world
    assert last_line(opened(BASE_CHANGED, database).manage("migrate").output) == CLASH


def test_check_of_the_page_tells_the_causes_apart(opened):
    for world, text in FOUND.items():
        assert find_cause(opened(world, "sqlite"), SLUG).output == text


@on_sqlite_alone
def test_the_same_file_runs_where_the_other_app_is_there_and_may_be_repaired_there(database, opened):
    sandbox, broken = opened("healthy", database), opened(SLUG, "sqlite")
    for path in (MIGRATION, "admissions/models.py"):
        (sandbox.project / path).write_text((broken.project / path).read_text())
    migrated(sandbox)
    after = sandbox.snapshot()
    replace(sandbox, MIGRATION, PARENT, f'{PARENT}        ("fees", "0009_scholarship"),\n')
    migrated(sandbox)
    assert after.difference(sandbox.snapshot()) == []


@on_sqlite_alone
def test_name_of_today_repairs_the_base_of_a_proxy(database, opened):
    renamed = opened(RENAMED, database)
    assert renamed.manage("makemigrations", "--check").status == 0, "it says that there are no changes"
    replace(renamed, MIGRATION, "fees.grant", "fees.scholarship")
    migrated(renamed)


@on_all
def test_migrations_of_its_own_repair_an_app_without(database, opened):
    without = opened(NO_MIGRATIONS, database)
    assert without.manage("makemigrations", "promises").status == 0
    migrated(without)
    assert "promises_promise" in without.snapshot().schema


@on_all
def test_model_stands_alone_in_three_steps_with_every_row_and_comes_back(database, opened):
    sandbox = opened(BASE_CHANGED, database)
    before = sandbox.snapshot()
    (sandbox.project / ALONE).unlink()
    write_migration(sandbox, "fees", "0014_standalone", f'migrations.CreateModel("StandaloneGrant", {FIELDS})')
    replace(sandbox, "fees/migrations/0014_standalone.py", "import migrations\n", "import migrations, models\n")
    write_migration(sandbox, "fees", "0015_copy", "migrations.RunPython(copy, copy_back)")
    replace(sandbox, "fees/migrations/0015_copy.py", "\nclass Migration", f"\n{illustrated('def copy(')}\n\nclass Migration")
    write_migration(sandbox, "fees", "0016_rename", illustrated("DeleteModel").strip())
    migrated(sandbox)
    assert sandbox.manage("makemigrations", "--check", "--dry-run").status == 0
    assert grants(sandbox) == THREE
    assert sandbox.snapshot().rows["fees_scholarship"] == before.rows["fees_scholarship"]

    migrated(sandbox, "fees", "0013")
    back = sandbox.snapshot()
    for table in ("fees_grant", "fees_scholarship", "fees_scholarship_students"):
        assert back.rows_of(table, before.columns[table]) == before.rows[table]


@on_all
def test_delete_and_create_loses_every_row_and_is_green(database, opened):
    sandbox = opened(BASE_CHANGED, database)
    (sandbox.project / ALONE).unlink()
    write_migration(sandbox, "fees", "0014_anew", f'migrations.DeleteModel("Grant"), migrations.CreateModel("Grant", {FIELDS})')
    replace(sandbox, "fees/migrations/0014_anew.py", "import migrations\n", "import migrations, models\n")
    migrated(sandbox)
    assert sandbox.manage("makemigrations", "--check", "--dry-run").status == 0
    assert grants(sandbox) == "[]\n"


@on_all
def test_other_base_in_the_applied_file_drops_the_link_to_the_parent(database, opened):
    sandbox = opened(BASE_CHANGED, database)
    (sandbox.project / ALONE).unlink()
    replace(sandbox, "fees/migrations/0013_grant.py", "bases=('fees.scholarship',)", "bases=(models.Model,)")
    made = sandbox.manage("makemigrations", "fees", input="1\n" * 9)
    assert made.status == 0 and "Remove field scholarship_ptr from grant" in made.output
    assert sandbox.manage("migrate").status == 1
    assert ("scholarship_ptr_id" in sandbox.snapshot().columns["fees_grant"]) == (database != "mariadb")


@on_sqlite_alone
def test_migrating_the_other_app_by_hand_helps_this_database_alone(database, opened):
    sandbox = opened(SLUG, database)
    migrated(sandbox, "fees")
    migrated(sandbox)
    assert error_of(opened(SLUG, database), ERROR.format("admissions.Promise"))


def test_proxy_without_a_base_is_none(opened):
    sandbox = opened(SLUG, "sqlite")
    replace(sandbox, MIGRATION, '            bases=("fees.scholarship",),\n', "")
    assert last_line(sandbox.manage("migrate").output) == "TypeError: Proxy model 'Promise' has no non-abstract model base class."

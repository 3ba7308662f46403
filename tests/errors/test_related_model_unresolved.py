"""Each cause prints the page's text on a new database and is told apart; other advice helps one database or none."""

from __future__ import annotations

from advice import find_cause, last_line, on_all, on_all_djangos
from sqlite_alone import on_sqlite_alone

SLUG = "related-model-unresolved"
APP_GONE = f"{SLUG}:app-gone"
MISSPELT = f"{SLUG}:misspelt"
UNKNOWN_APP = f"{SLUG}:unknown-app"
MIGRATION = "admissions/migrations/0011_application_scholarship.py"
PARENT = '        ("admissions", "0010_one_document_per_title"),\n'
DEPENDENCY = '        ("fees", "0009_scholarship"),\n'
TEXTS = {
    SLUG: "ValueError: Related model 'fees.scholarship' cannot be resolved",
    APP_GONE: "ValueError: Related model 'attendance.leaverequest' cannot be resolved",
    MISSPELT: "ValueError: Related model 'fees.grant' cannot be resolved",
    UNKNOWN_APP: "ValueError: Dependency on unknown app: scholarships",
}
POINTS = "which its dependencies do not bring"
FOUND = {
    SLUG: f"admissions.0011_application_scholarship points to fees.scholarship, {POINTS}: fees.0009_scholarship makes it\n1 findings\n",
    APP_GONE: f"fees.0013_invoice_leave points to attendance.leaverequest, {POINTS}: the app attendance is not installed\n1 findings\n",
    MISSPELT: f"admissions.0011_application_scholarship points to fees.grant, {POINTS}: no migration makes it\n1 findings\n",
    "healthy": "0 findings\n",
}
LAZY = "ValueError: The field fees.Invoice.leave was declared with a lazy reference to 'attendance.leaverequest', but app 'attendance' isn't installed."
READ = "from admissions.models import Application; print(Application.objects.first())"


def replace(sandbox, path: str, old: str, new: str) -> None:
    file = sandbox.project / path
    assert old in file.read_text()
    file.write_text(file.read_text().replace(old, new))


def copy(source, target, *paths: str) -> None:
    for path in paths:
        (target.project / path).write_text((source.project / path).read_text())


def migrated(sandbox) -> None:
    done = sandbox.manage("migrate")
    assert done.status == 0, done.output


def read(sandbox):
    return sandbox.manage("shell", "-v", "0", "-c", READ)


@on_all
@on_all_djangos
def test_every_cause_prints_a_text_of_the_page(database, opened):
    for world, text in TEXTS.items():
        assert last_line(opened(world, database).manage("migrate").output) == text


def test_check_of_the_page_tells_the_causes_apart(opened):
    for world, text in FOUND.items():
        assert find_cause(opened(world, "sqlite"), SLUG).output == text
    assert last_line(find_cause(opened(UNKNOWN_APP, "sqlite"), SLUG).output) == TEXTS[UNKNOWN_APP]


@on_all
def test_the_same_file_runs_where_the_other_table_is_there_and_may_be_repaired_there(database, opened):
    sandbox = opened("healthy", database)
    copy(opened(SLUG, "sqlite"), sandbox, MIGRATION, "admissions/models.py")
    migrated(sandbox)
    after = sandbox.snapshot()
    replace(sandbox, MIGRATION, PARENT, PARENT + DEPENDENCY)
    migrated(sandbox)
    assert after.difference(sandbox.snapshot()) == []


@on_all
def test_repairs_of_the_page(database, opened):
    gone = opened(APP_GONE, database)
    replace(gone, "acharya/settings.py", '    "fees",\n', '    "fees",\n    "attendance",\n')
    first = '        ("fees", "0012_invoice_discount"),\n'
    replace(gone, "fees/migrations/0013_invoice_leave.py", first, f'{first}        ("attendance", "0004_leave_request"),\n')
    migrated(gone)
    assert "leave_id" not in gone.snapshot().columns["fees_invoice"]

    misspelt = opened(MISSPELT, database)
    replace(misspelt, MIGRATION, "fees.grant", "fees.scholarship")
    migrated(misspelt)


@on_sqlite_alone
def test_app_that_is_there_repairs_the_dependency_on_an_unknown_one(database, opened):
    """The file is then that of the misspelt name above, which is migrated on each database."""
    unknown = opened(UNKNOWN_APP, database)
    replace(unknown, MIGRATION, '("scholarships", "__first__")', DEPENDENCY.strip().rstrip(","))
    migrated(unknown)


@on_sqlite_alone
def test_integer_field_leaves_the_code_without_its_column(database, opened):
    sandbox = opened(SLUG, database)
    text = (sandbox.project / MIGRATION).read_text()
    foreign_key = text[text.index("models.ForeignKey(") : text.index('to="fees.scholarship")') + len('to="fees.scholarship")')]
    replace(sandbox, MIGRATION, foreign_key, "models.IntegerField(null=True)")
    migrated(sandbox)
    assert sandbox.manage("makemigrations", "--check", "--dry-run").status == 1
    done = read(sandbox)
    assert done.status == 1 and "scholarship_id" in done.output


@on_sqlite_alone
def test_migrating_the_other_app_by_hand_helps_this_database_alone(database, opened):
    sandbox = opened(SLUG, database)
    assert sandbox.manage("migrate", "fees").status == 0
    migrated(sandbox)
    assert last_line(opened(SLUG, database).manage("migrate").output) == TEXTS[SLUG]


@on_sqlite_alone
def test_faking_it_leaves_the_column_out(database, opened):
    sandbox = opened(SLUG, database)
    assert sandbox.manage("migrate", "fees").status == 0
    assert sandbox.manage("migrate", "admissions", "0010").status == 0
    assert sandbox.manage("migrate", "--fake", "admissions", "0011").status == 0
    migrated(sandbox)
    done = read(sandbox)
    assert done.status == 1 and "scholarship_id" in done.output


@on_all
def test_retired_app_leaves_the_running_site_alone_and_stops_new_databases(database, opened):
    gone, running = opened(APP_GONE, database), opened("healthy", database)
    copy(gone, running, "fees/migrations/0013_invoice_leave.py", "fees/migrations/0014_remove_invoice_leave.py")
    migrated(running)
    copy(gone, running, "acharya/settings.py")
    for command in ("check", "migrate", "makemigrations --check"):
        assert running.manage(*command.split()).status == 0, command
    assert last_line(gone.manage("migrate").output) == TEXTS[APP_GONE]


def test_lazy_reference_comes_when_the_file_that_points_was_applied(opened):
    gone, running = opened(APP_GONE, "sqlite"), opened("healthy", "sqlite")
    copy(gone, running, "fees/migrations/0013_invoice_leave.py")
    migrated(running)
    copy(gone, running, "acharya/settings.py")
    assert last_line(running.manage("migrate").output) == LAZY

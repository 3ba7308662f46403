"""Every link row is kept by the page's way, forward and back; the advice that is found first deletes all of them."""

from __future__ import annotations

from advice import find_cause, last_line, on, on_all, on_all_djangos, page_of, write_migration
from migration_runbooks.pages.blocks import read_page

SLUG = "many-to-many-altered"
REMOVED = f"{SLUG}:through-removed"
FOREIGN_KEY = f"{SLUG}:foreign-key"
ERROR = (
    "ValueError: Cannot alter field {0} into {0} - they are not compatible types"
    " (you cannot alter to or from M2M fields, or add or remove through= on M2M fields)"
)
STUDENTS = ERROR.format("fees.Scholarship.students")
TABLE = "fees_scholarship_students"
MIGRATION = "fees/migrations/0013_award.py"
FIELD = 'models.ManyToManyField(blank=True, related_name="scholarships", through="fees.Award", to="students.student")'
REMOVE_AND_ADD = f'migrations.RemoveField("scholarship", "students"),\n        migrations.AddField("scholarship", "students", {FIELD}),\n    ]\n'
RECEIVERS = 'migrations.AddField("payment", "receivers", models.ManyToManyField(blank=True, to=settings.AUTH_USER_MODEL))'
TABLE_EXISTS = {
    "sqlite": 'django.db.utils.OperationalError: table "fees_scholarship_students" already exists',
    "postgresql": 'django.db.utils.ProgrammingError: relation "fees_scholarship_students" already exists',
    "mariadb": "django.db.utils.OperationalError: (1050, \"Table 'fees_scholarship_students' already exists\")",
}


def replace(sandbox, path: str, old: str, new: str) -> None:
    file = sandbox.project / path
    assert old in file.read_text()
    file.write_text(file.read_text().replace(old, new))


def manage(sandbox, *commands: str) -> None:
    for command in commands:
        done = sandbox.manage(*command.split())
        assert done.status == 0, done.output


def links(sandbox) -> list[tuple]:
    return sandbox.snapshot().rows_of(TABLE, ["id", "scholarship_id", "student_id"])


def receivers(sandbox) -> list[tuple]:
    return sandbox.snapshot().rows_of("fees_payment", ["id", "received_by_id"])


def without_what_is_left(sandbox) -> None:
    """Drop the empty table that MariaDB kept, as the page does."""
    drop = next(block for block in read_page(page_of(SLUG)).blocks if "DROP TABLE" in block.text)
    assert sandbox.run("bash", "-c", drop.text).status == 0


def follow_the_page(sandbox) -> None:
    """Write the files of the page's first repair."""
    without_what_is_left(sandbox)
    own_table = '\n    class Meta:\n        db_table = "fees_scholarship_students"\n        unique_together = [("scholarship", "student")]\n'
    models = sandbox.project / "fees/models.py"
    models.write_text(models.read_text() + own_table)
    written = next(block for block in read_page(page_of(SLUG)).blocks if block.fence.title == MIGRATION)
    (sandbox.project / MIGRATION).write_text(written.text)


@on_all
@on_all_djangos
def test_every_cause_prints_the_text_of_the_page_and_is_told_apart(database, opened):
    added = opened(SLUG, database)
    if database == "mariadb":
        assert "(1050, \"Table 'fees_award' already exists\")" in last_line(added.manage("migrate").output)
        without_what_is_left(added)
    before = links(added)
    assert last_line(added.manage("migrate").output) == STUDENTS
    assert links(added) == before and len(before) == 5
    assert "from plain many-to-many to many-to-many through fees.Award\n" in find_cause(added, SLUG).output

    removed = opened(REMOVED, database)
    assert last_line(removed.manage("migrate").output) == STUDENTS
    assert "from many-to-many through fees.Award to plain many-to-many\n" in find_cause(removed, SLUG).output

    changed = opened(FOREIGN_KEY, database)
    assert last_line(changed.manage("migrate").output) == ERROR.format("fees.Payment.received_by")
    assert "fees.Payment.received_by from ForeignKey to plain many-to-many\n" in find_cause(changed, SLUG).output


@on_all
def test_adopting_the_table_keeps_every_link_forward_back_and_on_a_new_database(database, opened):
    sandbox = opened(SLUG, database)
    before, rows = opened("healthy", database).snapshot(), links(sandbox)
    follow_the_page(sandbox)
    manage(sandbox, "migrate", "makemigrations --check", "check")
    assert links(sandbox) == rows and "awarded_on" in sandbox.snapshot().columns[TABLE]
    twice = f"INSERT INTO {TABLE} (scholarship_id, student_id) VALUES ({rows[0][1]}, {rows[0][2]})"
    added = "from fees.models import *; Scholarship.objects.first().students.add(3, through_defaults={'awarded_on': '2026-01-01'})"
    assert sandbox.manage("shell", "-v", "0", "-c", added).status == 0
    refused = sandbox.manage("shell", "-v", "0", "-c", f"from django.db import connection; connection.cursor().execute('{twice}')")
    assert refused.status == 1 and "IntegrityError" in refused.output, "the pair stays unique"

    new = opened("empty", database)
    for path in ("fees/models.py", MIGRATION):
        (new.project / path).write_text((sandbox.project / path).read_text())
    manage(new, "migrate", "makemigrations --check")
    sandbox.execute(f"DELETE FROM {TABLE} WHERE awarded_on IS NOT NULL")
    manage(sandbox, "migrate fees 0012")
    back = sandbox.snapshot()
    assert back.rows_of(TABLE, before.columns[TABLE]) == before.rows[TABLE]
    assert set(back.columns[TABLE]) == set(before.columns[TABLE]) and "fees_award" not in back.schema


@on_all
def test_through_model_that_comes_back_repairs_its_removal(database, opened):
    sandbox = opened(REMOVED, database)
    rows = links(sandbox)
    (sandbox.project / "fees/migrations/0014_no_award.py").unlink()
    replace(sandbox, "fees/models.py", '"students.Student", blank=True, ', '"students.Student", blank=True, through="Award", ')
    award = (
        '\n\nclass Award(models.Model):\n    scholarship = models.ForeignKey(Scholarship, on_delete=models.CASCADE)\n'
        '    student = models.ForeignKey("students.Student", on_delete=models.CASCADE)\n\n    class Meta:\n'
        '        db_table = "fees_scholarship_students"\n        unique_together = [("scholarship", "student")]\n'
    )
    models = sandbox.project / "fees/models.py"
    models.write_text(models.read_text() + award)
    manage(sandbox, "migrate", "makemigrations --check")
    assert links(sandbox) == rows


@on_all
def test_foreign_key_becomes_many_to_many_in_three_steps_and_comes_back(database, opened):
    sandbox = opened(FOREIGN_KEY, database)
    before = receivers(sandbox)
    assert sum(user is not None for _id, user in before) > 3
    replace(sandbox, "fees/models.py", "received_by = ", "receivers = ")
    replace(sandbox, "fees/admin.py", "received_by", "receivers")
    (sandbox.project / "fees/migrations/0013_receivers.py").unlink()
    write_migration(sandbox, "fees", "0013_receivers", RECEIVERS)
    replace(sandbox, "fees/migrations/0013_receivers.py", "from django.db import migrations\n", "from django.conf import settings\nfrom django.db import migrations, models\n")
    write_migration(sandbox, "fees", "0014_copy", "migrations.RunPython(copy, copy_back)")
    shown = next(block.text for block in read_page(page_of(SLUG)).blocks if block.fence.kind == "illustration" and "def copy(" in block.text)
    replace(sandbox, "fees/migrations/0014_copy.py", "\n\nclass Migration", f"\n{shown}\n\nclass Migration")
    write_migration(sandbox, "fees", "0015_one_receiver_is_gone", 'migrations.RemoveField("payment", "received_by")')
    manage(sandbox, "migrate", "makemigrations --check")
    after = sandbox.snapshot().rows_of("fees_payment_receivers", ["payment_id", "user_id"])
    assert sorted(after) == sorted((payment, user) for payment, user in before if user is not None)
    manage(sandbox, "migrate fees 0012")
    assert receivers(sandbox) == before


@on_all
def test_remove_and_add_deletes_every_link(database, opened):
    sandbox = opened(SLUG, database)
    without_what_is_left(sandbox)
    text = (sandbox.project / MIGRATION).read_text()
    (sandbox.project / MIGRATION).write_text(text[: text.index("migrations.AlterField")] + REMOVE_AND_ADD)
    manage(sandbox, "migrate", "makemigrations --check")
    snapshot = sandbox.snapshot()
    assert TABLE not in snapshot.schema and snapshot.rows["fees_award"] == []


@on_all
def test_makemigrations_turns_a_foreign_key_into_an_empty_many_to_many_field(database, opened):
    sandbox = opened(FOREIGN_KEY, database)
    (sandbox.project / "fees/migrations/0013_receivers.py").unlink()
    made = sandbox.manage("makemigrations", "fees")
    assert made.status == 0 and "Remove field received_by from payment\n    + Add field received_by to payment" in made.output
    manage(sandbox, "migrate")
    snapshot = sandbox.snapshot()
    assert "received_by_id" not in snapshot.columns["fees_payment"] and snapshot.rows["fees_payment_received_by"] == []


@on_all
def test_faking_is_green_and_finds_no_links(database, opened):
    sandbox = opened(SLUG, database)
    manage(sandbox, "migrate --fake", "migrate --check", "makemigrations --check", "check")
    asked = sandbox.manage("shell", "-v", "0", "-c", "from fees.models import *; print(Award.objects.count())")
    assert asked.output == "0\n" if database == "mariadb" else "fees_award" in asked.output


@on_all
def test_create_model_alone_stops_at_the_table(database, opened):
    sandbox = opened(SLUG, database)
    replace(sandbox, MIGRATION, "('awarded_on'", "('given_on'")
    replace(sandbox, MIGRATION, "            ],\n        ),", "            ],\n            options={'db_table': 'fees_scholarship_students'},\n        ),")
    assert TABLE_EXISTS[database] in sandbox.manage("migrate").output.splitlines()


@on("mariadb")
def test_table_that_has_rows_is_not_dropped(database, opened):
    sandbox = opened(SLUG, database)
    sandbox.execute("INSERT INTO fees_award (scholarship_id, student_id) SELECT scholarship_id, student_id FROM fees_scholarship_students")
    drop = next(block for block in read_page(page_of(SLUG)).blocks if "DROP TABLE" in block.text)
    refused = sandbox.run("bash", "-c", drop.text)
    assert refused.status == 1 and "fees_award has rows: look at them" in refused.output
    assert len(sandbox.snapshot().rows["fees_award"]) == 5

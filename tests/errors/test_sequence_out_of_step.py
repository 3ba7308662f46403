"""The page's check finds what is behind; other advice leaves sequences behind or gives an id to a second row."""

from __future__ import annotations

import json

from advice import find_cause, last_line, on, on_all, on_all_djangos, write_migration

SLUG = "sequence-out-of-step"
ROWS = "advance-sequence"
HISTORY = "advance-sequence:history"
REFUSED = (
    'django.db.utils.IntegrityError: duplicate key value violates unique constraint "{}_pkey"\nDETAIL:  Key (id)=({}) already exists.\n'
)
ADVANCE = ("runbook", "run", "advance-sequence", "--apply", "--yes")
TAKEN_ID = (
    "migrations.RunPython(lambda apps, editor: apps.get_model('fees', 'FeeHead').objects.create(id=1, name='Late fee', amount=50))"
)
NEW_TABLE = (
    "migrations.CreateModel('Receipt', [('id', models.BigAutoField(primary_key=True)),"
    " ('invoice', models.ForeignKey('fees.Invoice', models.CASCADE))])"
)


def shell(sandbox, code: str):
    return sandbox.manage("shell", "-v", "0", "-c", code)


def add_scholarship(sandbox):
    return shell(sandbox, "from fees.models import Scholarship; print(Scholarship.objects.create(name='New', percent=5).id)")


def write_with_models(sandbox, name: str, operations: str) -> None:
    write_migration(sandbox, "fees", name, operations)
    file = sandbox.project / f"fees/migrations/{name}.py"
    file.write_text(file.read_text().replace("import migrations", "import migrations, models", 1))


@on("postgresql")
def test_check_of_the_page_tells_the_causes_apart(database, opened):
    found = {world: find_cause(opened(world, database), SLUG) for world in (ROWS, HISTORY, "healthy")}
    assert "fees_feehead.id: the highest value is 5, the next one will be 4\n" in found[ROWS].output
    assert "django_migrations.id: the highest value is " in found[HISTORY].output
    assert (found["healthy"].status, found["healthy"].output) == (0, "0 sequences are behind\n")


@on("postgresql")
def test_migration_that_writes_a_taken_id_is_edited_and_passes(database, opened):
    sandbox = opened("healthy", database)
    write_migration(sandbox, "fees", "0013_late_fee", TAKEN_ID)
    before = sandbox.snapshot()
    assert sandbox.manage("migrate").output.endswith(REFUSED.format("fees_feehead", 1))
    assert before.difference(sandbox.snapshot()) == [] and find_cause(sandbox, SLUG).status == 0
    file = sandbox.project / "fees/migrations/0013_late_fee.py"
    file.write_text(file.read_text().replace("id=1, ", ""))
    assert sandbox.manage("migrate").status == 0


@on("postgresql")
def test_migration_with_a_foreign_key_is_done_and_not_recorded(database, opened):
    sandbox = opened(HISTORY, database)
    (sandbox.project / "fees/migrations/0013_longer_names.py").unlink()
    write_with_models(sandbox, "0013_receipt", NEW_TABLE)
    assert sandbox.manage("migrate").output.endswith(REFUSED.format("django_migrations", 1))
    assert sandbox.execute("SELECT count(*) FROM fees_receipt") == [(0,)]
    assert "[ ] 0013_receipt" in sandbox.manage("showmigrations", "fees").output
    assert sandbox.run(*ADVANCE).status == 0
    assert last_line(sandbox.manage("migrate").output).endswith('relation "fees_receipt" already exists')
    assert sandbox.run("runbook", "run", "adopt-existing-table", "--apply", "--yes").status == 0
    assert sandbox.manage("migrate").status == 0


@on("postgresql")
def test_running_again_passes_and_leaves_the_others_behind(database, opened):
    sandbox = opened(ROWS, database)
    assert [sandbox.manage("migrate").status for _ in range(3)] == [1, 1, 0]
    assert "fees_scholarship.id: the highest value is 40" in find_cause(sandbox, SLUG).output
    sandbox.execute("SELECT setval('fees_scholarship_id_seq', 39)")
    assert add_scholarship(sandbox).output.endswith(REFUSED.format("fees_scholarship", 40))


@on("postgresql")
def test_restarting_the_sequence_meets_the_first_row(database, opened):
    sandbox = opened(ROWS, database)
    sandbox.execute("ALTER SEQUENCE fees_feehead_id_seq RESTART")
    assert sandbox.manage("migrate").output.endswith(REFUSED.format("fees_feehead", 1))


@on("postgresql")
def test_deleting_rows_of_the_history_runs_their_migrations_again(database, opened):
    sandbox = opened(HISTORY, database)
    sandbox.execute("DELETE FROM django_migrations")
    done = sandbox.manage("migrate")
    assert done.status == 1 and "already exists" in last_line(done.output)


@on("postgresql")
def test_sqlsequencereset_forgets_the_history_and_gives_a_deleted_id_again(database, opened):
    sandbox = opened(ROWS, database)
    printed = sandbox.manage("sqlsequencereset", "fees").stdout
    assert "fees_invoice" in printed and "django_migrations" not in printed
    last = sandbox.execute("SELECT max(id) FROM fees_scholarship WHERE id < 40")[0][0]
    sandbox.execute(f"DELETE FROM fees_scholarship_students WHERE scholarship_id = {last}")
    sandbox.execute(f"DELETE FROM fees_scholarship WHERE id IN ({last}, 40)")
    for statement in filter(None, printed.splitlines()):
        sandbox.execute(statement)
    assert add_scholarship(sandbox).output == f"{last}\n"


@on("postgresql")
def test_loaddata_sets_the_sequences_of_its_models(database, opened):
    sandbox = opened("healthy", database)
    (sandbox.project / "heads.json").write_text(
        json.dumps([{"model": "fees.feehead", "pk": 70, "fields": {"name": "Hostel", "amount": "900.00"}}])
    )
    assert sandbox.manage("loaddata", "heads.json").status == 0
    assert find_cause(sandbox, SLUG).output == "0 sequences are behind\n"


@on("sqlite", "mariadb")
def test_other_databases_number_by_the_highest_id(database, opened):
    sandbox = opened("healthy", database)
    sandbox.execute("INSERT INTO fees_scholarship (id, name, percent) VALUES (40, 'Founders', 50)")
    assert add_scholarship(sandbox).output == "41\n"
    sandbox.execute("UPDATE fees_scholarship SET id = 50 WHERE id = 41")
    assert shell(sandbox, "from fees.models import Scholarship; print(Scholarship.objects.create(name='Next', percent=5).id)").output == "51\n"


@on_all_djangos
@on_all
def test_what_each_database_says_of_an_id_that_somebody_wrote(database, opened):
    sandbox = opened("healthy", database)
    write_migration(sandbox, "fees", "0013_late_fee", TAKEN_ID)
    text = {
        "sqlite": "django.db.utils.IntegrityError: UNIQUE constraint failed: fees_feehead.id\n",
        "postgresql": REFUSED.format("fees_feehead", 1),
        "mariadb": "django.db.utils.IntegrityError: (1062, \"Duplicate entry '1' for key 'PRIMARY'\")\n",
    }
    assert text[database] in sandbox.manage("migrate").output

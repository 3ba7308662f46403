"""The page's check names both kinds of difference; other advice hides them or lets rows in that stop the migration."""

from __future__ import annotations

import pytest
from advice import find_cause, last_line, on, on_all, on_all_djangos, write_migration
from sqlite_alone import on_sqlite_alone

SLUG = "index-or-constraint-mismatch"
EXISTS, MISSING = "adopt-existing-index", "restore-missing-constraint"
WRONG_NUMBER = "ValueError: Found wrong number ({}) of constraints for students_student(full_name, date_of_birth)"
ADD_INDEX = "migrations.AddIndex('payment', models.Index(fields=['paid_at'], name='payment_paid_at_idx'))"
ADD_FIELD = "migrations.AddField('payment', 'remark', models.TextField(null=True))"
ADD_UNIQUE = "migrations.AddConstraint('scholarship', models.UniqueConstraint(fields=['percent'], name='one_percent'))"
OUTSIDE = (
    "CREATE TABLE outside (number varchar(12), FOREIGN KEY (number) REFERENCES students_student (admission_number))"
)
NOT_UNIQUE = "migrations.AlterField('student', 'admission_number', models.CharField(max_length=12))"


def write(sandbox, app: str, name: str, operations: str) -> None:
    write_migration(sandbox, app, name, operations)
    file = sandbox.project / f"{app}/migrations/{name}.py"
    file.write_text(file.read_text().replace("import migrations", "import migrations, models", 1))


@on_all
def test_check_of_the_page_tells_the_causes_apart(database, opened):
    found = {world: opened(world, database) for world in ("healthy", EXISTS, MISSING, f"{MISSING}:named")}
    before = found[EXISTS].snapshot()
    assert find_cause(found["healthy"], SLUG).output == ""
    assert find_cause(found[EXISTS], SLUG).output == "fees.0013_payment_paid_at_index waits, and payment_paid_at_idx of fees_payment is there\n"
    assert find_cause(found[MISSING], SLUG).output == "unique_together(full_name, date_of_birth) of students_student is recorded and missing\n"
    assert find_cause(found[f"{MISSING}:named"], SLUG).output.endswith(" is recorded and missing\n")
    assert before.difference(found[EXISTS].snapshot()) == []


@on("mariadb")
def test_check_of_the_page_asks_for_no_index_that_mariadb_does_not_make(database, opened):
    sandbox = opened("healthy", database)
    lower = "models.Index(models.functions.Lower('name'), name='lower_name')"
    write(sandbox, "fees", "0013_lower", f"migrations.AddIndex('feehead', {lower})")
    assert sandbox.manage("migrate").status == 0
    assert find_cause(sandbox, SLUG).output == ""


@on_all_djangos
@on_all
def test_one_too_many_is_a_wrong_number_too_and_dropping_one_repairs_it(database, opened):
    sandbox = opened(MISSING, database)
    table = "CREATE UNIQUE INDEX {} ON students_student (full_name, date_of_birth)"
    for name in ("made_by_hand", "made_again"):
        sandbox.execute(table.format(name))
    assert last_line(sandbox.manage("migrate").output) == WRONG_NUMBER.format(2)
    sandbox.execute("DROP INDEX made_again" + (" ON students_student" if database == "mariadb" else ""))
    assert sandbox.manage("migrate").status == (0 if database != "postgresql" else 1)


@on_all
def test_duplicates_and_a_migration_that_only_removes_it(database, opened):
    sandbox = opened(MISSING, database)
    sandbox.execute("UPDATE students_student SET full_name = 'Twin', date_of_birth = '2015-01-01' WHERE id IN (1, 2)")
    assert sandbox.run("runbook", "run", MISSING, "--apply", "--yes").status != 0
    assert sandbox.manage("migrate", "students", "0011", "--fake").status == 0
    assert sandbox.manage("migrate").status == 0 and sandbox.manage("makemigrations", "--check").status == 0
    assert find_cause(sandbox, SLUG).output == ""


@on_all_djangos
@on("mariadb")
def test_foreign_key_that_django_does_not_know_needs_the_index(database, opened):
    sandbox = opened("healthy", database)
    sandbox.execute(OUTSIDE)
    write(sandbox, "students", "0010_not_unique", NOT_UNIQUE)
    text = last_line(sandbox.manage("migrate").output)
    assert text.startswith("django.db.utils.OperationalError: (1553, \"Cannot drop index '")
    assert text.endswith("': needed in a foreign key constraint\")")
    sandbox.execute("CREATE INDEX kept_for_foreign_key ON students_student (admission_number)")
    assert sandbox.manage("migrate").status == 0


@on_sqlite_alone
def test_fake_of_a_migration_that_does_more_leaves_the_rest_undone(database, opened):
    sandbox = opened("healthy", database)
    sandbox.execute("CREATE INDEX payment_paid_at_idx ON fees_payment (paid_at)")
    write(sandbox, "fees", "0013_both", f"{ADD_INDEX}, {ADD_FIELD}")
    assert sandbox.manage("migrate", "fees", "0013", "--fake").status == 0
    assert sandbox.manage("migrate", "--check").status == 0
    with pytest.raises(Exception, match="remark"):
        sandbox.execute("SELECT remark FROM fees_payment")


@on_all
def test_if_not_exists_keeps_an_index_of_other_columns(database, opened):
    sandbox = opened("healthy", database)
    sandbox.execute("CREATE INDEX payment_paid_at_idx ON fees_payment (amount)")
    write(sandbox, "fees", "0013_index", "migrations.RunSQL('CREATE INDEX IF NOT EXISTS payment_paid_at_idx ON fees_payment (paid_at)')")
    assert sandbox.manage("migrate").status == 0
    (line,) = (line for line in sandbox.snapshot().schema["fees_payment"] if "payment_paid_at_idx" in line)
    assert "amount" in line and "paid_at)" not in line


@on_sqlite_alone
def test_operation_taken_out_of_the_migration_is_written_again(database, opened):
    sandbox = opened(MISSING, database)
    file = sandbox.project / "students/migrations/0011_twins_may_share_a_name.py"
    text = file.read_text()
    file.write_text(text[: text.index("    operations = [")] + "    operations = []\n")
    assert sandbox.manage("migrate").status == 0
    assert sandbox.manage("makemigrations", "--check").status == 1


@on("postgresql", "mariadb")
def test_duplicate_comes_in_while_a_unique_constraint_is_dropped(database, opened):
    sandbox = opened("healthy", database)
    sandbox.execute("ALTER TABLE fees_scholarship ADD CONSTRAINT one_percent UNIQUE (percent)")
    write(sandbox, "fees", "0013_unique", ADD_UNIQUE)
    assert sandbox.manage("migrate").status == 1
    sandbox.execute("ALTER TABLE fees_scholarship DROP CONSTRAINT one_percent")
    sandbox.execute("INSERT INTO fees_scholarship (name, percent) VALUES ('One', 77), ('Other', 77)")
    assert "IntegrityError" in sandbox.manage("migrate").output


@on("postgresql", "mariadb", "sqlite")
def test_what_no_database_complains_about(database, opened):
    sandbox = opened("healthy", database)
    if database == "sqlite":
        operations = "migrations.RemoveConstraint('payment', 'payment_amount_positive'), " \
            "migrations.AddConstraint('payment', models.CheckConstraint(condition=models.Q(amount__gt=0), name='payment_amount_positive'))"
    elif database == "postgresql":
        sandbox.execute("DROP INDEX invoice_student_due_idx")
        operations = "migrations.RemoveIndex('invoice', 'invoice_student_due_idx')"
    else:
        sandbox.execute("ALTER TABLE fees_payment DROP CONSTRAINT payment_amount_positive")
        operations = "migrations.RemoveConstraint('payment', 'payment_amount_positive')"
    write(sandbox, "fees", "0013_remove", operations)
    assert sandbox.manage("migrate").status == 0

"""The page's check finds columns that differ; switching checks or constraints off leaves a table without its key."""

from __future__ import annotations

import pymysql
import pytest
from advice import find_cause, last_line, on, on_all_djangos, write_migration

SLUG = "foreign-key-mismatch"
WORLD = "match-foreign-key-column"
KEY = "fees_invoice_heads_feehead_id_d30a06db_fk_fees_feehead_id"
OUTSIDE = "CREATE TABLE outside (head_id {} NULL, CONSTRAINT outside_head FOREIGN KEY (head_id) REFERENCES fees_feehead (id))"
WIDER = "migrations.AlterField('feehead', 'id', models.{}(auto_created=True, primary_key=True, serialize=False, verbose_name='ID'))"
FORMED = "django.db.utils.OperationalError: (1005, 'Can\\'t create table `{}`.`{}` (errno: 150 \"Foreign key constraint is incorrectly formed\")')"
NO_CHECKS = '\nDATABASES["default"].setdefault("OPTIONS", {})["init_command"] = "SET foreign_key_checks = 0"\n'
on_mariadb = on("mariadb")


def write(sandbox, name: str, operations: str) -> None:
    write_migration(sandbox, "fees", name, operations)
    file = sandbox.project / f"fees/migrations/{name}.py"
    file.write_text(file.read_text().replace("import migrations", "import migrations, models", 1))


@on_mariadb
def test_check_of_the_page_finds_what_differs_and_changes_nothing(database, opened):
    sandbox = opened(WORLD, database)
    before = sandbox.snapshot()
    assert find_cause(sandbox, SLUG).output == "fees_feehead.id is int(11) InnoDB; keys to it need bigint InnoDB\n"
    assert before.difference(sandbox.snapshot()) == []
    healthy = opened("healthy", database)
    assert find_cause(healthy, SLUG).output == ""
    healthy.execute(OUTSIDE.format("bigint"))
    healthy.execute("ALTER TABLE students_student MODIFY admission_number varchar(12) CHARACTER SET latin1 NOT NULL")
    assert find_cause(healthy, SLUG).output == "outside.head_id points to fees_feehead.id, and no model knows it\n"


@on_all_djangos
@on_mariadb
def test_my_isam_gives_the_same_text_and_one_statement_repairs_it(database, opened):
    sandbox = opened("healthy", database)
    sandbox.execute(f"ALTER TABLE fees_invoice_heads DROP FOREIGN KEY {KEY}")
    sandbox.execute("ALTER TABLE fees_feehead ENGINE = MyISAM")
    write(sandbox, "0013_rule", "migrations.CreateModel('Rule', [('id', models.BigAutoField(primary_key=True)), ('head', models.ForeignKey('fees.FeeHead', models.CASCADE))])")
    assert last_line(sandbox.manage("migrate").output) == FORMED.format(sandbox.place.database, "fees_rule")
    assert find_cause(sandbox, SLUG).output == "fees_feehead.id is bigint(20) MyISAM; keys to it need bigint InnoDB\n"
    sandbox.execute("DROP TABLE fees_rule")
    done = sandbox.run("runbook", "run", WORLD, "--apply", "--yes")
    assert done.status != 0 and "These tables are not InnoDB" in done.output and "Nothing was changed" in done.output
    sandbox.execute("ALTER TABLE fees_feehead ENGINE = InnoDB")
    assert sandbox.manage("migrate").status == 0


@on_all_djangos
@on_mariadb
def test_stranger_holds_on_to_the_column_and_the_runbook_lets_the_migration_pass(database, opened):
    sandbox = opened("healthy", database)
    for statement in (f"ALTER TABLE fees_invoice_heads DROP FOREIGN KEY {KEY}", "ALTER TABLE fees_feehead MODIFY id int NOT NULL AUTO_INCREMENT",
                      "ALTER TABLE fees_invoice_heads MODIFY feehead_id int NOT NULL", OUTSIDE.format("int"),
                      f"ALTER TABLE fees_invoice_heads ADD CONSTRAINT {KEY} FOREIGN KEY (feehead_id) REFERENCES fees_feehead (id)"):
        sandbox.execute(statement)
    initial = sandbox.project / "fees/migrations/0001_initial.py"
    text = initial.read_text()
    head = text.index("BigAutoField", text.index('name="FeeHead"'))
    initial.write_text(text[:head] + text[head + 3:])
    write(sandbox, "0013_wider", WIDER.format("BigAutoField"))
    held = f"django.db.utils.OperationalError: (1833, \"Cannot change column 'id': used in a foreign key constraint 'outside_head' of table '{sandbox.place.database}.outside'\")"
    assert last_line(sandbox.manage("migrate").output) == held
    done = sandbox.run("runbook", "run", WORLD, "--apply", "--yes")
    assert done.status == 0, done.output
    assert sandbox.manage("migrate").status == 0
    assert "bigint" in sandbox.execute("SHOW CREATE TABLE outside")[0][1]


@on_mariadb
def test_model_that_is_behind_is_changed(database, opened):
    sandbox = opened("healthy", database)
    write(sandbox, "0013_narrow", WIDER.format("AutoField"))
    assert sandbox.manage("migrate", "fees", "0013", "--fake").status == 0
    done = sandbox.run("runbook", "run", WORLD, "--apply", "--yes")
    assert done.status != 0 and "the models expect a narrower or other type: change the model" in done.output
    write(sandbox, "0014_wide", WIDER.format("BigAutoField"))
    assert sandbox.manage("migrate").status == 0


@on_mariadb
def test_checks_switched_off_give_another_number_and_leave_the_table(database, opened):
    sandbox = opened(WORLD, database)
    settings = sandbox.project / "acharya/settings.py"
    settings.write_text(settings.read_text() + NO_CHECKS)
    assert "(1825, " in last_line(sandbox.manage("migrate").output)
    assert "REFERENCES" not in sandbox.execute("SHOW CREATE TABLE fees_feerule")[0][1]


@on_mariadb
def test_field_without_a_constraint_takes_ids_that_no_row_has(database, opened):
    sandbox = opened(WORLD, database)
    file = sandbox.project / "fees/migrations/0013_fee_rule.py"
    file.write_text(file.read_text().replace("on_delete=", "db_constraint=False, on_delete="))
    assert sandbox.manage("migrate").status == 0
    sandbox.execute("INSERT INTO fees_feerule (head_id, begins_on) VALUES (999999, '2026-01-01')")


@on_mariadb
def test_fake_makes_no_table(database, opened):
    sandbox = opened(WORLD, database)
    assert sandbox.manage("migrate", "--fake").status == 0
    with pytest.raises(pymysql.ProgrammingError, match="fees_feerule"):
        sandbox.execute("SELECT * FROM fees_feerule")


@on_mariadb
def test_changing_one_of_the_two_columns_gives_the_same_error(database, opened):
    sandbox = opened(WORLD, database)
    sandbox.execute(f"ALTER TABLE fees_invoice_heads DROP FOREIGN KEY {KEY}")
    sandbox.execute("ALTER TABLE fees_feehead MODIFY id bigint NOT NULL AUTO_INCREMENT")
    sandbox.execute("UPDATE fees_invoice_heads SET feehead_id = 999999 LIMIT 1")
    with pytest.raises(pymysql.OperationalError, match="errno: 150"):
        sandbox.execute(f"ALTER TABLE fees_invoice_heads ADD CONSTRAINT {KEY} FOREIGN KEY (feehead_id) REFERENCES fees_feehead (id)")

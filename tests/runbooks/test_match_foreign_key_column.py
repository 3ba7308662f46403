from __future__ import annotations

import pymysql
import pytest
from migration_runbooks.worlds import open_sandbox
from proof import RunbookProof

COLUMN = {"COLUMN": "fees_feehead.id"}
OUTSIDE = "CREATE TABLE outside (id int PRIMARY KEY AUTO_INCREMENT, head_id {} NULL, CONSTRAINT outside_head FOREIGN KEY (head_id) REFERENCES fees_feehead (id) ON DELETE SET NULL)"
KEYS = "SELECT constraint_name, table_name, delete_rule FROM information_schema.referential_constraints WHERE constraint_schema = DATABASE() ORDER BY 1"
NARROW_AUTHOR = (
    "ALTER TABLE catalog_book_authors DROP FOREIGN KEY {}",
    "ALTER TABLE catalog_author MODIFY id int unsigned NOT NULL AUTO_INCREMENT COMMENT 'from the old system'",
    "ALTER TABLE catalog_book_authors MODIFY author_id int unsigned NOT NULL",
    "ALTER TABLE catalog_book_authors ADD CONSTRAINT {} FOREIGN KEY (author_id) REFERENCES catalog_author (id)",
)
WITH_TEXT_KEY = "migrations.CreateModel('Card', [('id', models.BigAutoField(primary_key=True)), ('student', models.ForeignKey('students.Student', models.CASCADE, to_field='admission_number'))])"


def key_to(sandbox, table: str, child: str) -> str:
    return sandbox.execute(
        "SELECT constraint_name FROM information_schema.referential_constraints WHERE constraint_schema = DATABASE()"
        f" AND referenced_table_name = '{table}' AND table_name = '{child}'"
    )[0][0]


def write(sandbox, app: str, name: str, after: str, operations: str) -> None:
    (sandbox.project / f"{app}/migrations/{name}.py").write_text(
        "from django.db import migrations, models\n\n\nclass Migration(migrations.Migration):\n"
        f'    dependencies = [("{app}", "{after}"), ("students", "0009_student_class_name_index")]\n    operations = [{operations}]\n'
    )


class TestMatchForeignKeyColumn(RunbookProof):
    slug = "match-foreign-key-column"
    errors = {
        "": "django.db.utils.OperationalError: (1005, 'Can\\'t create table `[..]`.`fees_feerule`"
        " (errno: 150 \"Foreign key constraint is incorrectly formed\")')",
    }

    def check_fixed(self, cause, broken, fixed, sandbox):
        assert broken.rows == fixed.rows
        assert broken.difference(fixed, ignore={"fees_feehead", "fees_invoice_heads"}) == []
        lines = [line for line in fixed.schema["fees_feehead"] + fixed.schema["fees_invoice_heads"] if line.startswith(("column id:", "column feehead_id:"))]
        assert len(lines) == 3 and all("bigint" in line for line in lines), lines

    def test_schema_is_then_the_one_of_a_healthy_project(self, database, tmp_path):
        with open_sandbox("healthy", database, tmp_path / "healthy") as sandbox:
            healthy = sandbox.snapshot()
        with open_sandbox(self.slug, database, tmp_path / "broken") as sandbox:
            self.fix(sandbox, self.diagnose(sandbox))
            fixed = sandbox.snapshot()
            assert fixed.schema == healthy.schema
            assert sandbox.manage("migrate").status == 0

    def test_table_that_a_failed_migration_left_is_finished_by_the_other_runbook(self, database, tmp_path):
        with open_sandbox(self.slug, database, tmp_path) as sandbox:
            assert sandbox.manage("migrate").status == 1
            assert "(1050, \"Table 'fees_feerule' already exists\")" in sandbox.manage("migrate").output
            self.fix(sandbox, self.diagnose(sandbox))
            done = sandbox.run("runbook", "run", "finish-half-applied-migration", "--apply", "--yes")
            assert done.status == 0, done.output
            assert sandbox.manage("migrate").status == 0
            assert key_to(sandbox, "fees_feehead", "fees_feerule")

    def test_stranger_is_changed_too_and_keeps_its_rule(self, database, tmp_path):
        with open_sandbox("healthy", database, tmp_path) as sandbox:
            key = key_to(sandbox, "fees_feehead", "fees_invoice_heads")
            for statement in NARROW_AUTHOR:
                sandbox.execute(statement.format(key).replace("catalog_book_authors", "fees_invoice_heads").replace("catalog_author", "fees_feehead").replace("author_id", "feehead_id").replace(" unsigned", ""))
            sandbox.execute(OUTSIDE.format("int"))
            sandbox.execute("INSERT INTO outside (head_id) VALUES (1), (NULL)")
            before, keys = sandbox.snapshot(), sandbox.execute(KEYS)
            self.fix(sandbox, self.diagnose(sandbox))
            assert sandbox.execute(KEYS) == keys and ("outside_head", "outside", "SET NULL") in keys
            assert before.rows == sandbox.snapshot().rows
            with pytest.raises(pymysql.IntegrityError):
                sandbox.execute("INSERT INTO outside (head_id) VALUES (999999)")
            assert self.step(sandbox, "undo", COLUMN).status == 0
            assert before.difference(sandbox.snapshot()) == [] and sandbox.execute(KEYS) == keys

    def test_collation_and_engine_are_matched(self, database, tmp_path):
        with open_sandbox("healthy", database, tmp_path) as sandbox:
            write(sandbox, "fees", "0013_card", "0012_invoice_discount", WITH_TEXT_KEY)
            sandbox.execute("ALTER TABLE students_student MODIFY admission_number varchar(12) CHARACTER SET latin1 COLLATE latin1_swedish_ci NOT NULL")
            before = sandbox.snapshot()
            assert "errno: 150" in sandbox.manage("migrate").output
            sandbox.execute("DROP TABLE fees_card")
            inputs = {"COLUMN": "students_student.admission_number"}
            done = self.step(sandbox, "diagnose")
            assert done.status == 1 and "students_student.admission_number is varchar(12) latin1_swedish_ci InnoDB" in done.output, done.output
            self.fix(sandbox, inputs)
            assert sandbox.manage("migrate").status == 0
            sandbox.execute(f"ALTER TABLE fees_invoice_heads DROP FOREIGN KEY {key_to(sandbox, 'fees_feehead', 'fees_invoice_heads')}")
            sandbox.execute("ALTER TABLE fees_feehead ENGINE = MyISAM")
            self.fix(sandbox, self.diagnose(sandbox))
            assert "ENGINE=InnoDB" in sandbox.execute("SHOW CREATE TABLE fees_feehead")[0][1]
            assert before.rows["students_student"] == sandbox.snapshot().rows["students_student"]

    def test_values_that_do_not_fit_the_old_type_stop_the_undo_and_nothing_changes(self, database, tmp_path):
        with open_sandbox(self.slug, database, tmp_path) as sandbox:
            inputs = self.diagnose(sandbox)
            self.fix(sandbox, inputs)
            sandbox.execute("INSERT INTO fees_feehead (id, name, amount) VALUES (5000000000, 'Late', 1)")
            before, keys = sandbox.snapshot(), sandbox.execute(KEYS)
            done = self.step(sandbox, "undo", inputs)
            assert done.status == 2 and "fees_feehead.id is bigint InnoDB as before" in done.stderr, done.output
            assert before.difference(sandbox.snapshot()) == [] and sandbox.execute(KEYS) == keys
            self.verify(sandbox, inputs)

    def test_wider_column_is_for_a_person(self, database, tmp_path):
        with open_sandbox("healthy", database, tmp_path) as sandbox:
            key = key_to(sandbox, "fees_feehead", "fees_invoice_heads")
            sandbox.execute(f"ALTER TABLE fees_invoice_heads DROP FOREIGN KEY {key}")
            sandbox.execute("ALTER TABLE fees_feehead MODIFY id varchar(40) NOT NULL")
            before = sandbox.snapshot()
            done = self.step(sandbox, "diagnose")
            assert done.status == 2 and "the models expect a narrower or other type" in done.output, done.output
            refused = self.step(sandbox, "fix", COLUMN)
            assert refused.status == 1 and "Refused, nothing was changed: fees_feehead.id: the models expect" in refused.stderr
            assert before.difference(sandbox.snapshot()) == []

    def test_chain_of_keys_is_for_a_person(self, database, tmp_path):
        with open_sandbox(self.slug, database, tmp_path) as sandbox:
            sandbox.execute("CREATE TABLE outside (head_id int PRIMARY KEY, FOREIGN KEY (head_id) REFERENCES fees_feehead (id))")
            sandbox.execute("CREATE TABLE further (id int, FOREIGN KEY (id) REFERENCES outside (head_id))")
            before = sandbox.snapshot()
            done = self.step(sandbox, "diagnose")
            assert done.status == 2 and "the foreign keys are a chain" in done.output, done.output
            assert self.step(sandbox, "fix", COLUMN).status == 1
            assert before.difference(sandbox.snapshot()) == []

    def test_gives_up_when_a_table_is_in_use(self, database, tmp_path):
        with open_sandbox(self.slug, database, tmp_path) as sandbox, sandbox.connect() as other:
            cursor = other.cursor()
            cursor.execute("START TRANSACTION")
            cursor.execute("UPDATE fees_feehead SET amount = amount WHERE id = 1")
            before, keys = sandbox.snapshot(), sandbox.execute(KEYS)
            done = self.step(sandbox, "fix", COLUMN)
            cursor.execute("ROLLBACK")
            assert done.status == 2 and "Lock wait timeout exceeded" in done.stderr and "Traceback" not in done.output, done.output
            assert before.difference(sandbox.snapshot()) == [] and sandbox.execute(KEYS) == keys
            self.fix(sandbox, COLUMN)

    def test_values_that_are_no_column_change_nothing(self, database, tmp_path):
        with open_sandbox(self.slug, database, tmp_path) as sandbox:
            before = sandbox.snapshot()
            for value in ("", "fees_feehead", "fees_feehead.nothing", "../x.y"):
                done = self.step(sandbox, "fix", {"COLUMN": value})
                told = f"{value}: {done.output}"
                assert done.status == 1 and "Refused, nothing was changed" in done.stderr and "Traceback" not in done.output, told
                assert before.difference(sandbox.snapshot()) == [], value

    def break_other_project(self, library):
        key = key_to(library, "catalog_author", "catalog_book_authors")
        for statement in NARROW_AUTHOR:
            library.execute(statement.format(key))

    def check_other_project(self, broken, fixed, library):
        assert broken.rows == fixed.rows and broken.difference(fixed, ignore={"catalog_author", "catalog_book_authors"}) == []
        created = library.execute("SHOW CREATE TABLE catalog_author")[0][1]
        assert "`id` bigint(20) NOT NULL AUTO_INCREMENT COMMENT 'from the old system'" in created

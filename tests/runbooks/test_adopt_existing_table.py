from __future__ import annotations

import pytest
from adopting import HAND_MADE, forget
from migration_runbooks.worlds import open_sandbox
from proof import RunbookProof, one_database

SCHOLARSHIP = "fees.0009_scholarship"
RUNS_CODE = "\n    operations = [*Before.operations, migrations.RunPython(migrations.RunPython.noop)]\n"


class TestAdoptExistingTable(RunbookProof):
    slug = "adopt-existing-table"
    errors = {
        "sqlite": 'django.db.utils.OperationalError: table "fees_scholarship" already exists',
        "postgresql": 'django.db.utils.ProgrammingError: relation "fees_scholarship" already exists',
        "mariadb": "django.db.utils.OperationalError: (1050, \"Table 'fees_scholarship' already exists\")",
    }

    def check_fixed(self, cause, broken, fixed, sandbox):
        before, after = (set(each.rows["django_migrations"]) for each in (broken, fixed))
        assert after - before == {("fees", "0009_scholarship")} and before < after
        assert broken.difference(fixed, ignore={"django_migrations"}) == []

    def test_migrate_after_the_fix_runs_the_rest_and_keeps_every_row(self, database, tmp_path):
        with open_sandbox(self.slug, database, tmp_path) as sandbox:
            rows = sandbox.execute("SELECT * FROM fees_scholarship ORDER BY id")
            assert rows
            self.fix(sandbox, self.diagnose(sandbox))
            migrated = sandbox.manage("migrate")
            assert migrated.status == 0, migrated.output
            assert sandbox.execute("SELECT * FROM fees_scholarship ORDER BY id") == rows
            assert sandbox.manage("migrate", "--check").status == 0

    def test_table_made_by_hand_like_the_migration_is_adopted(self, database, tmp_path):
        with open_sandbox(self.slug, database, tmp_path) as sandbox:
            for statement in HAND_MADE["equal"][database]:
                sandbox.execute(statement)
            self.fix(sandbox, self.diagnose(sandbox))

    @pytest.mark.parametrize("shape", [each for each in HAND_MADE if each != "equal"])
    def test_table_of_another_shape_is_not_adopted_and_the_difference_is_named(self, database, shape, tmp_path):
        with open_sandbox(self.slug, database, tmp_path) as sandbox:
            inputs = self.diagnose(sandbox)
            *statements, line = HAND_MADE[shape][database]
            for statement in statements:
                sandbox.execute(statement)
            before = sandbox.snapshot()
            done = self.step(sandbox, "diagnose")
            assert done.status == 2 and line in done.output and "MIGRATION=" not in done.output, done.output
            refused = self.step(sandbox, "fix", inputs)
            assert refused.status == 1 and "Refused, nothing was changed" in refused.stderr and line in refused.stderr
            assert before.difference(sandbox.snapshot()) == []

    def test_bringing_the_table_into_line_as_the_page_says(self, database, tmp_path):
        """On SQLite the rows go aside and come back, with the page's own statements; elsewhere the column is altered."""
        with open_sandbox(self.slug, database, tmp_path) as sandbox:
            rows = sandbox.execute("SELECT id, name, percent FROM fees_scholarship ORDER BY id")
            for statement in HAND_MADE["type"][database][:-1]:
                sandbox.execute(statement)
            assert self.step(sandbox, "diagnose").status == 2
            for statement in into_line(sandbox, database):
                sandbox.execute(statement)
            self.fix(sandbox, self.diagnose(sandbox))
            assert sandbox.execute("SELECT id, name, percent FROM fees_scholarship ORDER BY id") == rows

    def test_what_a_migration_made_is_equal_to_what_it_would_make(self, database, tmp_path):
        """The comparison raises no false alarm over foreign keys, unique columns, many-to-many tables and texts."""
        with open_sandbox("healthy", database, tmp_path) as sandbox:
            for number, name in (("0005", "invoice_number"), ("0003", "invoice_application"), ("0001", "initial")):
                assert sandbox.manage("migrate", "fees", number).status == 0
                forget(sandbox, "fees", f"{number}_{name}")
                inputs = self.diagnose(sandbox)
                assert inputs == {"MIGRATION": f"fees.{number}_{name}"}
                self.fix(sandbox, inputs)

    def test_migration_that_also_runs_code_is_left_to_the_reader(self, database, tmp_path):
        with open_sandbox(self.slug, database, tmp_path) as sandbox:
            file = sandbox.project / "fees/migrations/0009_scholarship.py"
            file.write_text(file.read_text().replace("class Migration", "class Before", 1) + "\n\nclass Migration(Before):" + RUNS_CODE)
            done = self.step(sandbox, "diagnose")
            assert done.status == 2 and "RunPython: what it does leaves nothing that can be compared" in done.output, done.output

    def test_values_that_are_not_what_diagnose_finds_are_refused(self, database, tmp_path):
        with open_sandbox(self.slug, database, tmp_path) as sandbox:
            before = sandbox.snapshot()
            for value in ("", "fees", "fees.0099_nothing", "fees.0010_invoice_student_due_index", "x.y.z"):
                done = self.step(sandbox, "fix", {"MIGRATION": value})
                told = f"{value}: {done.output}"
                assert done.status == 1 and "Refused, nothing was changed" in done.stderr and "Traceback" not in done.output, told
                assert before.difference(sandbox.snapshot()) == [], value

    @one_database
    def test_undo_after_later_migrations_is_refused(self, database, tmp_path):
        with open_sandbox("healthy", database, tmp_path) as sandbox:
            done = self.step(sandbox, "undo", {"MIGRATION": SCHOLARSHIP})
            assert done.status == 1 and "fees.0010_invoice_student_due_index was recorded since" in done.stderr

    @one_database
    def test_crash_can_not_be_told(self, database, tmp_path):
        with open_sandbox("repair-migration-history", database, tmp_path) as sandbox:
            done = self.step(sandbox, "diagnose")
            assert done.status == 2 and "Can't tell: InconsistentMigrationHistory" in done.stderr and "Traceback" not in done.output

    def break_other_project(self, library):
        forget(library, "loans", "0003_reservation")

    def check_other_project(self, broken, fixed, library):
        added = set(fixed.rows["django_migrations"]) - set(broken.rows["django_migrations"])
        assert added == {("loans", "0003_reservation")}
        assert broken.difference(fixed, ignore={"django_migrations"}) == []


def into_line(sandbox, database):
    from migration_runbooks.pages.blocks import read_page
    from migration_runbooks.paths import DOCS

    if database != "sqlite":
        return {
            "postgresql": ["ALTER TABLE fees_scholarship ALTER COLUMN percent TYPE smallint"],
            "mariadb": ["ALTER TABLE fees_scholarship MODIFY percent smallint unsigned NOT NULL CHECK (`percent` >= 0)"],
        }[database]
    page = read_page(DOCS / "runbooks" / "adopt-existing-table.md")
    (text,) = (block.text for block in page.blocks if block.fence.language == "sql")
    shown = sandbox.manage("sqlmigrate", "fees", "0009").output.splitlines()
    (made,) = (line for line in shown if line.startswith('CREATE TABLE "fees_scholarship" '))
    return [made if line.startswith("--") else line for line in text.strip().splitlines()]

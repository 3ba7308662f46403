from __future__ import annotations

import psycopg
import pytest
from migration_runbooks.worlds import open_sandbox
from proof import RunbookProof

NAME = "payment_paid_at_idx"
INVALID = "SELECT indexrelid::regclass::text FROM pg_index WHERE NOT indisvalid ORDER BY 1"
UNIQUE = 'CREATE UNIQUE INDEX CONCURRENTLY "Same name" ON fees_feehead (lower(name)) WHERE amount > 0'
SAME_NAME = "INSERT INTO fees_feehead (name, amount) VALUES ('Twice', {0}), ('TWICE', {0})"


def fail(sandbox, statement: str) -> None:
    with pytest.raises(psycopg.Error):
        sandbox.execute(statement)


def invalid(sandbox) -> list[str]:
    return [name for (name,) in sandbox.execute(INVALID)]


class TestRebuildInvalidIndex(RunbookProof):
    slug = "rebuild-invalid-index"
    errors = {"": f'django.db.utils.ProgrammingError: relation "{NAME}" already exists'}

    def test_the_command_fails_with_exactly_this_text(self, database, cause, django, acharya, tmp_path):
        if cause == "recorded":
            pytest.skip("nothing fails once the migration is recorded: the next test finds the index")
        super().test_the_command_fails_with_exactly_this_text(database, cause, django, acharya, tmp_path)

    def test_migrate_makes_the_index_after_the_fix(self, database, cause, tmp_path):
        with open_sandbox(self.broken_world(cause), database, tmp_path) as sandbox:
            before = sandbox.snapshot()
            assert sandbox.manage("migrate").status == int(cause == "")
            self.fix(sandbox, self.diagnose(sandbox))
            assert sandbox.manage("migrate").status == 0
            index = next(line for line in sandbox.snapshot().schema["fees_payment"] if f"index {NAME}: " in line)
            assert f"{index} INVALID" in before.schema["fees_payment"]

    def check_fixed(self, cause, broken, fixed, sandbox):
        changed = {sign: {line for line in ours.schema["fees_payment"] if line not in others.schema["fees_payment"]}
                   for sign, ours, others in (("-", broken, fixed), ("+", fixed, broken))}
        (was,) = changed["-"]
        assert changed["+"] == ({was.removesuffix(" INVALID")} if cause == "recorded" else set())
        assert broken.rows == fixed.rows and broken.difference(fixed, ignore={"fees_payment"}) == []

    def test_unique_index_is_refused_while_there_are_duplicates_that_it_can_not_hold(self, database, tmp_path):
        with open_sandbox("healthy", database, tmp_path) as sandbox:
            sandbox.execute(SAME_NAME.format(5))
            fail(sandbox, UNIQUE)
            before = sandbox.snapshot()
            done = self.step(sandbox, "diagnose")
            assert done.status == 2 and "fees_feehead has 2 rows with (lower(name::text))=(twice), and the index is unique" in done.output
            refused = self.step(sandbox, "fix", {"INDEXES": '"Same name"'})
            assert refused.status == 1 and "Refused, nothing was changed: fees_feehead has 2 rows" in refused.stderr
            assert before.difference(sandbox.snapshot()) == []
            sandbox.execute("UPDATE fees_feehead SET amount = -1 WHERE name = 'TWICE'")
            assert self.diagnose(sandbox) == {"INDEXES": '"Same name"'}
            self.fix(sandbox, {"INDEXES": '"Same name"'})
            fail(sandbox, SAME_NAME.format(5))

    def test_rows_without_a_value_are_no_duplicates(self, database, tmp_path):
        with open_sandbox("healthy", database, tmp_path) as sandbox:
            sandbox.execute("UPDATE fees_invoice SET note = NULL")
            sandbox.execute("UPDATE fees_invoice SET note = 'same' WHERE id IN (1, 2)")
            fail(sandbox, "CREATE UNIQUE INDEX CONCURRENTLY one_note ON fees_invoice (note)")
            sandbox.execute("UPDATE fees_invoice SET note = NULL WHERE id = 1")
            self.fix(sandbox, self.diagnose(sandbox))
            assert invalid(sandbox) == []

    def test_index_that_somebody_builds_is_left_alone(self, database, tmp_path):
        with open_sandbox(self.slug, database, tmp_path) as sandbox, sandbox.connect() as other:
            other.autocommit = False
            other.execute("LOCK TABLE fees_payment IN SHARE UPDATE EXCLUSIVE MODE")
            done = self.step(sandbox, "diagnose")
            assert done.status == 2 and f"process {other.info.backend_pid} is at work on fees_payment" in done.output
            refused = self.step(sandbox, "fix", {"INDEXES": NAME})
            assert refused.status == 1 and "Refused, nothing was changed: process" in refused.stderr
            assert invalid(sandbox) == [NAME]

    def test_work_in_a_copy_of_the_database_whose_tables_have_the_same_ids_does_not_count(self, database, tmp_path):
        with (
            open_sandbox(self.slug, database, tmp_path / "own") as sandbox,
            open_sandbox(self.slug, database, tmp_path / "copy") as copy,
            copy.connect() as other,
        ):
            table = "SELECT 'fees_payment'::regclass::oid"
            assert copy.execute(table) == sandbox.execute(table)
            other.autocommit = False
            other.execute("LOCK TABLE fees_payment IN SHARE UPDATE EXCLUSIVE MODE")
            self.fix(sandbox, self.diagnose(sandbox))
            assert invalid(sandbox) == []

    def test_what_a_failed_rebuild_leaves_is_dropped_and_the_index_rebuilt(self, database, tmp_path):
        with open_sandbox(f"{self.slug}:recorded", database, tmp_path) as sandbox:
            with sandbox.connect() as other, sandbox.connect() as rebuilding:
                rebuilding.execute("SET lock_timeout = '200ms'")
                other.autocommit = False
                other.execute("LOCK TABLE fees_payment IN ROW EXCLUSIVE MODE")
                with pytest.raises(psycopg.errors.LockNotAvailable):
                    rebuilding.execute(f"REINDEX INDEX CONCURRENTLY {NAME}")
            assert invalid(sandbox) == [NAME, f"{NAME}_ccnew"]
            self.fix(sandbox, {"INDEXES": NAME})
            self.verify(sandbox, {})
            assert len(sandbox.execute(f"SELECT 1 FROM pg_class WHERE relname LIKE '{NAME}%'")) == 1

    def test_index_that_a_waiting_migration_removes_is_not_dropped(self, database, tmp_path):
        with open_sandbox(f"{self.slug}:recorded", database, tmp_path) as sandbox:
            (sandbox.project / "fees/migrations/0014_remove_index.py").write_text(
                "from django.db import migrations\n\n\nclass Migration(migrations.Migration):\n"
                f'    dependencies = [("fees", "0013_{NAME.removesuffix("_idx")}_index")]\n'
                f'    operations = [migrations.RemoveIndex("payment", "{NAME}")]\n'
            )
            assert "is rebuilt" in self.step(sandbox, "diagnose").output

    def test_values_that_are_no_index_change_nothing(self, database, tmp_path):
        with open_sandbox(self.slug, database, tmp_path) as sandbox:
            before = sandbox.snapshot()
            for value in ("", "no_such_idx", "fees_payment", "fees_payment_pkey; DROP TABLE fees_payment"):
                done = self.step(sandbox, "fix", {"INDEXES": value})
                assert done.status == 1 and "Refused, nothing was changed: no index here" in done.stderr, f"{value}: {done.output}"
                assert before.difference(sandbox.snapshot()) == [], value

    def test_valid_index_is_never_touched(self, database, tmp_path):
        with open_sandbox(self.slug, database, tmp_path) as sandbox:
            before = sandbox.snapshot()
            assert "Nothing to do" in self.fix(sandbox, {"INDEXES": "fees_payment_pkey"})
            assert before.difference(sandbox.snapshot()) == []

    def break_other_project(self, library):
        library.execute("INSERT INTO catalog_author (name) VALUES ('Ada Byrne')")
        fail(library, 'CREATE UNIQUE INDEX CONCURRENTLY "One name" ON catalog_author (name)')
        library.execute("DELETE FROM catalog_author WHERE id > 3")

    def check_other_project(self, broken, fixed, library):
        assert invalid(library) == [] and broken.rows == fixed.rows
        assert broken.difference(fixed, ignore={"catalog_author"}) == []
        fail(library, "INSERT INTO catalog_author (name) VALUES ('Ada Byrne')")

from __future__ import annotations

import threading
import time

from migration_runbooks.worlds import open_sandbox
from proof import RunbookProof

BEHIND = {"": {"fees_feehead_id_seq": 5, "fees_scholarship_id_seq": 40}, "history": {"django_migrations_id_seq": None}}
FEE_HEADS = {"SEQUENCES": "fees_feehead_id_seq"}
WAITING = """
    SELECT count(*) FROM pg_locks JOIN pg_stat_activity USING (pid)
    WHERE datname = current_database() AND NOT granted AND relation = 'fees_feehead'::regclass"""
NEXT_FEE_HEAD = "INSERT INTO fees_feehead (name, amount) VALUES ('Next', 1) RETURNING id"
OTHER_KINDS = (
    "CREATE SCHEMA old",
    'CREATE TABLE old."Stock list" (id serial PRIMARY KEY)',
    'INSERT INTO old."Stock list" VALUES (7)',
    "CREATE SEQUENCE shared",
    "CREATE TABLE one (id bigint PRIMARY KEY DEFAULT nextval('shared'))",
    "CREATE TABLE other (id bigint PRIMARY KEY DEFAULT nextval('shared'))",
    "INSERT INTO other VALUES (70)",
    "CREATE TABLE empty (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY)",
    "CREATE TABLE not_unique (number serial)",
    "INSERT INTO not_unique VALUES (5)",
)


class TestAdvanceSequence(RunbookProof):
    slug = "advance-sequence"
    errors = {
        "history": 'django.db.utils.IntegrityError: duplicate key value violates unique constraint "django_migrations_pkey"\n'
        "DETAIL:  Key (id)=(1) already exists.",
        "": 'django.db.utils.IntegrityError: duplicate key value violates unique constraint "fees_feehead_pkey"\n'
        "DETAIL:  Key (id)=(4) already exists.",
    }

    def step(self, sandbox, step, inputs=None):
        """Where a sequence stands is in no snapshot, so each fix that says it is done is looked at, also after a kill."""
        done = super().step(sandbox, step, inputs)
        if step == "fix" and done.status == 0:
            self.verify(sandbox, inputs)
        return done

    def check_fixed(self, cause, broken, fixed, sandbox):
        for sequence, highest in BEHIND[cause].items():
            highest = highest or sandbox.execute("SELECT max(id) FROM django_migrations")[0][0]
            assert sandbox.execute(f"SELECT last_value, is_called FROM {sequence}") == [(highest, True)]
        assert (broken.schema, broken.rows) == (fixed.schema, fixed.rows)

    def test_migrate_passes_after_the_fix(self, database, cause, tmp_path):
        with open_sandbox(self.broken_world(cause), database, tmp_path) as sandbox:
            self.fix(sandbox, self.diagnose(sandbox))
            assert sandbox.manage("migrate").status == 0

    def test_looking_takes_no_number(self, database, cause, tmp_path):
        with open_sandbox(self.broken_world(cause), database, tmp_path) as sandbox:
            before = sandbox.snapshot().sequences
            self.verify(sandbox, self.diagnose(sandbox), status=1)
            assert sandbox.snapshot().sequences == before

    def test_row_that_another_session_has_not_committed_counts_too(self, database, tmp_path):
        with open_sandbox(self.slug, database, tmp_path) as sandbox, sandbox.connect() as other:
            other.autocommit = False
            other.execute("INSERT INTO fees_feehead (id, name, amount) VALUES (90, 'Late', 1)")
            fixing = threading.Thread(target=self.fix, args=(sandbox, FEE_HEADS))
            fixing.start()
            while not sandbox.execute(WAITING)[0][0]:
                time.sleep(0.05)
            other.commit()
            fixing.join()
            assert sandbox.execute(NEXT_FEE_HEAD) == [(91,)]

    def test_gives_up_when_the_table_is_locked_and_goes_on_later(self, database, tmp_path):
        with open_sandbox(self.slug, database, tmp_path) as sandbox:
            before = sandbox.snapshot()
            with sandbox.connect() as other:
                other.autocommit = False
                other.execute("LOCK TABLE fees_feehead IN ROW EXCLUSIVE MODE")
                done = self.step(sandbox, "fix", FEE_HEADS)
            assert done.status == 2 and "canceling statement due to lock timeout" in done.stderr and "Traceback" not in done.output
            assert before.difference(sandbox.snapshot()) == []
            self.fix(sandbox, FEE_HEADS)

    def test_only_the_named_sequence_moves_and_never_backwards(self, database, tmp_path):
        with open_sandbox(self.slug, database, tmp_path) as sandbox:
            sandbox.execute("SELECT setval('fees_payment_id_seq', 5000)")
            self.fix(sandbox, {"SEQUENCES": "fees_feehead_id_seq fees_payment_id_seq"})
            assert sandbox.execute("SELECT last_value FROM fees_payment_id_seq") == [(5000,)]
            assert self.diagnose(sandbox) == {"SEQUENCES": "fees_scholarship_id_seq"}

    def test_serial_shared_and_quoted_sequences_in_any_schema(self, database, tmp_path):
        with open_sandbox("healthy", database, tmp_path) as sandbox:
            for statement in OTHER_KINDS:
                sandbox.execute(statement)
            inputs = self.diagnose(sandbox)
            assert inputs == {"SEQUENCES": 'old."Stock list_id_seq" shared'}
            self.fix(sandbox, inputs)
            self.verify(sandbox, inputs)
            assert sandbox.execute("INSERT INTO one DEFAULT VALUES RETURNING id") == [(71,)]
            assert sandbox.execute('INSERT INTO old."Stock list" DEFAULT VALUES RETURNING id') == [(8,)]

    def test_sequence_without_numbers_left_can_not_be_advanced(self, database, tmp_path):
        with open_sandbox("healthy", database, tmp_path) as sandbox:
            sandbox.execute("CREATE TABLE small (id smallserial PRIMARY KEY)")
            sandbox.execute("INSERT INTO small VALUES (32767)")
            done = self.step(sandbox, "diagnose")
            assert done.status == 2 and "small_id_seq ends at 32767: make it and its columns bigint first" in done.output
            refused = self.step(sandbox, "fix", {"SEQUENCES": "small_id_seq"})
            assert refused.status == 1 and "Refused, nothing was changed: no numbers are left in small_id_seq" in refused.stderr

    def test_what_may_not_be_read_is_named(self, database, tmp_path):
        with open_sandbox("healthy", database, tmp_path) as sandbox:
            sandbox.execute("REVOKE ALL ON SEQUENCE fees_feehead_id_seq FROM CURRENT_USER")
            done = self.step(sandbox, "diagnose")
            assert done.status == 2 and "Not looked at, for want of the right to read them: fees_feehead_id_seq\n" in done.output

    def test_values_that_are_no_sequence_of_a_column_change_nothing(self, database, tmp_path):
        with open_sandbox(self.slug, database, tmp_path) as sandbox:
            before = sandbox.snapshot()
            for value in ("", "no_such_seq", "fees_feehead", "fees_feehead_id_seq; DROP TABLE fees_feehead"):
                done = self.step(sandbox, "fix", {"SEQUENCES": value})
                told = f"{value}: {done.output}"
                assert done.status == 1 and "Refused, nothing was changed: not a sequence of a column here" in done.stderr, told
                assert before.difference(sandbox.snapshot()) == [], value

    def break_other_project(self, library):
        library.execute("INSERT INTO catalog_author (id, name) VALUES (12, 'Iris Valen')")

    def check_other_project(self, broken, fixed, library):
        assert (broken.schema, broken.rows) == (fixed.schema, fixed.rows)
        assert library.execute("INSERT INTO catalog_author (name) VALUES ('Olga Brandt') RETURNING id") == [(13,)]


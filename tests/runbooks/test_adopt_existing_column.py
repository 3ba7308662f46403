from __future__ import annotations

import pytest
from adopting import forget
from migration_runbooks.pages.blocks import read_page
from migration_runbooks.paths import DOCS
from migration_runbooks.worlds import open_sandbox
from proof import RunbookProof

RECORD = {"": ("fees", "0012_invoice_discount"), "nullable": ("attendance", "0008_leave_request_approved_at")}
DISCOUNT = "column discount"
DROP, ADD = "ALTER TABLE fees_invoice DROP COLUMN discount", "ALTER TABLE fees_invoice ADD COLUMN discount"
EQUAL = {
    "sqlite": [DROP, f"{ADD} DECIMAL NOT NULL DEFAULT 0"],
    "postgresql": [DROP, f"{ADD} numeric(10,2) NOT NULL DEFAULT 0", "ALTER TABLE fees_invoice ALTER discount DROP DEFAULT"],
    "mariadb": [DROP, f"{ADD} numeric(10,2) NOT NULL DEFAULT 0", "ALTER TABLE fees_invoice ALTER discount DROP DEFAULT"],
}
OTHER_SHAPES = {
    "type": f"{ADD} varchar(20) NOT NULL DEFAULT ''",
    "NULL": f"{ADD} decimal(10,2) NULL",
    "constraint": f"{ADD} decimal(10,2) NOT NULL DEFAULT 0 CHECK (discount < 5000)",
}
NAMED = {
    "type": {
        "sqlite": "column discount varchar(20) NOT NULL DEFAULT ''",
        "postgresql": "column discount character varying(20) NOT NULL DEFAULT ''::character varying",
        "mariadb": "column discount varchar(20) NOT NULL DEFAULT ''",
    },
    "NULL": {
        "sqlite": "column discount decimal(10,2)\n",
        "postgresql": "column discount numeric(10,2)\n",
        "mariadb": "column discount decimal(10,2) DEFAULT NULL",
    },
    "constraint": {
        "sqlite": "CHECK(discount < 5000)",
        "postgresql": "CHECK((discount <(5000)::numeric))",
        "mariadb": "column discount decimal(10,2) NOT NULL DEFAULT 0.00 CHECK(discount < 5000)",
    },
}


def discounts(sandbox):
    return sorted(float(value) for (value,) in sandbox.execute("SELECT discount FROM fees_invoice"))


class TestAdoptExistingColumn(RunbookProof):
    slug = "adopt-existing-column"
    errors = {
        "postgresql": 'django.db.utils.ProgrammingError: column "discount" of relation "fees_invoice" already exists',
        "mariadb": "django.db.utils.OperationalError: (1060, \"Duplicate column name 'discount'\")",
        "nullable:sqlite": "django.db.utils.OperationalError: duplicate column name: approved_at",
        "nullable:postgresql":
            'django.db.utils.ProgrammingError: column "approved_at" of relation "attendance_leaverequest" already exists',
        "nullable:mariadb": "django.db.utils.OperationalError: (1060, \"Duplicate column name 'approved_at'\")",
    }

    def test_the_command_fails_with_exactly_this_text(self, database, cause, django, acharya, tmp_path):
        if (database, cause) == ("sqlite", ""):
            pytest.skip("SQLite does not stop: see the next test")
        super().test_the_command_fails_with_exactly_this_text(database, cause, django, acharya, tmp_path)

    def test_migrate_erases_values_on_sqlite_with_status_0_and_diagnose_finds_it_before(self, database, tmp_path):
        if database != "sqlite":
            pytest.skip("only SQLite rebuilds the table and erases the values")
        with open_sandbox(self.slug, database, tmp_path) as sandbox:
            assert any(discounts(sandbox))
            assert self.step(sandbox, "diagnose").status == 1
            done = sandbox.manage("migrate")
            assert done.status == 0 and "Applying fees.0012_invoice_discount... OK" in done.output
            assert not any(discounts(sandbox)), "the values survived: the warning on the page is no longer true"

    def test_migrate_after_the_fix_keeps_every_value(self, database, cause, tmp_path):
        with open_sandbox(self.broken_world(cause), database, tmp_path) as sandbox:
            before = sandbox.snapshot(), discounts(sandbox)
            self.fix(sandbox, self.diagnose(sandbox))
            assert sandbox.manage("migrate").status == 0
            assert any(before[1]) and discounts(sandbox) == before[1]
            assert before[0].difference(sandbox.snapshot(), ignore={"django_migrations"}) == []

    def check_fixed(self, cause, broken, fixed, sandbox):
        before, after = (set(each.rows["django_migrations"]) for each in (broken, fixed))
        assert after - before == {RECORD[cause]} and before < after
        assert broken.difference(fixed, ignore={"django_migrations"}) == []

    def test_column_added_by_hand_is_adopted_only_when_it_has_no_default_of_its_own(self, database, tmp_path):
        with open_sandbox(self.slug, database, tmp_path) as sandbox:
            for statement in EQUAL[database]:
                sandbox.execute(statement)
            done = self.step(sandbox, "diagnose")
            if database == "sqlite":  # it can't drop a default: the page's way with a table of its own is left
                assert done.status == 2 and "column discount decimal NOT NULL DEFAULT 0" in done.output
            else:
                self.fix(sandbox, self.diagnose(sandbox))

    def test_column_of_another_shape_is_not_adopted_and_the_difference_is_named(self, database, tmp_path):
        with open_sandbox(self.slug, database, tmp_path) as sandbox:
            inputs = self.diagnose(sandbox)
            for shape, add in OTHER_SHAPES.items():
                sandbox.execute(DROP)
                sandbox.execute(add)
                before, line = sandbox.snapshot(), f"fees_invoice has instead or besides: {NAMED[shape][database]}"
                done = self.step(sandbox, "diagnose")
                told = f"{shape}: {done.output}"
                assert done.status == 2 and line in done.output and "MIGRATION=" not in done.output, told
                refused = self.step(sandbox, "fix", inputs)
                told = f"{shape}: {refused.output}"
                assert refused.status == 1 and "Refused, nothing was changed" in refused.stderr and line.strip() in refused.stderr, told
                assert before.difference(sandbox.snapshot()) == [], shape

    def test_keeping_the_values_in_a_table_of_their_own_as_the_page_says(self, database, tmp_path):
        page = read_page(DOCS / "runbooks" / f"{self.slug}.md")
        (shown,) = (block.text for block in page.blocks if block.fence.language == "sql")
        with open_sandbox(self.slug, database, tmp_path) as sandbox:
            before = discounts(sandbox)
            for line in shown.strip().splitlines():
                if line.startswith("-- here: uv run manage.py "):
                    assert sandbox.manage(*line.removeprefix("-- here: uv run manage.py ").split()).status == 0
                else:
                    sandbox.execute(line)
            assert any(before) and discounts(sandbox) == before
            assert self.step(sandbox, "diagnose").status == 0

    def test_values_kept_in_another_column_are_lost_on_sqlite(self, database, tmp_path):
        if database != "sqlite":
            pytest.skip("only SQLite rebuilds the table")
        with open_sandbox(self.slug, database, tmp_path) as sandbox:
            sandbox.execute("ALTER TABLE fees_invoice RENAME COLUMN discount TO discount_kept")
            assert sandbox.manage("migrate").status == 0
            assert "discount_kept" not in sandbox.execute("SELECT sql FROM sqlite_master WHERE name = 'fees_invoice'")[0][0]

    def test_fake_accepts_another_shape_and_a_value_fails_later(self, database, tmp_path):
        if database == "sqlite":
            pytest.skip("SQLite stores any value in a column of any type")
        with open_sandbox(self.slug, database, tmp_path) as sandbox:
            sandbox.execute(DROP)
            sandbox.execute(f"{ADD} decimal(4,2) NOT NULL DEFAULT 0")
            assert self.step(sandbox, "diagnose").status == 2
            assert sandbox.manage("migrate", "fees", "0012", "--fake").status == 0
            assert sandbox.manage("migrate", "--check").status == 0
            done = sandbox.manage("shell", "-v", "0", "-c", "from fees.models import Invoice; Invoice.objects.update(discount=500)")
            assert done.status != 0 and ("numeric field overflow" in done.output or "Out of range value" in done.output), done.output

    def test_separated_state_can_not_be_told(self, database, tmp_path):
        with open_sandbox(self.slug, database, tmp_path) as sandbox:
            file = sandbox.project / "fees/migrations/0012_invoice_discount.py"
            text = file.read_text().replace("operations = [", "operations = [migrations.SeparateDatabaseAndState(state_operations=[")
            file.write_text(text.rstrip().removesuffix("]") + "])]\n")
            done = self.step(sandbox, "diagnose")
            assert done.status == 2 and "SeparateDatabaseAndState" in done.output, done.output

    def test_values_that_are_not_what_diagnose_finds_change_nothing(self, database, tmp_path):
        with open_sandbox(self.slug, database, tmp_path) as sandbox:
            before = sandbox.snapshot()
            for value in ("", "fees", "fees.0099_nothing", "users.0005_user_role_name_index"):
                done = self.step(sandbox, "fix", {"MIGRATION": value})
                told, refused = f"{value}: {done.output}", done.status == 1 and "Refused, nothing was changed" in done.stderr
                assert refused or "Nothing to do: users.0005_user_role_name_index is recorded." in done.stdout, told
                assert "Traceback" not in done.output and before.difference(sandbox.snapshot()) == [], told

    def break_other_project(self, library):
        """The column comes with a constraint in the same migration."""
        assert library.manage("migrate", "loans", "0002").status == 0
        forget(library, "loans", "0002_loan_returned_on")

    def check_other_project(self, broken, fixed, library):
        added = set(fixed.rows["django_migrations"]) - set(broken.rows["django_migrations"])
        assert added == {("loans", "0002_loan_returned_on")}
        assert broken.difference(fixed, ignore={"django_migrations"}) == []

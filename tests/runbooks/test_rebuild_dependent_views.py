from __future__ import annotations

import pytest
from migration_runbooks.worlds import open_sandbox
from proof import RunbookProof, one_database

FILE = "fees/migrations/0013_longer_receipt_number.py"
VIEWS = {
    "sqlite": "SELECT type, name, tbl_name, sql FROM sqlite_master WHERE type IN ('view', 'trigger') ORDER BY 1, 2",
    "postgresql": "SELECT relname, relkind, pg_get_viewdef(oid), relowner, relacl::text, reloptions, obj_description(oid), relispopulated"
    " FROM pg_class WHERE relkind IN ('v', 'm') AND relnamespace = 'public'::regnamespace ORDER BY 1",
}
MORE = {
    "sqlite": ("CREATE TRIGGER refuse INSTEAD OF INSERT ON invoice_receipts BEGIN SELECT RAISE(ABORT, 'no'); END",),
    "postgresql": (
        "CREATE VIEW \"Public list\" WITH (security_barrier=true) AS SELECT receipt_number AS \"Receipt %\" FROM fees_payment",
        'GRANT SELECT, INSERT ON "Public list" TO PUBLIC',
        'GRANT SELECT ON "Public list" TO pg_monitor WITH GRANT OPTION',
        "CREATE MATERIALIZED VIEW filled AS SELECT receipts FROM receipt_totals",
        "CREATE UNIQUE INDEX one_filled ON filled (receipts, (receipts + 1)) NULLS NOT DISTINCT WHERE receipts < 0",
        "CREATE MATERIALIZED VIEW unfilled AS SELECT receipts FROM receipt_totals WITH NO DATA",
    ),
}
BY_HAND = {
    "trigger": ("CREATE FUNCTION nothing() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'",
                "CREATE TRIGGER t INSTEAD OF INSERT ON invoice_receipts FOR EACH ROW EXECUTE FUNCTION nothing()"),
    "column's right": ("GRANT SELECT (amount) ON invoice_receipts TO PUBLIC",),
    "column's comment": ("COMMENT ON COLUMN invoice_receipts.amount IS 'In rupees'",),
}


def views(sandbox):
    return sandbox.execute(VIEWS[sandbox.database])


def write(sandbox, operations: str, attributes: str = "") -> None:
    (sandbox.project / FILE).write_text(
        f"from django.db import migrations, models\n\n\nclass Migration(migrations.Migration):\n{attributes}"
        f'    dependencies = [("fees", "0012_invoice_discount")]\n    operations = [{operations}]\n'
    )


class TestRebuildDependentViews(RunbookProof):
    slug = "rebuild-dependent-views"
    errors = {
        "sqlite": "django.db.utils.OperationalError: error in view invoice_receipts: no such table: main.fees_payment",
        "postgresql": "django.db.utils.NotSupportedError: cannot alter type of a column used by a view or rule\n"
        'DETAIL:  rule _RETURN on view [..] depends on column "receipt_number"',
    }

    def check_fixed(self, cause, broken, fixed, sandbox):
        assert broken.difference(fixed) == []
        assert (sandbox.project / FILE).read_text().count("migrations.RunSQL(") == 2
        assert sandbox.manage("makemigrations", "--check").status == 0

    def test_views_are_exactly_what_they_were_after_migrating_forward_and_back(self, database, tmp_path):
        with open_sandbox(self.slug, database, tmp_path) as sandbox:
            for statement in MORE[database]:
                sandbox.execute(statement)
            before, was = sandbox.snapshot(), views(sandbox)
            self.fix(sandbox, self.diagnose(sandbox))
            done = sandbox.manage("migrate")
            assert done.status == 0, done.output
            assert views(sandbox) == was and len(was) > 2
            if database == "postgresql":
                assert sandbox.execute("SELECT indexname, indexdef FROM pg_indexes WHERE tablename = 'filled'")[0][0] == "one_filled"
            assert sandbox.manage("migrate", "fees", "0012").status == 0
            assert views(sandbox) == was and before.difference(sandbox.snapshot()) == []

    def test_failure_later_in_the_migration_keeps_the_views(self, database, tmp_path):
        with open_sandbox(self.slug, database, tmp_path) as sandbox:
            was = views(sandbox)
            write(sandbox, "migrations.AlterField('payment', 'receipt_number', models.CharField(max_length=40, blank=True)), migrations.RunSQL('SELECT 1 FROM nope')")
            self.fix(sandbox, self.diagnose(sandbox))
            assert sandbox.manage("migrate").status == 1
            assert views(sandbox) == was

    def test_new_database_gets_the_views_by_the_migration(self, database, tmp_path):
        if database != "sqlite":
            pytest.skip("needs a second database: on SQLite that is a file")
        with open_sandbox(self.slug, database, tmp_path) as sandbox:
            self.fix(sandbox, self.diagnose(sandbox))
            done = sandbox.run("bash", "-c", "uv run manage.py migrate -v 0 && uv run manage.py shell -v 0 -c \"from django.db import connection;"
                               " print(connection.cursor().execute('SELECT count(*) FROM receipt_totals').fetchone())\"",
                               DATABASE_URL=f"sqlite:///{tmp_path}/new.sqlite3")
            assert (done.status, done.stdout) == (0, "(0,)\n"), done.output

    def test_view_that_can_not_come_back_as_it_is_is_named_and_nothing_written(self, database, tmp_path):
        with open_sandbox(self.slug, database, tmp_path) as sandbox:
            inputs = self.diagnose(sandbox)
            for operation, why in (
                ("migrations.RemoveField('payment', 'receipt_number')", "invoice_receipts: it reads receipt_number, which the migration removes"),
                ("migrations.DeleteModel('payment')", "invoice_receipts: it reads fees_payment, which the migration removes"),
                ("migrations.AlterField('payment', 'receipt_number', models.CharField(max_length=40, blank=True)),"
                 " migrations.RenameField('payment', 'amount', 'paid')", "the migration renames fees_payment or a column of it"),
            ):
                write(sandbox, operation)
                before, files = sandbox.snapshot(), sandbox.files()
                done = self.step(sandbox, "diagnose")
                assert done.status == 2 and why in done.output, f"{operation}: {done.output}"
                refused = self.step(sandbox, "fix", inputs)
                told = f"{operation}: {refused.output}"
                assert refused.status == 1 and "Refused, nothing was changed: " in refused.stderr and why in refused.stderr, told
                assert before.difference(sandbox.snapshot()) == [] and sandbox.files() == files, operation

    @pytest.mark.parametrize("what", BY_HAND)
    def test_what_is_not_carried_over_is_refused(self, database, what, tmp_path):
        if database != "postgresql":
            pytest.skip("SQLite has none of these, and its triggers are carried over")
        with open_sandbox(self.slug, database, tmp_path) as sandbox:
            for statement in BY_HAND[what]:
                sandbox.execute(statement)
            done = self.step(sandbox, "diagnose")
            assert done.status == 2 and "invoice_receipts: it has a trigger or rule" in done.output, done.output

    def test_broken_view_of_anything_is_named(self, database, tmp_path):
        if database != "sqlite":
            pytest.skip("PostgreSQL lets no view be broken")
        with open_sandbox(self.slug, database, tmp_path) as sandbox:
            sandbox.execute("CREATE VIEW old_report AS SELECT * FROM gone")
            done = self.step(sandbox, "diagnose")
            assert done.status == 2 and "the view old_report can't be read by anybody" in done.output

    def test_migration_that_is_not_atomic_and_one_that_changes_no_type(self, database, tmp_path):
        with open_sandbox(self.slug, database, tmp_path) as sandbox:
            write(sandbox, "migrations.AlterField('payment', 'receipt_number', models.CharField(max_length=40, blank=True))", "    atomic = False\n")
            assert "the migration is not atomic" in self.step(sandbox, "diagnose").output
            write(sandbox, "migrations.AlterField('payment', 'receipt_number', models.CharField(max_length=20, blank=True, verbose_name='x'))")
            assert self.step(sandbox, "diagnose").status == 0
            assert sandbox.manage("migrate").status == 0

    @pytest.mark.parametrize("operation", [
        "migrations.AddField('payment', 'remark', models.TextField(null=True))",
        "migrations.RenameField('payment', 'paid_at', 'received_at')",
        "migrations.RenameModel('payment', 'receipt')",
        "migrations.RemoveIndex('invoice', 'invoice_student_due_idx')",
    ])
    def test_change_that_no_view_stops_is_left_alone(self, database, operation, tmp_path):
        with open_sandbox(self.slug, database, tmp_path) as sandbox:
            write(sandbox, operation)
            assert self.step(sandbox, "diagnose").status == 0
            assert sandbox.manage("migrate").status == 0
            assert sandbox.execute("SELECT count(*) FROM receipt_totals")[0][0] > 0

    def test_renamed_column_that_a_view_reads_through_another(self, database, tmp_path):
        with open_sandbox(self.slug, database, tmp_path) as sandbox:
            write(sandbox, "migrations.RenameField('payment', 'amount', 'paid')")
            done, migrated = self.step(sandbox, "diagnose"), sandbox.manage("migrate")
            if database == "postgresql":
                assert done.status == migrated.status == 0
            else:
                assert done.status == 2 and "receipt_totals: it reads amount through another view, and the migration renames it" in done.output
                assert migrated.output.endswith("error in view receipt_totals after rename: no such column: amount\n")

    def test_column_with_a_default_is_added_by_a_rebuild_on_sqlite_alone(self, database, tmp_path):
        with open_sandbox(self.slug, database, tmp_path) as sandbox:
            write(sandbox, "migrations.AddField('payment', 'channel', models.CharField(max_length=5, default='cash'))")
            done = self.step(sandbox, "diagnose")
            assert done.status == (1 if database == "sqlite" else 0), done.output
            assert sandbox.manage("migrate").status == done.status
            if done.status:
                self.fix(sandbox, {"MIGRATION": "fees.0013_longer_receipt_number"})
                assert sandbox.manage("migrate").status == 0

    def test_undo_refuses_once_the_migration_ran(self, database, tmp_path):
        with open_sandbox(self.slug, database, tmp_path) as sandbox:
            inputs = self.diagnose(sandbox)
            self.fix(sandbox, inputs)
            assert sandbox.manage("migrate").status == 0
            files = sandbox.files()
            refused = self.step(sandbox, "undo", inputs)
            assert refused.status == 1 and "was applied. Its file must stay as it ran." in refused.stderr
            assert sandbox.files() == files
            assert "is recorded" in self.fix(sandbox, inputs)

    @one_database
    @pytest.mark.parametrize("value", ["", "fees", "fees.0099_nothing"])
    def test_values_that_are_no_migration_change_nothing(self, database, value, tmp_path):
        with open_sandbox(self.slug, database, tmp_path) as sandbox:
            files = sandbox.files()
            done = self.step(sandbox, "fix", {"MIGRATION": value})
            assert done.status == 1 and "Refused, nothing was changed" in done.stderr and "Traceback" not in done.output
            assert sandbox.files() == files

    def break_other_project(self, library):
        library.execute("CREATE VIEW titles AS SELECT title, isbn FROM catalog_book")
        (library.project / "catalog/migrations/0004_longer.py").write_text(
            "from django.db import migrations, models\n\n\nclass Migration(migrations.Migration):\n"
            '    dependencies = [("catalog", "0003_book_pages")]\n'
            "    operations = [migrations.AlterField('book', 'isbn', models.CharField(max_length=17, unique=True))]\n"
        )

    def check_other_project(self, broken, fixed, library):
        assert broken.difference(fixed) == []
        was = views(library)
        done = library.manage("migrate")
        assert done.status == 0 and views(library) == was, done.output
        assert library.manage("migrate", "catalog", "0003").status == 0

"""The faults that are planted, and what must be found of each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from migration_runbooks.integrity.finding import known_runbook
from migration_runbooks.worlds import Sandbox
from planting import constraint, edit, migration, rebuild, sql, unenforced

ALL = ("sqlite", "postgresql", "mariadb")
SERVERS = ("postgresql", "mariadb")
ALONE_ON_SQLITE = ("sqlite",)
"""Of what files and recorded history alone decide: the servers are shown all of these at once, in test_together.py."""
BLIND = {("could-not-check", "warning", "changes of models"), ("could-not-check", "warning", "the expected schema")}
"""What can't be looked at while the files make no graph."""


@dataclass(frozen=True)
class Fault:
    name: str
    plant: Callable[[Sandbox], None]
    id: str
    level: str
    app: str
    object: str
    message: str
    """A piece of the finding's message."""
    runbook: str | None = None
    also: set[tuple[str, str, str]] = field(default_factory=set)
    """Id, level and object of what else follows from the fault."""
    also_on: dict[str, set[tuple[str, str, str]]] = field(default_factory=dict)
    """The same, on one database alone."""
    databases: tuple[str, ...] = ALL
    """Those on which it is planted alone."""
    options: tuple[str, ...] = ()

    def __str__(self) -> str:
        return self.name


def assert_told(finding: dict, fault: Fault) -> None:
    """Assert that a finding says of the fault what it must."""
    assert (finding["level"], finding["app"]) == (fault.level, fault.app)
    assert finding["object"].endswith(fault.object)
    assert fault.message in finding["message"]
    assert finding["hint"]
    assert finding["runbook"] == known_runbook(fault.runbook)


def run(*statements: str, **by_database: str) -> Callable[[Sandbox], None]:
    """Plant by SQL: statements for all databases, or one for each."""
    return lambda sandbox: sql(sandbox, *statements, *filter(None, [by_database.get(sandbox.database)]))


def rebuilt(table: str, pattern: str, replacement: str, **servers: str) -> Callable[[Sandbox], None]:
    """Plant by making the table anew on SQLite, by a statement elsewhere."""

    def plant(sandbox: Sandbox) -> None:
        if sandbox.database == "sqlite":
            rebuild(sandbox, table, pattern, replacement)
        else:
            sql(sandbox, servers[sandbox.database])

    return plant


def emptied(table: str, *how: str, **servers: str) -> Callable[[Sandbox], None]:
    """The same, in a table without rows."""

    def plant(sandbox: Sandbox) -> None:
        sql(sandbox, f"DELETE FROM {table}")
        rebuilt(table, *how, **servers)(sandbox)

    return plant


def drop_foreign_key(sandbox: Sandbox) -> None:
    if sandbox.database == "sqlite":
        rebuild(sandbox, "fees_payment", r'("invoice_id" bigint NOT NULL) REFERENCES "fees_invoice" \("id"\) DEFERRABLE INITIALLY DEFERRED', r"\1")
    else:
        kind = {"postgresql": "CONSTRAINT", "mariadb": "FOREIGN KEY"}[sandbox.database]
        sql(sandbox, f"ALTER TABLE fees_payment DROP {kind} {constraint(sandbox, 'fees_payment', 'invoice_id')}")


def half_applied(sandbox: Sandbox) -> None:
    fields = [f'migrations.AddField("payment", "{name}", models.IntegerField(null=True))' for name in ("batch", "page")]
    data = "migrations.RunPython(migrations.RunPython.noop)"
    migration(sandbox, "fees", "0013_batch_and_page", "0012_invoice_discount", ", ".join([*fields, data]))
    edit(sandbox, "fees/models.py", "    receipt_number = models", "    batch = models.IntegerField(null=True)\n    page = models.IntegerField(null=True)\n    receipt_number = models")
    sql(sandbox, "ALTER TABLE fees_payment ADD COLUMN batch integer NULL")


def lost_db_default(sandbox: Sandbox) -> None:
    given = 'migrations.AddField("payment", "copies", models.IntegerField(db_default=1))'
    migration(sandbox, "fees", "0013_copies", "0012_invoice_discount", given)
    edit(sandbox, "fees/models.py", "    receipt_number = models", "    copies = models.IntegerField(db_default=1)\n    receipt_number = models")
    assert sandbox.manage("migrate", "fees", "-v0").status == 0
    if sandbox.database == "sqlite":
        rebuild(sandbox, "fees_payment", r'("copies" integer) DEFAULT 1', r"\1")
    else:
        sql(sandbox, "ALTER TABLE fees_payment ALTER COLUMN copies DROP DEFAULT")


def on_top_of(statement: str, change: Callable[[Sandbox], None]) -> Callable[[Sandbox], None]:
    """Plant in what a migration makes by SQL."""

    def plant(sandbox: Sandbox) -> None:
        migration(sandbox, "fees", "0013_by_hand", "0012_invoice_discount", f"migrations.RunSQL({statement!r})")
        assert sandbox.manage("migrate", "fees", "-v0").status == 0
        change(sandbox)

    return plant


def two_leaves(sandbox: Sandbox) -> None:
    for name in ("0013_one", "0013_other"):
        migration(sandbox, "fees", name, "0012_invoice_discount")


def invalid_index(sandbox: Sandbox) -> None:
    import psycopg

    try:
        sql(sandbox, "CREATE UNIQUE INDEX CONCURRENTLY one_day ON fees_invoice (due_on)")
    except psycopg.errors.UniqueViolation:
        return
    raise AssertionError("the index could be built")


CHECK_OF_AMOUNT = r', CONSTRAINT "payment_amount_positive" CHECK \(\("?amount"? > [^)]*\)\)|, CONSTRAINT "payment_amount_positive" CHECK \([^)]*\)'
EXCLUSION = "ALTER TABLE fees_invoice ADD CONSTRAINT one_at_a_time EXCLUDE USING gist (daterange(due_on, due_on, '[]') WITH &&) WHERE (id < 0)"
TITLES = r', CONSTRAINT "one_document_per_title" UNIQUE \("application_id", "title"\)'

FILES = [
    Fault(
        "unapplied", lambda s: migration(s, "fees", "0013_nothing", "0012_invoice_discount"),
        "unapplied-migration", "error", "fees", "0013_nothing", "not recorded as applied on database 'default'",
        databases=ALONE_ON_SQLITE,
    ),
    Fault(
        "model changed", lambda s: edit(s, "fees/models.py", "receipt_number = models.CharField(max_length=20", "receipt_number = models.CharField(max_length=25"),
        "model-changes-without-migration", "error", "fees", "fees", "Alter field receipt_number on payment",
        databases=ALONE_ON_SQLITE,
    ),
    Fault(
        "model changed, value needed", lambda s: edit(s, "fees/models.py", "    receipt_number = models", "    page = models.IntegerField()\n    receipt_number = models"),
        "model-changes-without-migration", "error", "fees", "fees", "Add field page to payment",
        databases=ALONE_ON_SQLITE,
    ),
    Fault(
        "two leaves", two_leaves,
        "conflicting-leaves", "error", "fees", "0013_one, 0013_other", "2 last migrations: 0013_one and 0013_other",
        "merge-conflicting-migrations",
        also={("unapplied-migration", "error", "0013_one"), ("unapplied-migration", "error", "0013_other"), ("could-not-check", "warning", "changes of models")},
    ),
    Fault(
        "cycle", lambda s: edit(s, "students/migrations/0004_student_admission_number.py", 'dependencies = [', 'dependencies = [("fees", "0012_invoice_discount"), '),
        "dependency-cycle", "error", "fees", "", "students.0004_student_admission_number",
        "break-dependency-cycle", also=BLIND,
    ),
    Fault(
        "file gone", lambda s: (s.project / "fees/migrations/0004_invoice_note.py").unlink(),
        "missing-parent", "error", "fees", "fees.0004_invoice_note", "fees.0005_invoice_number depends on fees.0004_invoice_note, and no file holds it",
        "restore-missing-migration", also={("ghost-row", "error", "0004_invoice_note"), *BLIND},
    ),
    Fault(
        "file broken", lambda s: (s.project / "fees/migrations/0012_invoice_discount.py").write_text("def"),
        "unreadable-migration", "error", "fees", "0012_invoice_discount", "SyntaxError",
        also=BLIND,
    ),
    Fault(
        "no __init__", lambda s: (s.project / "attendance/migrations/__init__.py").unlink(),
        "missing-init", "error", "attendance", "__init__.py", "Django ignores its 9 migrations",
    ),
]

HISTORY = [
    Fault(
        "row gone", run("DELETE FROM django_migrations WHERE app = 'students' AND name = '0002_student_user'"),
        "inconsistent-history", "error", "students", "0002_student_user", "students.0003_student_guardians is recorded as applied, and students.0002_student_user",
        "repair-migration-history", also={("unapplied-migration", "error", "0002_student_user")}, databases=ALONE_ON_SQLITE,
    ),
    Fault(
        "ghost row", run("INSERT INTO django_migrations (app, name, applied) VALUES ('fees', '0099_gone', CURRENT_TIMESTAMP)"),
        "ghost-row", "error", "fees", "0099_gone", "there is no such file, nor a squash that replaces it", "prune-ghost-records",
        databases=ALONE_ON_SQLITE,
    ),
    Fault(
        "removed app", run("INSERT INTO django_migrations (app, name, applied) VALUES ('library', '0001_initial', CURRENT_TIMESTAMP)"),
        "history-of-removed-app", "warning", "library", "library", "no app of that label is installed", "prune-ghost-records",
        databases=ALONE_ON_SQLITE,
    ),
    Fault(
        "recorded twice", run("INSERT INTO django_migrations (app, name, applied) SELECT app, name, applied FROM django_migrations WHERE name = '0009_scholarship'"),
        "duplicate-history-row", "error", "fees", "0009_scholarship", "is recorded 2 times",
        databases=ALONE_ON_SQLITE,
    ),
    Fault(
        "half applied", half_applied,
        "half-applied-migration", "error", "fees", "0013_batch_and_page",
        "'Add field batch to payment' took effect; 'Add field page to payment' did not; 'Raw Python operation' can't be seen in the schema",
        "finish-half-applied-migration", also={("unapplied-migration", "error", "0013_batch_and_page")},
    ),
    Fault(
        "applied, not recorded", run("DELETE FROM django_migrations WHERE app = 'fees' AND name = '0012_invoice_discount'"),
        "unrecorded-migration", "error", "fees", "0012_invoice_discount", "'Add field discount to invoice' took effect",
        "undo-wrong-fake", also={("unapplied-migration", "error", "0012_invoice_discount")},
    ),
]

SCHEMA = [
    Fault("table dropped", run("DROP TABLE django_session"), "missing-table", "error", "sessions", "django_session", "Table django_session is missing", "undo-wrong-fake"),
    Fault("table left over", run("CREATE TABLE fees_oldledger (id integer)"), "leftover-table", "warning", "fees", "fees_oldledger", "belongs to no model"),
    Fault("unknown table", run("CREATE TABLE somebodys (id integer)"), "unknown-table", "info", "", "somebodys", "belongs to no model", options=("--level=info",)),
    Fault("column dropped", run("ALTER TABLE fees_payment DROP COLUMN receipt_number"), "missing-column", "error", "fees", "fees_payment.receipt_number", "Column fees_payment.receipt_number is missing", "undo-wrong-fake"),
    Fault("column dropped with its keys", run("ALTER TABLE fees_scholarship DROP COLUMN percent"), "missing-column", "error", "fees", "fees_scholarship.percent", "Column fees_scholarship.percent is missing", "undo-wrong-fake"),
    Fault("column added", run("ALTER TABLE fees_payment ADD COLUMN teller integer NULL"), "extra-column", "warning", "fees", "fees_payment.teller", "no recorded migration makes it"),
    Fault(
        "column added that refuses rows",
        emptied("django_session", r'"session_data" text NOT NULL', r'\g<0>, "teller" integer NOT NULL', postgresql="ALTER TABLE django_session ADD COLUMN teller integer NOT NULL", mariadb="ALTER TABLE django_session ADD COLUMN teller integer NOT NULL"),
        "extra-column", "error", "sessions", "django_session.teller", "NOT NULL without a default, so Django's inserts fail",
    ),
    Fault("index dropped", run(sqlite="DROP INDEX invoice_student_due_idx", postgresql="DROP INDEX invoice_student_due_idx", mariadb="ALTER TABLE fees_invoice ADD INDEX kept (student_id), DROP INDEX invoice_student_due_idx"), "missing-index", "error", "fees", "fees_invoice.invoice_student_due_idx", "invoice_student_due_idx", also_on={"mariadb": {("extra-index", "warning", "fees_invoice.kept")}}),
    Fault("index added", run("CREATE INDEX by_receipt ON fees_payment (receipt_number)"), "extra-index", "warning", "fees", "fees_payment.by_receipt", "by_receipt"),
    Fault("unique dropped", rebuilt("admissions_document", TITLES, "", postgresql="ALTER TABLE admissions_document DROP CONSTRAINT one_document_per_title", mariadb="ALTER TABLE admissions_document ADD INDEX kept (application_id), DROP INDEX one_document_per_title"), "missing-unique", "error", "admissions", "admissions_document.one_document_per_title", "The database accepts duplicates", also_on={"mariadb": {("extra-index", "warning", "admissions_document.kept")}}),
    Fault("unique added", run("CREATE UNIQUE INDEX one_head ON fees_feehead (id, name)"), "extra-unique", "warning", "fees", "fees_feehead.one_head", "one_head"),
    Fault("check dropped", rebuilt("fees_payment", CHECK_OF_AMOUNT, "", postgresql="ALTER TABLE fees_payment DROP CONSTRAINT payment_amount_positive", mariadb="ALTER TABLE fees_payment DROP CONSTRAINT payment_amount_positive"), "missing-check", "error", "fees", "fees_payment.payment_amount_positive", "The database accepts rows that it forbids"),
    Fault("check added", rebuilt("fees_feehead", r'"name" varchar\(50\) NOT NULL', r'''\g<0> CHECK ("name" <> '')''', postgresql="ALTER TABLE fees_feehead ADD CONSTRAINT named CHECK (name <> '')", mariadb="ALTER TABLE fees_feehead ADD CONSTRAINT named CHECK (name <> '')"), "extra-check", "warning", "fees", "", "no recorded migration makes it"),
    Fault("foreign key dropped", drop_foreign_key, "missing-foreign-key", "error", "fees", "", "The database accepts rows that point to nothing"),
    Fault("foreign key added", rebuilt("students_schoolclass", r'"id" integer NOT NULL PRIMARY KEY AUTOINCREMENT', r'\g<0> REFERENCES "students_schoolclass" ("id")', postgresql="ALTER TABLE students_schoolclass ADD CONSTRAINT odd FOREIGN KEY (id) REFERENCES students_schoolclass (id)", mariadb="ALTER TABLE students_schoolclass ADD CONSTRAINT odd FOREIGN KEY (id) REFERENCES students_schoolclass (id)"), "extra-foreign-key", "warning", "students", "", "no recorded migration makes it"),
    Fault(
        "primary key dropped", rebuilt("fees_payment", r'("id" integer NOT NULL) PRIMARY KEY AUTOINCREMENT', r"\1", postgresql="ALTER TABLE fees_payment DROP CONSTRAINT fees_payment_pkey", mariadb="ALTER TABLE fees_payment ADD INDEX kept (id), DROP PRIMARY KEY"),
        "missing-primary-key", "error", "fees", "", "lacks the primary key",
        also_on={"sqlite": {("wrong-type", "error", "fees_payment.id")}, "mariadb": {("extra-index", "warning", "fees_payment.kept")}},
    ),
    Fault(
        "primary key added", on_top_of("CREATE TABLE fees_till (number integer NOT NULL)", rebuilt("fees_till", r'number integer NOT NULL', r"\g<0> PRIMARY KEY", postgresql="ALTER TABLE fees_till ADD PRIMARY KEY (number)", mariadb="ALTER TABLE fees_till ADD PRIMARY KEY (number)")),
        "extra-primary-key", "warning", "fees", "", "no recorded migration makes it",
    ),
    Fault(
        "primary key of other columns", on_top_of("CREATE TABLE fees_till (number integer NOT NULL, room integer NOT NULL, PRIMARY KEY (number))", rebuilt("fees_till", r"PRIMARY KEY \(number\)", "PRIMARY KEY (number, room)", postgresql="ALTER TABLE fees_till DROP CONSTRAINT fees_till_pkey, ADD PRIMARY KEY (number, room)", mariadb="ALTER TABLE fees_till DROP PRIMARY KEY, ADD PRIMARY KEY (number, room)")),
        "missing-primary-key", "error", "fees", "", "lacks the primary key",
        also_on={"sqlite": {("extra-primary-key", "warning", "fees_till.number_room")}, "postgresql": {("extra-primary-key", "warning", "fees_till.fees_till_pkey")}, "mariadb": {("extra-primary-key", "warning", "fees_till.PRIMARY")}},
    ),
    Fault("exclude dropped", on_top_of(EXCLUSION, run("ALTER TABLE fees_invoice DROP CONSTRAINT one_at_a_time")), "missing-exclude", "error", "fees", "fees_invoice.one_at_a_time", "accepts rows that exclude each other", databases=("postgresql",)),
    Fault("exclude added", run(EXCLUSION), "extra-exclude", "warning", "fees", "fees_invoice.one_at_a_time", "no recorded migration makes it", databases=("postgresql",)),
    Fault("nullable", rebuilt("students_student", r'("date_of_birth" date) NOT NULL', r"\1 NULL", postgresql="ALTER TABLE students_student ALTER date_of_birth DROP NOT NULL", mariadb="ALTER TABLE students_student MODIFY date_of_birth date NULL"), "wrong-nullability", "error", "students", "students_student.date_of_birth", "may be NULL; the recorded migrations make it so that it is NOT NULL"),
    Fault("length", rebuilt("fees_payment", r'("receipt_number" varchar)\(20\)', r"\1(30)", postgresql="ALTER TABLE fees_payment ALTER receipt_number TYPE varchar(30)", mariadb="ALTER TABLE fees_payment MODIFY receipt_number varchar(30) NOT NULL"), "wrong-length", "error", "fees", "fees_payment.receipt_number", "(30); the recorded migrations make it so that it has the type"),
    Fault("precision", rebuilt("", "", "", postgresql="ALTER TABLE fees_feehead ALTER amount TYPE numeric(12, 2)", mariadb="ALTER TABLE fees_feehead MODIFY amount decimal(12, 2) NOT NULL"), "wrong-precision", "error", "fees", "fees_feehead.amount", "(12,2)", databases=SERVERS),
    Fault("type", rebuilt("fees_scholarship", r'"percent" smallint unsigned', '"percent" text', postgresql="ALTER TABLE fees_scholarship ALTER percent TYPE bigint", mariadb="ALTER TABLE fees_scholarship MODIFY percent bigint unsigned NOT NULL CHECK (percent >= 0)"), "wrong-type", "error", "fees", "fees_scholarship.percent", "has the type"),
    Fault("default lost", lost_db_default, "wrong-default", "error", "fees", "fees_payment.copies", "has no default; the recorded migrations make it so that it has the default 1"),
    Fault("default added", rebuilt("students_schoolclass", r'("year" smallint unsigned NOT NULL)', r"\1 DEFAULT 7", postgresql="ALTER TABLE students_schoolclass ALTER year SET DEFAULT 7", mariadb="ALTER TABLE students_schoolclass ALTER year SET DEFAULT 7"), "wrong-default", "warning", "students", "students_schoolclass.year", "has the default 7; the recorded migrations make it so that it has no default"),
    Fault("collation", rebuilt("fees_feehead", r'"name" varchar\(50\) NOT NULL', r"\g<0> COLLATE NOCASE", postgresql='ALTER TABLE fees_feehead ALTER name TYPE varchar(50) COLLATE "C"', mariadb="ALTER TABLE fees_feehead MODIFY name varchar(50) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL"), "wrong-collation", "warning", "fees", "fees_feehead.name", "has the collation"),
    Fault("index invalid", invalid_index, "invalid-index", "error", "fees", "fees_invoice.one_day", "it costs each write and serves no query", "rebuild-invalid-index", databases=("postgresql",)),
    Fault("not validated", run("ALTER TABLE fees_payment DROP CONSTRAINT payment_amount_positive", "ALTER TABLE fees_payment ADD CONSTRAINT payment_amount_positive CHECK (amount > 0) NOT VALID"), "constraint-not-validated", "error", "fees", "fees_payment.payment_amount_positive", "older rows may break it", databases=("postgresql",)),
]

ROWS = [
    Fault("sequence behind", run("SELECT setval(pg_get_serial_sequence('students_student', 'id'), 1)"), "sequence-behind", "error", "students", "students_student.id", "stands at 1, and the highest value is", "advance-sequence", databases=("postgresql",)),
    Fault("orphans", lambda s: unenforced(s, "UPDATE fees_payment SET invoice_id = 999999 WHERE id = (SELECT * FROM (SELECT min(id) FROM fees_payment) x)"), "orphaned-rows", "error", "fees", "fees_payment.invoice_id", "points to no row of fees_invoice in the row with key", "quarantine-orphaned-rows"),
    Fault("orphans, many-to-many", lambda s: unenforced(s, "UPDATE students_student_guardians SET user_id = 900000 + id"), "orphaned-rows", "error", "students", "students_student_guardians.user_id", "rows, among them those with the keys", "quarantine-orphaned-rows"),
    Fault("content type", run("INSERT INTO django_content_type (app_label, model) VALUES ('fees', 'ledger')"), "stale-content-type", "warning", "fees", "fees.ledger", "no such model"),
]

HABITS = [
    Fault(
        "no way back", on_top_of("UPDATE fees_feehead SET name = name", lambda sandbox: None),
        "irreversible-operation", "info", "fees", "0013_by_hand", "can't be reversed: Raw SQL operation", "make-migration-reversible", options=("--level=info",),
    ),
]

FAULTS = [*FILES, *HISTORY, *SCHEMA, *ROWS, *HABITS]

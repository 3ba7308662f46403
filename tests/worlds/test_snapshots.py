"""A snapshot sees each kind of change, says it in words, and sees nothing where nothing changed."""

from __future__ import annotations

import re
from datetime import date

import pytest
from migration_runbooks.worlds.snapshots.snapshot import Snapshot, sorted_rows
from migration_runbooks.worlds.snapshots.sqlite import checks

ROWS = {
    "row added": ("INSERT INTO catalog_author (name) VALUES ('New')", r"\+ catalog_author: 1 row: .*name='New'"),
    "row lost": ("DELETE FROM loans_reservation WHERE id = 1", r"- loans_reservation: 1 row: .*id=1,"),
    "row changed": ("UPDATE catalog_author SET name = 'X' WHERE id = 2", r"- catalog_author: 1 row: .*\n\+ catalog_author: 1 row: .*'X'"),
}

SCHEMA = {
    "table added": ("CREATE TABLE extra (id integer)", r"\+ table extra with 0 rows"),
    "table lost": ("DROP TABLE loans_reservation", r"- table loans_reservation with 5 rows"),
    "column added": ("ALTER TABLE catalog_book ADD COLUMN extra integer", r"\+ catalog_book: column extra: int"),
    "column lost": ("ALTER TABLE catalog_book DROP COLUMN pages", r"- catalog_book: column pages: int"),
    "column renamed": ("ALTER TABLE catalog_book RENAME COLUMN pages TO leaves", r"\+ catalog_book: column leaves: int"),
    "default": ("ALTER TABLE catalog_book ADD COLUMN extra integer NOT NULL DEFAULT 7", r"\+ .*extra: int.* not null default 7"),
    "index added": ("CREATE INDEX extra ON catalog_book (pages)", r"\+ catalog_book: index extra"),
    "unique index added": ("CREATE UNIQUE INDEX extra ON catalog_book (pages)", r"\+ catalog_book: (index|unique) extra"),
    "foreign key added": ("ALTER TABLE catalog_copy ADD COLUMN extra bigint REFERENCES catalog_author (id)", r"\+ catalog_copy: (foreign key|constraint) .*extra"),
    "check added": ("ALTER TABLE catalog_copy ADD COLUMN extra integer CHECK (extra > 0)", r"\+ catalog_copy: (check|constraint) .*extra.* > 0"),
}

SERVERS_ONLY = {
    "check lost": ("ALTER TABLE loans_loan DROP CONSTRAINT loan_due_after_lent", r"- loans_loan: (check|constraint) loan_due_after_lent"),
    "foreign key lost": ("ALTER TABLE loans_reservation DROP CONSTRAINT {foreign_key}", r"- loans_reservation: (foreign key|constraint) loans_res.*reader_id"),
}

POSTGRESQL_ONLY = {
    "unique lost": ("ALTER TABLE catalog_copy DROP CONSTRAINT one_copy_per_shelf_mark", r"- catalog_copy: constraint one_copy_per_shelf_mark: UNIQUE"),
    "not null": ("ALTER TABLE catalog_book ALTER COLUMN isbn DROP NOT NULL", r"- .*isbn: character varying\(13\) not null\n\+ .*isbn: .* null$"),
    "type": ("ALTER TABLE catalog_book ALTER COLUMN isbn TYPE varchar(20)", r"\+ .*isbn: character varying\(20\) not null"),
    "not valid": ("ALTER TABLE catalog_book ADD CONSTRAINT extra CHECK (pages > 0) NOT VALID", r"\+ .*constraint extra.*NOT VALID"),
}

MARIADB_ONLY = {
    "unique lost": ("ALTER TABLE catalog_book DROP INDEX isbn", r"- catalog_book: unique isbn"),
    "not null": ("ALTER TABLE catalog_book MODIFY isbn varchar(13) NULL", r"- .*isbn: varchar\(13\) not null.*\n\+ .*isbn: varchar\(13\) null"),
    "type": ("ALTER TABLE catalog_book MODIFY isbn varchar(20) NOT NULL", r"\+ .*isbn: varchar\(20\) not null"),
}


KINDS = {
    "sqlite": ROWS | SCHEMA,
    "postgresql": ROWS | SCHEMA | SERVERS_ONLY | POSTGRESQL_ONLY,
    "mariadb": ROWS | SCHEMA | SERVERS_ONLY | MARIADB_ONLY,
}


@pytest.mark.parametrize(
    ("database", "kind"), [(name, kind) for name, kinds in KINDS.items() for kind in kinds], indirect=["database"]
)
def test_sees_each_kind_of_change(database, library, kind):
    statement, expected = KINDS[database][kind]
    before = library.snapshot()
    library.execute(statement.format(foreign_key=name_of_foreign_key(before)))
    after = library.snapshot()
    assert before != after
    assert re.search(expected, "\n".join(before.difference(after))), before.difference(after)
    assert len(before.difference(after)) == len(after.difference(before))


def name_of_foreign_key(snapshot: Snapshot) -> str:
    found = re.search(r"\b(loans_res\w*reader_id\w*_fk_\w+)", "\n".join(snapshot.schema["loans_reservation"]))
    return found[1] if found else ""


def test_two_histories_that_differ_in_time_and_id_are_the_same(library):
    before = library.snapshot()
    library.execute("UPDATE django_migrations SET applied = '2001-01-01 00:00:00', id = id + 1000")
    assert library.snapshot() == before
    assert ("catalog", "0001_initial") in before.rows["django_migrations"]
    library.execute("DELETE FROM django_migrations WHERE app = 'catalog' AND name = '0003_book_pages'")
    assert before.difference(library.snapshot()) == ["- django_migrations: 1 row: (app='catalog', name='0003_book_pages')"]


def test_where_a_sequence_stands_is_told_and_not_compared(library):
    before = library.snapshot()
    library.execute("INSERT INTO catalog_author (name) VALUES ('Gone again')")
    library.execute("DELETE FROM catalog_author WHERE name = 'Gone again'")
    after = library.snapshot()
    assert before == after and before.sequences != after.sequences


def test_ignored_tables_are_left_out(library):
    before = library.snapshot(ignore={"loans_loan"})
    assert "loans_loan" not in before.schema
    everything = library.snapshot()
    library.execute("DELETE FROM loans_loan")
    assert before == library.snapshot(ignore={"loans_loan"})
    assert everything.difference(library.snapshot(), ignore={"loans_loan"}) == []


def test_a_foreign_key_that_sqlite_lost_is_seen(tmp_path):
    """SQLite has no statement that drops a constraint: Django makes the table anew, and so does this test."""
    from migration_runbooks.worlds import open_library

    with open_library("sqlite", tmp_path) as library:
        before = library.snapshot()
        [(sql,)] = library.execute("SELECT sql FROM sqlite_master WHERE name = 'loans_loan'")
        without = re.sub(r' REFERENCES "auth_user" \("id"\) DEFERRABLE INITIALLY DEFERRED', "", sql, count=1)
        without = re.sub(r'CONSTRAINT "loan_due_after_lent" CHECK \([^)]*\)+, |, CONSTRAINT "loan_due_after_lent" .*(?=\)$)', "", without)
        library.execute("ALTER TABLE loans_loan RENAME TO old")
        library.execute(without)
        library.execute("INSERT INTO loans_loan SELECT * FROM old")
        library.execute("DROP TABLE old")
        lines = "\n".join(before.difference(library.snapshot()))
    assert re.search(r"- loans_loan: foreign key \(reader_id\) to auth_user", lines), lines


def test_checks_of_sqlite_end_where_their_parenthesis_does():
    sql = """CREATE TABLE t (a int CHECK (a IN (1, (2))), CONSTRAINT "c" CHECK ("b" <> ')' AND b <> '('), d int)"""
    assert checks(sql) == ["a IN (1, (2))", """"c" "b" <> ')' AND b <> '('"""]


def test_row_order_plays_no_part_and_values_of_any_kind_are_counted():
    rows = [(1, {"a": [1]}), (None, b"x"), (date(2026, 1, 1), memoryview(b"y")), (1, {"a": [1]})]
    assert sorted_rows(rows) == sorted_rows(reversed(rows))
    one, two = ({"t": sorted_rows(rows[:number])} for number in (3, 4))
    before, after = (Snapshot({"t": []}, {"t": ("a", "b")}, each, {}) for each in (one, two))
    assert before.difference(after) == ["+ t: 1 row: (a=1, b=(('a', (1,)),))"]

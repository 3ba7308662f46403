"""A SQLite table is searched in pieces: every row is in one of them, no row in two, and none has too many."""

from __future__ import annotations

import random
import sqlite3
from types import SimpleNamespace

import pytest
from migration_runbooks.integrity.pieces import pieces, ranges, serves
from migration_runbooks.integrity.schema import Key, Table

MOST = 10
CHOOSE = random.Random(7)
VALUES = {
    "none": [],
    "all alike": [5] * 95,
    "all different": list(range(95)),
    "far apart": [10**15 - number**3 * 10**6 for number in range(95)],
    "many with NULL": [None, 1, None, 2, None] * 19,
    "some alike": [1] * 9 + [2] * 10 + [3] * 11 + [4] * 31 + [5, 6, 7],
    "by chance": [CHOOSE.randrange(30) for _ in range(300)],
    "of several types": ["b", 3, b"\x00", -1, "10", "a", 2.5, None] * 12,
}


def examined(values: list, journal: str = "delete") -> SimpleNamespace:
    """What the search looks at, in memory."""
    connection = sqlite3.connect(":memory:")
    connection.execute("CREATE TABLE child (id integer PRIMARY KEY, parent_id bigint)")
    connection.execute("CREATE INDEX by_parent ON child (parent_id)")
    connection.executemany("INSERT INTO child (parent_id) VALUES (?)", [(value,) for value in values])

    def query(sql: str, values: tuple = ()) -> list[tuple]:
        return [(journal,)] if "journal_mode" in sql else connection.execute(sql.replace("%s", "?"), values).fetchall()

    quote = SimpleNamespace(quote_name='"{}"'.format)
    table = Table("child", keys=[Key("index", "by_parent", ("parent_id",), "(parent_id)")])
    return SimpleNamespace(query=query, connection=SimpleNamespace(vendor="sqlite", ops=quote), live={"child": table})


@pytest.mark.parametrize("column", ["parent_id", "rowid"])
@pytest.mark.parametrize("values", VALUES.values(), ids=VALUES)
def test_each_row_is_in_one_piece_and_none_has_too_many(values, column):
    source = examined(values)
    found = []
    for piece in ranges(source, "child", column, MOST):
        ids = [row for (row,) in source.query(f"SELECT c.id FROM child c WHERE {piece.condition}true", piece.values)]
        assert len(ids) <= MOST
        found += ids
    wanted = source.query("SELECT id FROM child" + (" WHERE parent_id IS NOT NULL" if column == "parent_id" else ""))
    assert sorted(found) == sorted(row for (row,) in wanted)


def test_in_wal_mode_one_piece_is_all():
    assert [piece.condition for piece in pieces(examined([1, 2], "wal"), "child", "parent_id")] == [""]
    assert [piece.condition for piece in pieces(examined([1, 2]), "child", "parent_id")] != [""]


@pytest.mark.parametrize(
    ("key", "does"),
    [
        (Key("index", "", ("a",), "(a)"), True),
        (Key("unique", "", ("a", "b"), "(a, b)"), True),
        (Key("primary key", "", ("a",), "a"), True),
        (Key("index", "", ("b", "a"), "(b, a)"), False),
        (Key("index", "", ("a",), "(a) WHERE b > 0"), False),
        (Key("index", "", ("a",), "(a COLLATE NOCASE)"), False),
        (Key("index", "", ("a",), "(a DESC)"), False),
        (Key("foreign key", "", ("a",), "(a)"), False),
    ],
)
def test_which_index_serves(key, does):
    assert serves(key, "a") is does

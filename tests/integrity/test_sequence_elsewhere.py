"""Why `sequence-behind` is PostgreSQL's alone: the others can't be set behind, however one tries."""

from __future__ import annotations

import pytest
from planting import sql

BEHIND = {
    "sqlite": ["UPDATE sqlite_sequence SET seq = 1", "UPDATE fees_feehead SET id = 900 WHERE id = 1", "DELETE FROM sqlite_sequence"],
    "mariadb": ["ALTER TABLE fees_feehead AUTO_INCREMENT = 1", "UPDATE fees_feehead SET id = 900 WHERE id = 1"],
}


def test_the_next_number_is_free_whatever_was_done_to_the_sequence(database, checked):
    if database == "postgresql":
        pytest.skip("PostgreSQL can be set behind: that fault is planted in faults.py")
    for statement in BEHIND[database]:
        sql(checked.sandbox, statement)
        (highest,) = checked.sandbox.execute("SELECT max(id) FROM fees_feehead")[0]
        checked.sandbox.execute("INSERT INTO fees_feehead (name, amount) VALUES ('after', 1)")
        assert checked.sandbox.execute("SELECT max(id) FROM fees_feehead") == [(highest + 1,)], statement
    assert [each["id"] for each in checked.findings("--skip-rows")] == []


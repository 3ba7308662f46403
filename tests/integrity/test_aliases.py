"""Several databases: a router keeps tables off one, and the check of each alias looks at its own."""

from __future__ import annotations

import json

import pytest
from faults import FAULTS
from migration_runbooks.worlds.engines import ENGINES
from migration_runbooks.worlds.engines.place import Place
from sqlite_alone import on_sqlite_alone

ROUTER = '''
class Sessions:
    """Keep the sessions on a database of their own, and everything else off it."""

    def db_for_read(self, model, **hints):
        return "other" if model._meta.app_label == "sessions" else "default"

    db_for_write = db_for_read

    def allow_migrate(self, db, app_label, **hints):
        return (app_label == "sessions") == (db == "other")
'''


@pytest.fixture
def two(checked):
    """The school with its sessions on a database of their own, and what was left of them on the first one dropped."""
    place = checked.sandbox.place
    other = Place(place.directory / "other", place.directory / "other", f"{place.database}_other")
    other.project.mkdir()
    ENGINES[checked.sandbox.database].create(other)
    name = ENGINES[checked.sandbox.database].address(other).name
    (checked.sandbox.project / "acharya" / "routers.py").write_text(ROUTER)
    with (checked.sandbox.project / "acharya" / "settings.py").open("a") as settings:
        settings.write(f'\nDATABASES["other"] = DATABASES["default"] | {{"NAME": {name!r}}}\nDATABASE_ROUTERS = ["acharya.routers.Sessions"]\n')
    done = checked.sandbox.manage("migrate", "--database=other", "-v0")
    assert done.status == 0, done.output
    checked.sandbox.execute("DROP TABLE django_session")
    return checked, other


def on_other(checked, other: Place, statement: str) -> None:
    connection = ENGINES[checked.sandbox.database].connect(other)
    connection.cursor().execute(statement)
    connection.close()


def found(checked, *options: str) -> list[tuple[str, str]]:
    return [(each["id"], each["object"]) for each in checked.findings(*options)]


@pytest.mark.parametrize("options", [(), ("--quick",)], ids=" ".join)
def test_what_a_router_keeps_elsewhere_is_not_missing(two, options):
    checked, _ = two
    assert found(checked, *options) == []
    assert found(checked, "--database=other", *options) == []


def test_a_fault_is_found_on_its_own_alias_alone(two):
    checked, other = two
    on_other(checked, other, "ALTER TABLE django_session DROP COLUMN session_data")
    assert found(checked) == []
    assert found(checked, "--database=other") == [("missing-column", "django_session.session_data")]


def test_a_table_that_a_router_sends_elsewhere_is_not_left_over(two):
    """A replica may hold every table, and a router lets nothing be migrated there."""
    checked, other = two
    on_other(checked, other, "CREATE TABLE fees_feehead (id integer)")
    assert found(checked, "--database=other") == []


@on_sqlite_alone
def test_the_history_of_each_alias_is_its_own(two):
    checked, other = two
    on_other(checked, other, "DELETE FROM django_migrations WHERE app = 'fees' AND name = '0012_invoice_discount'")
    assert found(checked) == []
    assert found(checked, "--database=other") == [("unapplied-migration", "0012_invoice_discount")]
    assert "on database 'other'" in json.dumps(checked.findings("--database=other"))


def test_orphans_are_searched_where_the_rows_are(two):
    checked, other = two
    next(fault for fault in FAULTS if fault.name == "orphans").plant(checked.sandbox)
    assert found(checked) == [("orphaned-rows", "fees_payment.invoice_id")]
    assert found(checked, "--database=other") == []

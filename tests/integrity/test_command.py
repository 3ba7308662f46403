"""Formats, levels, exit statuses, and that no writer waits."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import time
from contextlib import closing

import pytest
from faults import FAULTS


def plant(checked, name: str) -> None:
    next(fault for fault in FAULTS if fault.name == name).plant(checked.sandbox)


@pytest.fixture
def on_sqlite(database):
    if database != "sqlite":
        pytest.skip("what is written does not depend on the database; SQLite stands for all")


@pytest.mark.parametrize(
    ("fault", "options", "status"),
    [
        ("index added", (), 0),
        ("index added", ("--fail-level=warning",), 1),
        ("index added", ("--fail-level=never",), 0),
        ("index dropped", (), 1),
        ("index dropped", ("--fail-level=never",), 0),
        ("cycle", ("--fail-level=never",), 2),
    ],
)
def test_status(on_sqlite, checked, fault, options, status):
    plant(checked, fault)
    assert checked.command(*options).status == status


def test_an_alias_that_is_not_there(on_sqlite, checked):
    done = checked.command("--database=archive")
    assert done.status == 2
    assert "There is no database 'archive' in DATABASES, only default" in done.stderr
    assert "Traceback" not in done.output


def test_a_database_that_does_not_answer_is_said_and_files_are_checked(checked):
    plant(checked, "model changed")
    place = {"sqlite": '"NAME"] = "/nowhere/db"', "postgresql": '"HOST"] = "/nowhere"', "mariadb": '"HOST"] = "/nowhere/socket"'}
    with (checked.sandbox.project / "acharya" / "settings.py").open("a") as settings:
        settings.write(f'\nDATABASES["default"][{place[checked.sandbox.database]}\n')
    done = checked.command()
    assert "Traceback" not in done.output
    assert "could-not-check" in done.output
    assert "model-changes-without-migration" in done.output


def test_text(on_sqlite, checked):
    plant(checked, "orphans")
    done = checked.command()
    assert "error: orphaned-rows: fees fees_payment.invoice_id" in done.stdout
    assert "Runbook: runbook run quarantine-orphaned-rows" in done.stdout
    assert done.stdout.rstrip().endswith("Found 1 error.")


def test_json_has_the_keys_of_the_contract(on_sqlite, checked):
    plant(checked, "orphans")
    (finding,) = checked.findings()
    assert list(finding) == ["id", "level", "app", "object", "message", "hint", "runbook"]


def test_github_marks_the_file(on_sqlite, checked):
    plant(checked, "unapplied")
    done = checked.command("--format=github")
    assert done.stdout.startswith("::error file=fees/migrations/0013_nothing.py,line=1,title=unapplied-migration 0013_nothing::fees.0013_nothing is not")
    assert len(done.stdout.splitlines()) == 1


def test_sarif(on_sqlite, checked):
    plant(checked, "unapplied")
    report = json.loads(checked.command("--format=sarif").stdout)
    (result,) = report["runs"][0]["results"]
    assert (report["version"], result["ruleId"], result["level"]) == ("2.1.0", "unapplied-migration", "error")
    place = result["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == "fees/migrations/0013_nothing.py"
    assert [rule["id"] for rule in report["runs"][0]["tool"]["driver"]["rules"]] == ["unapplied-migration"]


def test_verbosity_2_tells_where_time_goes(on_sqlite, checked):
    done = checked.command("--verbosity=2")
    assert "in all, without the start of Django" in done.stderr
    assert "the live schema" in done.stderr


def test_a_writer_never_waits(checked):
    """Rows are written all the while, in a table large enough for the search to take a time."""
    if checked.sandbox.database != "sqlite":
        pytest.skip("readers keep no writer of rows from its work on PostgreSQL and MariaDB")
    fill(checked)
    process = subprocess.Popen(
        [*checked.sandbox.kind.manage, "check_migration_integrity", f"--cache-dir={checked.cache}"],
        cwd=checked.sandbox.project, env=checked.sandbox.environment, stdout=subprocess.DEVNULL,
    )  # fmt: skip
    waits = []
    with closing(sqlite3.connect(checked.sandbox.project / "db.sqlite3", timeout=10, isolation_level=None)) as writer:
        while process.poll() is None:
            begin = time.monotonic()
            writer.execute("UPDATE fees_feehead SET amount = amount + 1")
            waits.append(time.monotonic() - begin)
            time.sleep(0.01)
    assert process.returncode == 0
    assert len(waits) > 10
    assert max(waits) < 1, f"a writer waited {max(waits):.2f} s"


def fill(checked, rows: int = 1_500_000) -> None:
    with closing(sqlite3.connect(checked.sandbox.project / "db.sqlite3")) as connection:
        connection.execute(
            "INSERT INTO fees_payment (invoice_id, amount, paid_at, receipt_number) WITH RECURSIVE n(i) AS "
            "(SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?) SELECT (SELECT min(id) FROM fees_invoice), 1, '2026-01-01', '' FROM n",
            [rows],
        )
        connection.commit()

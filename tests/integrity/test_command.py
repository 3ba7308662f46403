"""Formats, levels and exit statuses."""

from __future__ import annotations

import json

import pytest
from faults import FAULTS
from sqlite_alone import on_sqlite_alone


def plant(checked, name: str) -> None:
    next(fault for fault in FAULTS if fault.name == name).plant(checked.sandbox)


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
@on_sqlite_alone
def test_status(checked, fault, options, status):
    plant(checked, fault)
    assert checked.command(*options).status == status


@on_sqlite_alone
def test_an_alias_that_is_not_there(checked):
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


@on_sqlite_alone
def test_text(checked):
    plant(checked, "orphans")
    done = checked.command()
    assert "error: orphaned-rows: fees fees_payment.invoice_id" in done.stdout
    assert "Runbook: runbook run quarantine-orphaned-rows" in done.stdout
    assert done.stdout.rstrip().endswith("Found 1 error.")


@on_sqlite_alone
def test_json_has_the_keys_of_the_contract(checked):
    plant(checked, "orphans")
    (finding,) = checked.findings()
    assert list(finding) == ["id", "level", "app", "object", "message", "hint", "runbook"]


@on_sqlite_alone
def test_github_marks_the_file(checked):
    plant(checked, "unapplied")
    done = checked.command("--format=github")
    assert done.stdout.startswith("::error file=fees/migrations/0013_nothing.py,line=1,title=unapplied-migration 0013_nothing::fees.0013_nothing is not")
    assert len(done.stdout.splitlines()) == 1


@on_sqlite_alone
def test_sarif(checked):
    plant(checked, "unapplied")
    report = json.loads(checked.command("--format=sarif").stdout)
    (result,) = report["runs"][0]["results"]
    assert (report["version"], result["ruleId"], result["level"]) == ("2.1.0", "unapplied-migration", "error")
    place = result["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == "fees/migrations/0013_nothing.py"
    assert [rule["id"] for rule in report["runs"][0]["tool"]["driver"]["rules"]] == ["unapplied-migration"]


@on_sqlite_alone
def test_verbosity_2_tells_where_time_goes(checked):
    done = checked.command("--verbosity=2")
    assert "in all, without the start of Django" in done.stderr
    assert "the live schema" in done.stderr

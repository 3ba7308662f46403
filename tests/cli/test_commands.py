"""The `runbook` command from outside: what it prints, exits with and imports."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from click.testing import CliRunner
from migration_runbooks import paths, practice
from migration_runbooks.catalogue.reading import CatalogueError
from migration_runbooks.catalogue.runbooks import all_runbooks, load_runbook
from migration_runbooks.cli import SUBCOMMANDS, main
from migration_runbooks.cli.skeleton import SkeletonError, make_skeleton

CYCLE = "django.db.migrations.exceptions.CircularDependencyError: fees.0001_initial, admissions.0001_initial\n"


def runbook(*arguments: str, input: str | None = None):
    return CliRunner().invoke(main, arguments, prog_name="runbook", input=input)


def test_help_names_every_command_and_is_whole():
    shown = runbook("--help")
    assert shown.exit_code == 0
    for name in SUBCOMMANDS:
        assert f"\n  {name} " in shown.output
    assert "..." not in shown.output.split("Commands:")[1]


@pytest.mark.parametrize("name", SUBCOMMANDS)
def test_help_of_a_command_says_its_exit_status(name):
    shown = runbook(name, "--help")
    assert shown.exit_code == 0
    assert "Exit status:" in shown.output


def test_list():
    listed = runbook("list")
    assert listed.exit_code == 0
    assert [line.split()[0] for line in listed.output.splitlines()] == [each.slug for each in all_runbooks()]
    rows = json.loads(runbook("list", "--json").stdout)
    assert [row["slug"] for row in rows] == [each.slug for each in all_runbooks()]
    assert all(row["risk"]["diagnose"] == "Reads only" for row in rows)


@pytest.mark.parametrize("each", all_runbooks(), ids=lambda each: each.slug)
def test_show_has_facts_inputs_and_every_script_with_its_risk(each):
    shown = runbook("show", each.slug).output
    for fact in (each.title, each.locks, each.duration, each.undo, *(value.name for value in each.inputs)):
        assert fact in shown
    for step, script in each.scripts():
        assert f"=== {script.name} [{each.risk[step]}] ===\n{script.read_text().rstrip()}" in shown


def test_unknown_slug_names_the_nearest():
    for command in ("show", "run", "practice"):
        refused = runbook(command, "repair-history")
        assert refused.exit_code == 2
        assert "There is no runbook 'repair-history'. Did you mean repair-migration-history" in refused.stderr


def test_explain_reads_a_file_or_standard_input(tmp_path):
    file = tmp_path / "error.txt"
    file.write_text(CYCLE)
    for arguments, text in ((["explain", str(file)], None), (["explain"], CYCLE), (["explain", "-"], CYCLE)):
        done = runbook(*arguments, input=text)
        assert done.exit_code == 0
        assert done.output.startswith("circular-dependency")
        assert "runbook run break-dependency-cycle" in done.output


def test_explain_json():
    matches = json.loads(runbook("explain", "--json", input=CYCLE).stdout)["matches"]
    assert set(matches[0]) == {"error", "score", "evidence", "inputs", "runbooks", "url"}
    assert matches[0]["error"] == "circular-dependency"
    nothing = runbook("explain", "--json", input="all is well\n")
    assert (nothing.exit_code, json.loads(nothing.stdout)) == (1, {"matches": []})


@pytest.mark.parametrize(
    ("file", "said"), [("missing.txt", "can't be read"), (".", "can't be read"), ("empty.txt", "empty")]
)
def test_explain_says_why_an_input_can_not_be_used(tmp_path, monkeypatch, file, said):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty.txt").write_text(" \n")
    refused = runbook("explain", file)
    assert refused.exit_code == 2
    assert said in refused.stderr


@pytest.mark.parametrize("arguments", [["list"], ["show", "back-up-database"], ["explain"]])
def test_starts_without_django(arguments):
    program = (
        "import sys; sys.argv = ['runbook', *sys.argv[1:]]\n"
        "from migration_runbooks.cli import main\n"
        "try: main()\n"
        "finally: print('DJANGO' if 'django' in sys.modules else 'NO DJANGO', file=sys.stderr)"
    )
    command = [sys.executable, "-c", program, *arguments]
    done = subprocess.run(command, input=CYCLE, capture_output=True, text=True)
    assert (done.returncode, done.stderr.strip()) == (0, "NO DJANGO")


def test_practice_leaves_an_existing_folder_alone(tmp_path):
    (tmp_path / "mine").write_text("mine")
    refused = runbook("practice", "repair-migration-history", str(tmp_path))
    assert refused.exit_code == 2 and "exists already; it was left as it is" in refused.stderr
    assert [file.name for file in tmp_path.iterdir()] == ["mine"]


def test_practice_check_of_another_folder(tmp_path):
    refused = runbook("practice", "--check", str(tmp_path))
    assert refused.exit_code == 2 and "is not a practice project" in refused.stderr


def test_practice_that_fails_leaves_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(practice, "UNMANAGED", "")
    monkeypatch.setattr(practice.paths, "ACHARYA", paths.CHECKOUT / "tests" / "library")
    with pytest.raises(practice.PracticeError):
        practice.make_practice("repair-migration-history", tmp_path / "drill")
    assert list(tmp_path.iterdir()) == []


def test_new_makes_a_runbook_that_loads_and_says_what_to_fill_in(tmp_path, monkeypatch):
    monkeypatch.setattr(paths, "CHECKOUT", tmp_path)
    monkeypatch.setattr(paths, "RUNBOOKS", tmp_path / "runbooks")
    made = make_skeleton("adopt-existing-table")
    assert len(made) == 8
    assert all("FILL IN" in (tmp_path / file).read_text() for file in made)
    assert load_runbook(tmp_path / "runbooks" / "adopt-existing-table").title == "Adopt existing table"
    compile((tmp_path / "tests/runbooks/test_adopt_existing_table.py").read_text(), "test", "exec")
    with pytest.raises(SkeletonError, match="exists already"):
        make_skeleton("adopt-existing-table")


def test_new_refuses_a_name_that_is_no_slug(tmp_path, monkeypatch):
    monkeypatch.setattr(paths, "CHECKOUT", tmp_path)
    with pytest.raises(SkeletonError, match="lower case words"):
        make_skeleton("../Adopt")
    assert list(tmp_path.iterdir()) == []


def test_a_faulty_catalogue_is_a_message(monkeypatch):
    def faulty():
        raise CatalogueError("x/runbook.toml: title is missing")

    monkeypatch.setattr("migration_runbooks.catalogue.runbooks.all_runbooks", faulty)
    refused = runbook("list")
    assert (refused.exit_code, refused.stderr) == (2, "x/runbook.toml: title is missing\n")

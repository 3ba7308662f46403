"""Worlds are built once a run, and every sandbox is private."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from migration_runbooks.paths import ACHARYA, PACKAGE
from migration_runbooks.worlds import (
    DATABASES,
    Project,
    WorldError,
    copy_sandbox,
    freeze_sandbox,
    open_library,
    open_sandbox,
)
from migration_runbooks.worlds.library import LIBRARY

OPEN = """
import sys
from pathlib import Path
from migration_runbooks.worlds import Project, open_sandbox
open_sandbox("healthy", "sqlite", Path(sys.argv[2]), Project(Path(sys.argv[1]), manage=("python", "manage.py")))
"""


@pytest.fixture
def counted(tmp_path):
    """A project that counts in a file how often it was seeded."""
    project = tmp_path / "counted"
    shutil.copytree(LIBRARY, project)
    (project / "seed.sh").write_text(f"echo built >> {tmp_path / 'builds'}\nsleep 0.3\n")
    return project


def test_a_world_is_built_once_for_all_processes(counted, tmp_path):
    processes = [
        subprocess.Popen([sys.executable, "-c", OPEN, counted, tmp_path / f"sandbox {number}"]) for number in range(3)
    ]
    assert [process.wait(60) for process in processes] == [0, 0, 0]
    assert (tmp_path / "builds").read_text() == "built\n"


def test_a_clone_is_private(database, library, tmp_path):
    with open_library(database, tmp_path / "other") as other:
        assert library.snapshot() == other.snapshot()
        library.execute("UPDATE catalog_book SET title = 'Changed'")
        (library.project / "seed.py").write_text("")
        assert library.snapshot().difference(other.snapshot())
        assert other.execute("SELECT COUNT(*) FROM catalog_book WHERE title = 'Changed'") == [(0,)]
        assert other.files()["seed.py"] == (LIBRARY / "seed.py").read_text()


ODD = (
    "CREATE TABLE odd (id int PRIMARY KEY, text varchar(99), bytes varbinary(9))",
    "INSERT INTO odd VALUES (1, 'DELIMITER ;;\\n;;\\n\\\\ it''s', x'00ff0d0a')",
    "CREATE VIEW odd_view AS SELECT text FROM odd",
    "CREATE PROCEDURE add_two() BEGIN INSERT INTO odd (id) VALUES (2); INSERT INTO odd (id) VALUES (3); END",
    "CREATE TRIGGER twice BEFORE INSERT ON odd FOR EACH ROW BEGIN SET NEW.text = 'first'; SET NEW.bytes = 'b'; END",
)


@pytest.mark.parametrize("database", ["mariadb"], indirect=True)
def test_a_clone_on_mariadb_has_all_that_a_dump_can_hold(library, tmp_path):
    for statement in ODD:
        library.execute(statement)
    before = library.snapshot()
    freeze_sandbox(library)
    with copy_sandbox(library, tmp_path / "copy") as copy:
        assert before.difference(copy.snapshot()) == []
        assert copy.execute("SELECT text FROM odd_view") == [("DELIMITER ;;\n;;\n\\ it's",)]
        copy.execute("CALL add_two()")
        assert copy.execute("SELECT id, text, bytes FROM odd WHERE id > 1") == [(2, "first", b"b"), (3, "first", b"b")]


def test_closing_drops_the_database_and_those_made_beside_it(database, tmp_path):
    sandbox = open_library(database, tmp_path)
    if database == "sqlite":
        (sandbox.project / "db.sqlite3-wal").touch()
    else:
        sandbox.execute(f"CREATE DATABASE {sandbox.place.database}_restored")
    with open_library(database, tmp_path / "other") as other:
        sandbox.close()
        if database == "sqlite":
            left = [file.name for file in sandbox.project.glob("*.sqlite3*")]
        else:
            query = "SELECT datname FROM pg_database" if database == "postgresql" else "SHOW DATABASES"
            left = [name for (name,) in other.execute(query) if name.startswith(sandbox.place.database)]
    assert left == []


def test_empty_world_has_the_project_and_no_table(database, tmp_path):
    with open_library(database, tmp_path, world="empty") as sandbox:
        assert sandbox.snapshot().schema == {}
        assert sandbox.manage("migrate", "-v", "0").status == 0
        assert "loans_loan" in sandbox.snapshot().schema


def test_healthy_acharya_is_migrated_and_seeded(database, tmp_path):
    with open_sandbox("healthy", database, tmp_path) as sandbox:
        done = sandbox.manage("migrate", "--check")
        assert done.status == 0, done.output
        assert sandbox.execute("SELECT COUNT(*) FROM students_student") == [(25,)]


def test_everything_is_compiled_in_a_clone(library):
    for source in library.project.rglob("*.py"):
        compiled = Path(importlib.util.cache_from_source(str(source))).read_bytes()
        assert compiled[8:16] == importlib.util.source_hash(source.read_bytes())  # the header of PEP 552


def test_the_package_is_compiled_before_the_first_command():
    without = [source for source in PACKAGE.rglob("*.py") if not Path(importlib.util.cache_from_source(str(source))).exists()]
    assert without == []


def test_an_edit_within_the_same_second_and_of_the_same_size_is_seen(library):
    settings = library.project / "catalog" / "models.py"
    for length in ("100", "101", "102"):
        settings.write_text(re.sub(r"max_length=10\d", f"max_length={length}", settings.read_text(), count=1))
        os.utime(settings, (1_700_000_000, 1_700_000_000))
        code = "from catalog.models import Author; print(Author._meta.get_field('name').max_length)"
        assert library.manage("shell", "-v", "0", "-c", code).stdout == f"{length}\n"


def test_files_are_the_projects_own(library):
    assert library.files() == {
        file.relative_to(LIBRARY).as_posix(): file.read_text()
        for file in LIBRARY.rglob("*")
        if file.is_file() and file.suffix != ".pyc" and ".sqlite3" not in file.name
    }


def test_a_script_runs_in_the_project_with_its_inputs_and_its_python(tmp_path, library):
    runbook = tmp_path / "say-something"
    runbook.mkdir()
    (runbook / "say.py").write_text("import os\nprint(os.environ['WORD'])\n")
    script = runbook / "fix.sh"
    script.write_text("set -euo pipefail\ntest -f manage.py\nuv run manage.py shell -v 0 < .runbook/say-something/say.py\n")
    assert library.bash(script, WORD="two words").stdout == "two words\n"


def test_a_command_that_takes_too_long_is_killed_with_its_children(library, tmp_path):
    begun = time.monotonic()
    with pytest.raises(TimeoutError, match="said first"):
        library.run("bash", "-c", f"echo said first; (sleep 2; touch '{tmp_path}/late') & sleep 20", timeout=0.5)
    assert time.monotonic() - begun < 5
    time.sleep(2)
    assert not (tmp_path / "late").exists()


@pytest.mark.parametrize("world", ["no-such-runbook", "healthy:cause", "../tests"])
def test_an_unknown_world_is_named(world, tmp_path):
    with pytest.raises(WorldError, match="There is no world"):
        open_sandbox(world, "sqlite", tmp_path)


def test_a_world_that_fails_says_what_was_printed(tmp_path, counted):
    (counted / "seed.sh").write_text("echo no seeds left >&2\nexit 3\n")
    project = Project(counted, manage=("python", "manage.py"))
    with pytest.raises(WorldError, match=r"seed.sh ended with status 3:\nno seeds left"):
        open_sandbox("healthy", "sqlite", tmp_path / "sandbox", project)


def test_a_sandbox_needs_a_new_folder(tmp_path):
    (tmp_path / ACHARYA.name).mkdir()
    for database in DATABASES[:1]:
        with pytest.raises(WorldError, match="open a sandbox in a new folder"):
            open_sandbox("healthy", database, tmp_path)

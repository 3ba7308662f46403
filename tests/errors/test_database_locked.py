"""SQLite's own texts, each with its cause, and what happens to the file when people follow the usual advice."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing, contextmanager

import pytest
from advice import find_cause, last_line, on_all_djangos, page_of
from migration_runbooks.pages.blocks import read_page

SLUG = "database-locked"
ERROR = "django.db.utils.OperationalError: "
ORDINARY = ("setpriv", "--bounding-set=-dac_override,-dac_read_search")
NOBODY = 65534
SPILL = """import sqlite3, time
connection = sqlite3.connect("db.sqlite3", isolation_level=None)
connection.executescript("PRAGMA cache_size = 1; PRAGMA synchronous = FULL; BEGIN IMMEDIATE")
connection.execute("UPDATE fees_payment SET amount = amount + 1")
connection.execute("UPDATE fees_invoice SET note = hex(zeroblob(3000))")
print("written", flush=True)
time.sleep(60)
"""


@contextmanager
def writing(sandbox):
    with closing(sandbox.connect()) as connection:
        connection.execute("BEGIN IMMEDIATE")
        yield connection


def check(sandbox, *prefix):
    """Run the page's script, without the process that the page starts before it."""
    (script,) = (each for each in read_page(page_of(SLUG)).blocks if each.fence.title == "scripts/find_writers.py")
    return sandbox.run(*prefix, "python", "manage.py", "shell", "-v", "0", input=script.text).stdout


@on_all_djangos
def test_another_process_writes(opened):
    sandbox = opened(SLUG, "sqlite")
    before = sandbox.snapshot()
    with writing(sandbox):
        assert last_line(sandbox.manage("migrate").output) == f"{ERROR}database is locked"
        assert f"HOLDER={os.getpid()}\n" in check(sandbox)
    assert "HOLDER" not in check(sandbox)
    assert before.difference(sandbox.snapshot()) == []
    assert sandbox.manage("migrate").status == 0


def test_page_names_the_process_that_it_started(opened):
    sandbox = opened(SLUG, "sqlite")
    done = find_cause(sandbox, SLUG)
    assert done.status == 0, done.output
    (holder,) = (line.removeprefix("HOLDER=") for line in check(sandbox).splitlines() if line.startswith("HOLDER="))
    assert os.path.samefile(f"/proc/{holder}/cwd", sandbox.project)
    (sandbox.project / ".runbook/over").touch()


def test_longer_timeout_waits_for_the_others(opened):
    sandbox = opened(SLUG, "sqlite")
    (change,) = (each for each in read_page(page_of(SLUG)).blocks if each.fence.language == "diff")
    line = next(each for each in change.text.splitlines() if each.startswith("+"))[1:]
    settings = sandbox.project / "acharya/settings.py"
    settings.write_text(f"{settings.read_text()}\n{line}\n")
    writer = subprocess.Popen(
        [sys.executable, "-c", SPILL.replace("time.sleep(60)", "time.sleep(7)")], cwd=sandbox.project, stdout=subprocess.PIPE, text=True
    )
    assert writer.stdout.readline() == "written\n"
    assert sandbox.manage("migrate").status == 0
    assert writer.wait() == 0
    writer.stdout.close()


@on_all_djangos
@pytest.mark.parametrize("what", ["file", "folder"])
def test_account_that_may_not_write(opened, what):
    if os.geteuid() != 0 or not shutil.which("setpriv"):
        pytest.skip("needs root and setpriv, to give a file to somebody else")
    sandbox = opened(SLUG, "sqlite")
    place = sandbox.project / "db.sqlite3" if what == "file" else sandbox.project
    os.chown(place, NOBODY, NOBODY)
    place.chmod(0o644 if what == "file" else 0o755)
    done = sandbox.run(*ORDINARY, "python", "manage.py", "migrate")
    assert last_line(done.output) == f"{ERROR}attempt to write a readonly database"
    assert f"{place.name} may NOT be written\n" in check(sandbox, *ORDINARY)


@on_all_djangos
def test_folder_that_is_not_there(opened):
    sandbox = opened(SLUG, "sqlite")
    done = sandbox.run("uv", "run", "manage.py", "migrate", DATABASE_URL="sqlite:////srv/volume/db.sqlite3")
    assert last_line(done.output) == f"{ERROR}unable to open database file"


def test_full_disk(opened):
    sandbox = opened(SLUG, "sqlite")
    pages = sandbox.execute("PRAGMA page_count")[0][0]
    with (sandbox.project / "acharya/settings.py").open("a") as settings:
        settings.write(f'\nDATABASES["default"].setdefault("OPTIONS", {{}})["init_command"] = "PRAGMA max_page_count = {pages}"\n')
    before = sandbox.snapshot()
    write = "fees/migrations/0013_invoice_reminder.py"
    file = sandbox.project / write
    file.write_text(file.read_text().replace('models.DateField(null=True)', 'models.TextField(default="x" * 9000)'))
    assert last_line(sandbox.manage("migrate").output) == f"{ERROR}database or disk is full"
    assert before.difference(sandbox.snapshot()) == []


def crash_in_the_middle(sandbox):
    """A process writes half of its changes to the file and is killed."""
    writer = subprocess.Popen([sys.executable, "-c", SPILL], cwd=sandbox.project, stdout=subprocess.PIPE, text=True)
    assert writer.stdout.readline() == "written\n"
    writer.send_signal(signal.SIGKILL)
    writer.wait()
    writer.stdout.close()


def test_journal_brings_the_rows_back_and_without_it_they_are_lost(opened):
    sandbox, other = opened(SLUG, "sqlite"), opened(SLUG, "sqlite")
    before = sandbox.snapshot()
    for each in (sandbox, other):
        crash_in_the_middle(each)
        assert (each.project / "db.sqlite3-journal").stat().st_size
    assert before.difference(sandbox.snapshot()) == []
    (other.project / "db.sqlite3-journal").unlink()
    try:
        assert before.difference(other.snapshot()) != []
    except sqlite3.DatabaseError as error:
        assert "malformed" in str(error)


def test_new_file_has_no_rows(opened):
    sandbox = opened(SLUG, "sqlite")
    assert sandbox.execute("SELECT COUNT(*) FROM students_student") != [(0,)]
    (sandbox.project / "db.sqlite3").unlink()
    assert sandbox.manage("migrate").status == 0
    assert sandbox.execute("SELECT COUNT(*) FROM students_student") == [(0,)]


def test_two_writers_block_each_other_with_wal_too(opened):
    sandbox = opened(SLUG, "sqlite")
    assert sandbox.execute("PRAGMA journal_mode = WAL") == [("wal",)]
    with writing(sandbox):
        assert sandbox.manage("shell", "-v", "0", "-c", "from fees.models import Invoice; Invoice.objects.count()").status == 0
        assert last_line(sandbox.manage("migrate").output) == f"{ERROR}database is locked"
        assert f"HOLDER={os.getpid()}\n" in check(sandbox)

"""What the kill tests count as a change, and before which changes they kill."""

from __future__ import annotations

import pytest
from migration_runbooks.worlds import DATABASES, available, open_sandbox
from proof import KILLER, kills

IN = "sql in a transaction "
PROGRAM = """
import os, pathlib, shutil, tempfile
from django.db import connection, transaction
cursor = connection.cursor()
with transaction.atomic():
    cursor.execute("SELECT 1")
cursor.execute("UPDATE fees_feehead SET name = name")
with transaction.atomic():
    cursor.execute("UPDATE fees_feehead SET name = name")
    cursor.executemany("DELETE FROM fees_feehead WHERE id = %s", [[-1]])
    cursor.execute("CREATE TABLE made_here (id integer)")
open("written", "w").close()
os.makedirs("made/inside", exist_ok=True)
os.makedirs("made/inside", exist_ok=True)
pathlib.Path("kept/inside").mkdir(parents=True)
pathlib.Path("absent").unlink(missing_ok=True)
with tempfile.TemporaryDirectory() as elsewhere:
    pathlib.Path(elsewhere, "written").touch()
pathlib.Path(tempfile.gettempdir(), "moved").mkdir()
os.rename(os.path.join(tempfile.gettempdir(), "moved"), "moved")
shutil.rmtree("made")
"""


@pytest.mark.parametrize("database", DATABASES)
def test_changes_are_what_a_kill_can_fall_between(database, tmp_path):
    if reason := available(database):
        pytest.skip(reason)
    with open_sandbox("healthy", database, tmp_path) as sandbox:
        count = sandbox.place.directory / "changes"
        count.touch()
        watch = {"KILL_COUNT": str(count), "KILL_AT": "0", "PYTHONPATH": str(KILLER)}
        done = sandbox.run("uv", "run", "manage.py", "shell", "-v", "0", input=PROGRAM, **watch)
        assert done.status == 0, done.output
        assert count.read_text().splitlines() == [
            "sql 'UPDATE fees_feehead SET name = name'",
            IN + "'UPDATE fees_feehead SET name = name'",
            IN + "'DELETE FROM fees_feehead WHERE id = %s'",
            ("sql " if database == "mariadb" else IN) + "'CREATE TABLE made_here (id integer)'",
            "commit",
            "write written",
            "os.mkdir made",
            "os.mkdir made/inside",
            "os.mkdir kept",
            "os.mkdir kept/inside",
            f"os.rename {sandbox.environment['TMPDIR']}/moved",
            "os.rmdir inside",
            "os.rmdir made",
        ]


@pytest.mark.parametrize(("changes", "numbers"), [
    (["command", "command", "sql a", "sql a", "sql a", "sql a", "commit"], [2, 3, 4, 5, 6, 7]),
    (["write a", IN + "a", IN + "b", IN + "c", IN + "d", "commit"], [1, 2, 3, 5, 6]),
    ([IN + "a", IN + "b", IN + "c"], [1, 2, 3]),
    ([IN + "a", IN + "b", "commit", IN + "c", IN + "d"], [1, 2, 3, 4, 5]),
])
def test_only_the_middle_of_a_transaction_is_left_out(changes, numbers):
    assert [number for number, _ in kills(changes)] == numbers

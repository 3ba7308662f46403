"""A command started warm can't be told from one that is a process of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest
from migration_runbooks.paths import ACHARYA
from migration_runbooks.worlds import Project, open_library, open_sandbox
from migration_runbooks.worlds.djangos import DJANGOS

OF_UV_AND_SHELLS = {"PATH", "PWD", "SHLVL", "_", "UV", "UV_RUN_RECURSION_DEPTH"}
HELD = "import os, time; open('held', 'w').write(str(os.getpid())); time.sleep(60)"


@pytest.fixture
def both(tmp_path):
    """A warm sandbox and a cold one of the same world."""
    sandboxes = [open_sandbox("healthy", "sqlite", tmp_path / str(warm), Project(ACHARYA, warm=warm)) for warm in (True, False)]
    yield sandboxes
    for sandbox in sandboxes:
        sandbox.close()


def same(both, *arguments: str, **options):
    """Run a command in both, compare all that it printed and how it ended, and return that."""
    warm, cold = (each.manage(*arguments, **options) for each in both)
    folders = [str(each.place.directory) for each in both]
    assert warm.output.replace(folders[0], folders[1]) == cold.output
    assert warm.status == cold.status
    return cold


def test_output_and_status_are_the_same(both):
    assert same(both, "migrate", "--plan").status == 0
    assert same(both, "showmigrations", "nothing").status == 2
    assert same(both, "no_such_command").status == 1
    assert same(both, "makemigrations", "--check").status == 0
    assert same(both, "check", "--deploy").status == 0


@pytest.mark.parametrize(
    "program",
    [
        "import sys; print(sys.argv, sys.prefix, sys.path[1:], __name__); print('error', file=sys.stderr)",
        f"import os, time; print(sorted(set(os.environ) - {OF_UV_AND_SHELLS}), time.tzname)",
        "raise SystemExit(3)",
        "raise SystemExit('a reason')",
        "import sys; sys.exit(300)",
        "1 / 0",
        "import atexit; atexit.register(print, 'last words')",
        "import threading; threading.Timer(0.2, print, ['from a thread']).start()",
        "from users.models import User; print(User.objects.count())",
    ],
)
def test_any_program_is_the_same(both, program):
    same(both, "shell", "-v", "0", "-c", program)


@pytest.mark.parametrize("django", DJANGOS[1:], indirect=True)
def test_another_django_is_warm_too(acharya, tmp_path):
    with open_sandbox("empty", "sqlite", tmp_path, acharya) as sandbox:
        printed = sandbox.manage("shell", "-v", "0", "-c", "import sys, os; print(sys.prefix, os.getppid())").stdout
    prefix, server = printed.split()
    assert prefix == str(acharya.environment)
    assert f"{os.sep}warm{os.sep}server.py" in Path(f"/proc/{server}/cmdline").read_text()


def test_a_project_run_by_python_is_warm_too(tmp_path):
    with open_library("sqlite", tmp_path, "empty") as library:
        printed = library.manage("shell", "-v", "0", "-c", "import sys, os; print(sys.prefix, os.getppid())").stdout
        other = library.run("python", "-c", "import sys; print(sys.prefix, sys.argv)", "manage.py")
    prefix, server = printed.split()
    assert prefix == str(library.kind.environment)
    assert f"{os.sep}warm{os.sep}server.py" in Path(f"/proc/{server}/cmdline").read_text()
    assert other.output == f"{prefix} ['-c', 'manage.py']\n"


def test_standard_input_is_passed(both):
    assert same(both, "shell", "-v", "0", input="print(6 * 7)").output == "42\n"


def test_new_files_get_the_rights_that_the_shell_asks_for(both):
    for sandbox in both:
        assert sandbox.run("bash", "-c", "umask 077; uv run manage.py makemigrations fees --empty -n private -v 0").status == 0
        (made,) = sandbox.project.glob("fees/migrations/*_private.py")
        assert made.stat().st_mode & 0o777 == 0o600


def test_both_streams_are_in_the_order_in_which_they_were_written(both):
    program = "import sys; print(1); print(2, file=sys.stderr); print(3)"
    for sandbox in both:
        done = sandbox.run("bash", "-c", f"uv run manage.py shell -v 0 -c '{program}' 2>&1", PYTHONUNBUFFERED="1")
        assert done.stdout == "1\n2\n3\n"


def test_a_module_that_python_loads_at_its_start_is_loaded(both, tmp_path):
    (tmp_path / "sitecustomize.py").write_text("print('customized')\n")
    for sandbox in both:
        done = sandbox.run("uv", "run", "manage.py", "shell", "-v", "0", "-c", "pass", PYTHONPATH=str(tmp_path))
        assert done.stdout == "customized\n"


def test_it_is_warm_indeed_and_a_killed_command_is_dead(both):
    warm, _ = both
    printed = warm.manage("shell", "-v", "0", "-c", "import os; print(os.getppid())").stdout
    server = int(printed)
    assert f"{os.sep}warm{os.sep}server.py" in Path(f"/proc/{server}/cmdline").read_text()

    process = subprocess.Popen(
        ["uv", "run", "manage.py", "shell", "-v", "0", "-c", HELD],
        cwd=warm.project, env=warm.environment, start_new_session=True,
    )
    held = warm.project / "held"
    wait_for(lambda: held.exists() and held.read_text())
    os.killpg(process.pid, signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    wait_for(lambda: not os.path.exists(f"/proc/{held.read_text()}"))


def wait_for(condition, seconds: float = 60):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.02)

"""A command started warm can't be told from one that is a process of its own."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import threading
import time
from pathlib import Path

import pytest
from migration_runbooks.paths import ACHARYA
from migration_runbooks.worlds import Project, Sandbox, open_library, open_sandbox, run, warm
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


def test_tables_that_an_earlier_command_met_look_the_same(both):
    known = "import sqlparse; print(len(sqlparse.parse.__self__.known))"
    first = same(both, "inspectdb")
    assert first.status == 0
    assert same(both, "inspectdb").output == first.output
    assert int(both[0].manage("shell", "-v", "0", "-c", known).stdout) > 0
    for sandbox in both:
        sandbox.execute("ALTER TABLE fees_invoice ADD COLUMN colour varchar(7)")
    assert "colour = models.CharField(max_length=7" in same(both, "inspectdb", "fees_invoice").output


@pytest.mark.parametrize("django", DJANGOS[1:], indirect=True)
def test_another_django_is_warm_too(acharya, tmp_path):
    with open_sandbox("empty", "sqlite", tmp_path, acharya) as sandbox:
        printed = sandbox.manage("shell", "-v", "0", "-c", "import sys, os; print(sys.prefix, os.getppid())").stdout
    prefix, server = printed.split()
    assert prefix == str(acharya.environment)
    assert is_server(int(server))


def test_what_a_command_starts_with_its_own_python_is_warm_too(both):
    again = "import os, subprocess, sys; print(subprocess.check_output([sys.executable, *{}], text=True))"
    parent = again.format(["manage.py", "shell", "-v", "0", "-c", "import os; print(os.getppid())"])
    assert is_server(int(both[0].manage("shell", "-v", "0", "-c", parent).stdout))
    assert same(both, "shell", "-v", "0", "-c", again.format(["-c", "import sys; print(sys.executable, sys.prefix)"])).status == 0


def test_runbook_is_warm_too(both):
    for words in (("show", "fill-null-values"), ("run", "fill-null-values"), ("run", "no-such-runbook"), ("undo", "last"), ("--help",)):
        warm, cold = (each.run("runbook", *words) for each in both)
        told, expected = (done.output.replace(str(each.project), "") for done, each in zip((warm, cold), both, strict=True))
        assert (warm.status, told) == (cold.status, expected)
    programs = [Path(each.run("bash", "-c", "command -v runbook").stdout.strip()).read_text() for each in both]
    assert ["Stands in for runbook" in program for program in programs] == [True, False]


def test_a_project_run_by_python_is_warm_too(tmp_path):
    with open_library("sqlite", tmp_path, "empty") as library:
        printed = library.manage("shell", "-v", "0", "-c", "import sys, os; print(sys.prefix, os.getppid())").stdout
        other = library.run("python", "-c", "import sys; print(sys.prefix, sys.argv)", "manage.py")
    prefix, server = printed.split()
    assert prefix == str(library.kind.environment)
    assert is_server(int(server))
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


def test_streams_that_are_files_are_shared_with_the_commands_around(both):
    script = """
    { echo before; uv run manage.py shell -v 0 -c 'print(1)'; echo after; } >printed 2>&1; cat printed
    printf 'print(2)' >program; { uv run manage.py shell -v 0; cat; } <program
    """
    for sandbox in both:
        assert sandbox.run("bash", "-c", script).output == "before\n1\nafter\n2\n"


def test_variables_of_bash_itself_change_nothing(both, tmp_path):
    (tmp_path / "sourced").write_text("echo sourced; exit 3")
    for sandbox in both:
        variables = {"BASH_ENV": str(tmp_path / "sourced"), "SHELLOPTS": "noexec", "IFS": "u", "BASH_FUNC_printf%%": "() { :; }"}
        done = sandbox.run("uv", "run", "manage.py", "shell", "-v", "0", "-c", "print(1)", **variables)
        assert (done.status, done.output) == (0, "1\n")


def answering(text: str) -> tuple[socket.socket, list[bytes]]:
    """Return a socket of this machine that answers all who greet it, and what they say."""
    listener, said = socket.create_server(("127.0.0.1", 0)), []

    def answer():
        with contextlib.suppress(OSError):
            while True:
                with listener.accept()[0] as client:
                    said.append(client.recv(100))
                    client.sendall(text.encode())

    threading.Thread(target=answer, daemon=True).start()
    return listener, said


def test_where_the_server_may_not_look_into_the_client_the_client_hands_over_what_it_needs(both, tmp_path):
    sandbox = both[0]
    environment = sandbox.kind.environment
    listener, said = answering("refused\n")
    with listener:
        refusing = run.current() / "refusing.socket"
        refusing.symlink_to(socket_of(sandbox))
        warm.address(refusing).write_text(f"{listener.getsockname()[1]} token")
        warm.write_client(tmp_path / "uv", Path("/bin/false"), environment, ["run", warm.MANAGE], warm.MANAGE, refusing)
        program = "import os, sys; print(os.getppid(), sys.argv[1:4], os.getcwd()); raise SystemExit(3)"
        command = [str(tmp_path / "uv"), "run", "manage.py", "shell", "-v", "0", "-c", program]
        done = sandbox.run(*command)
    server, rest = done.stdout.split(" ", 1)
    assert is_server(int(server))
    assert (done.status, rest, done.stderr) == (3, f"['shell', '-v', '0'] {sandbox.project}\n", "")
    assert said[0].startswith(b"token ")


def test_nobody_without_the_token_is_served(both):
    port, token = warm.address(socket_of(both[0])).read_text().split()
    assert warm.address(socket_of(both[0])).stat().st_mode & 0o077 == 0
    for greeting in (f"{token[:-1]} {os.getpid()} 1\n", "\n", f"x{token} 1 1\n"):
        with socket.create_connection(("127.0.0.1", int(port))) as client:
            client.sendall(greeting.encode())
            assert client.recv(1) == b""
    assert both[0].manage("shell", "-v", "0", "-c", "print(1)").output == "1\n"


def socket_of(sandbox: Sandbox) -> Path:
    (socket,) = (path for path in run.current().glob("warm-*.socket") if path.stem in sandbox.environment["PATH"])
    return socket


def is_server(process: int) -> bool:
    return f"{os.sep}warm{os.sep}server.py" in Path(f"/proc/{process}/cmdline").read_text()


def test_a_module_that_python_loads_at_its_start_is_loaded(both, tmp_path):
    (tmp_path / "sitecustomize.py").write_text("print('customized')\n")
    for sandbox in both:
        done = sandbox.run("uv", "run", "manage.py", "shell", "-v", "0", "-c", "pass", PYTHONPATH=str(tmp_path))
        assert done.stdout == "customized\n"


def test_it_is_warm_indeed_and_a_killed_command_is_dead(both):
    warm, _ = both
    printed = warm.manage("shell", "-v", "0", "-c", "import os; print(os.getppid())").stdout
    server = int(printed)
    assert is_server(int(server))

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

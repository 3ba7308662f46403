"""Private servers: started once, reached by a socket alone, gone with the run however it ends."""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from migration_runbooks.worlds import DATABASES, available, engines, run
from migration_runbooks.worlds.engines import mariadb, postgresql

PID_FILES = {"postgresql": "{data}/postgresql/postmaster.pid", "mariadb": "{home}/mariadb/pid"}

START_SERVERS = """
    from migration_runbooks.worlds import available, engines, run
    if not available("postgresql"): engines.postgresql.socket_folder()
    if not available("mariadb"): engines.mariadb.socket()
    home = run.current()
    print(home, run.data_folder(home), flush=True)
"""


def python(code: str, **variables: str) -> subprocess.Popen:
    """Start a Python outside this run, so that it begins one of its own."""
    environment = {name: value for name, value in os.environ.items() if name != run.VARIABLE} | variables
    return subprocess.Popen([sys.executable, "-c", textwrap.dedent(code)], env=environment, stdout=subprocess.PIPE, text=True)


def folders(process: subprocess.Popen) -> tuple[Path, Path]:
    home, data = process.stdout.readline().split()
    return Path(home), Path(data)


def server_pids(home: Path, data: Path) -> list[int]:
    files = [Path(PID_FILES[name].format(home=home, data=data)) for name in engines.SERVERS if not available(name)]
    return [int(file.read_text().split()[0]) for file in files]


def alive(pid: int) -> bool:
    status = Path(f"/proc/{pid}/stat")
    return status.exists() and status.read_text().rpartition(")")[2].split()[0] != "Z"


def test_servers_end_with_their_run():
    with python(START_SERVERS + "    import sys; sys.stdin.read()") as process:
        home, data = folders(process)
        process.wait(60)
    assert not home.exists() and not data.exists()


def test_servers_are_private_and_gone_after_their_owner_ended():
    with python(START_SERVERS + "    import time; time.sleep(60)") as process:
        home, data = folders(process)
        pids = server_pids(home, data)
        owners = {Path(f"/proc/{pid}").stat().st_uid for pid in pids}
        process.send_signal(signal.SIGINT)
    assert owners <= ({65534} if os.geteuid() == 0 else {os.geteuid()})
    assert not [pid for pid in pids if alive(pid)]
    assert not home.exists() and not data.exists()


def test_the_next_run_clears_away_what_a_killed_one_left(monkeypatch):
    with python(START_SERVERS + "    import time; time.sleep(60)") as process:
        home, data = folders(process)
        pids = server_pids(home, data)
        run.clear_abandoned_runs()
        assert home.exists(), "its owner lives"
        process.kill()
    assert all(map(alive, pids))
    monkeypatch.setattr(run, "SECONDS_TO_BEGIN", 0)
    run.clear_abandoned_runs()
    assert not [pid for pid in pids if alive(pid)]
    assert not home.exists() and not data.exists()


def test_servers_open_no_port():
    for name, where in (("postgresql", "SHOW listen_addresses"), ("mariadb", "SELECT @@skip_networking")):
        if reason := available(name):
            pytest.skip(reason)
        connection = {"postgresql": postgresql.connect_as_superuser, "mariadb": mariadb.connect_as_root}[name]()
        with connection.cursor() as cursor:
            cursor.execute(where)
            assert cursor.fetchone() == {"postgresql": ("",), "mariadb": (1,)}[name]
        connection.close()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can run a server as somebody else")
def test_postgresql_starts_from_a_private_home_and_leaves_it_private(tmp_path):
    if "PG_BIN" in os.environ:
        pytest.skip("PG_BIN names other programs than the wheel's")
    package, private = postgresql.programs().parent.parent, tmp_path / "home"
    for folder in (package, package.with_name(f"{package.name}.libs")):
        shutil.copytree(folder, private / folder.name, symlinks=True)
    private.chmod(0o700)
    code = START_SERVERS.replace("mariadb.socket()", "postgresql.socket_folder()")
    with python(code, PG_BIN=str(private / package.name / "pginstall" / "bin")) as process:
        home, _ = folders(process)
    assert process.returncode == 0
    assert private.stat().st_mode & 0o777 == 0o700
    assert not home.exists()


def test_says_why_a_database_is_not_available(monkeypatch, tmp_path):
    monkeypatch.setenv("PG_BIN", str(tmp_path))
    monkeypatch.setattr(mariadb, "PATHS", (str(tmp_path),))
    assert available("sqlite") is None
    assert str(tmp_path) in available("postgresql")
    assert "apt-get install mariadb-server" in available("mariadb")


def test_a_start_that_fails_says_what_the_program_printed_each_time(tmp_path):
    programs = tmp_path / "installation" / "bin"
    programs.mkdir(parents=True)
    for program in ("initdb", "postgres"):
        (programs / program).write_text("#!/bin/sh\necho the disk is on fire >&2; exit 1\n")
        (programs / program).chmod(0o755)
    code = """
        from migration_runbooks.worlds.engines import postgresql
        for _ in range(2):
            try: postgresql.socket_folder()
            except RuntimeError as error: print(error)
    """
    with python(code, PG_BIN=str(programs)) as process:
        said = process.stdout.read()
    assert said.count("ended with status 1:\nthe disk is on fire\n") == 2


@pytest.mark.parametrize("workers", [[], ["-n", "2"]])
@pytest.mark.parametrize("end", ["assert False", "os.kill(os.getppid() if WORKER else os.getpid(), signal.SIGINT); time.sleep(5)"])
def test_pytest_shares_one_run_and_ends_it(pytester, monkeypatch, workers, end):
    for name in [name for name in os.environ if name.startswith(("PYTEST_", run.VARIABLE))]:
        monkeypatch.delenv(name)
    pytester.makepyfile(
        f"""
        import os, pathlib, signal, tempfile, time
        from migration_runbooks.worlds import open_sandbox, run
        WORKER = "PYTEST_XDIST_WORKER" in os.environ
        def note(tmp_path):
            assert run.data_folder(run.current()) in pathlib.Path(tempfile.gettempdir()).parents
            with (pathlib.Path({str(pytester.path)!r}) / "runs").open("a") as runs:
                runs.write(str(run.current()) + "\\n")
        def test_one(tmp_path): note(tmp_path)
        def test_two(tmp_path): note(tmp_path)
        def test_end(): time.sleep(0.5); {end}
        """
    )
    done = pytester.runpytest_subprocess("-p", "migration_runbooks.worlds.pytest_plugin", "--dist", "load", *workers)
    assert done.ret != 0
    noted = set((pytester.path / "runs").read_text().split())
    assert len(noted) == 1
    assert not Path(noted.pop()).exists()


def test_interrupts_are_heard_where_a_script_put_the_tests_into_the_background(pytester, monkeypatch):
    for name in [name for name in os.environ if name.startswith(("PYTEST_", run.VARIABLE))]:
        monkeypatch.delenv(name)
    pytester.makepyfile("import signal\ndef test_it(): assert signal.getsignal(signal.SIGINT) is signal.default_int_handler")
    script = f"{shlex.quote(sys.executable)} -m pytest -p migration_runbooks.worlds.pytest_plugin & wait $!"
    pytester.run("sh", "-c", script).assert_outcomes(passed=1)


def test_pytest_shows_the_log_of_a_server_that_died(pytester, monkeypatch):
    if reason := available("postgresql"):
        pytest.skip(reason)
    for name in [name for name in os.environ if name.startswith(("PYTEST_", run.VARIABLE))]:
        monkeypatch.delenv(name)
    pytester.makepyfile(
        """
        import os, signal
        from migration_runbooks.worlds import run
        from migration_runbooks.worlds.engines import postgresql, server
        def test_death():
            folder = postgresql.socket_folder().parent
            os.kill(int(postgresql.pid_file(folder, run.data_folder(folder)).read_text().split()[0]), signal.SIGKILL)
            assert server.wait_until(lambda: server.has_died(postgresql.socket_file(folder)), seconds=20)
        """
    )
    done = pytester.runpytest_subprocess("-p", "migration_runbooks.worlds.pytest_plugin")
    done.stdout.fnmatch_lines(["*the postgresql server died*", "*database system is ready to accept connections*"])


def test_databases_are_the_three_that_are_supported():
    assert DATABASES == ("sqlite", "postgresql", "mariadb")

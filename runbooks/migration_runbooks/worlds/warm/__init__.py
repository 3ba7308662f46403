"""Warm starts: in tests, manage.py and runbook are forks of one process of this run that has loaded Django's code already.

A Django command takes a quarter of a second, and nearly all of it is spent on importing the same modules again. What
runs is the same Python, the same Django and the project's own manage.py, and nothing of a project is loaded before the
fork. In CI (a variable `CI`) pages don't run this way on the first of their databases: there each command is a process of
its own, as it is for a reader.
"""

from __future__ import annotations

import hashlib
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

from migration_runbooks.worlds import run

HERE = Path(__file__).parent
STARTED = "warm "
MANAGE = "manage.py"
CLIENT = """\
#!{bash} -p
# Stands in for {name}: says which process it is, and the server of warm starts takes folder, variables and streams from it.
if [[ "${{*:1:{length}}}" == {words} && $VIRTUAL_ENV == {environment} && -e manage.py ]]; then
  if {{ exec {{server}}<>/dev/tcp/127.0.0.1/{port}; }} 2>/dev/null; then
    printf '%s %d %d %d %s\\n' {token} $$ "$server" {length} {script} >&"$server"
    read -r -u "$server" status
    [ "$status" = refused ] || exit "${{status:-1}}"
    exec {{server}}>&-
  fi
  exec {client} "$@"
fi
exec {program} "$@"
"""


def folder(program: Path, environment: Path, *words: str, script: str = MANAGE) -> Path:
    """Return a folder whose `uv`, `python` or `runbook`, as `program` is called, starts a Python script warm in that environment.

    Warm is `program` with those words; everything else is left to the program.
    Raises RuntimeError, with what the server printed, if the environment's server does not start.
    """
    name = f"warm-{hashlib.sha256(str(environment).encode()).hexdigest()[:8]}"
    socket, clients = run.current() / f"{name}.socket", run.data_folder(run.current())
    python = environment / "bin" / "python"
    with run.lock(name):
        if not socket.exists():
            start(python, socket, clients / f"{name}-python" / "python")
            write_client(clients / f"{name}-python" / "python", python, environment, [MANAGE], MANAGE, socket)
        place = clients / f"{name}-{program.name}"
        if not (place / program.name).exists():
            write_client(place / program.name, program, environment, [*words], script, socket)
    return place


def python_folder(environment: Path) -> Path:
    """Return a folder whose `python`, in that environment, starts manage.py warm. Raises RuntimeError as `folder` does."""
    return folder(environment / "bin" / "python", environment, MANAGE)


def runbook_folder(environment: Path) -> Path:
    """Return a folder whose `runbook`, in a project's folder, starts warm. Raises RuntimeError as `folder` does."""
    program = environment / "bin" / "runbook"
    return folder(program, environment, script=str(program))


def write_client(file: Path, program: Path, environment: Path, words: list[str], script: str, socket: Path) -> None:
    """Write what stands in for the program. It is bash, which starts in a fifth of Python's time.

    Where the kernel does not let the server see into it, client.py hands over what it needs.
    """
    port, token = address(socket).read_text().split()
    client = [sys.executable, "-IS", HERE / "client.py", socket, script, len(words)]
    file.parent.mkdir(mode=0o711, exist_ok=True)
    file.touch(0o700)
    file.write_text(
        CLIENT.format(
            bash=shutil.which("bash"),
            name=program.name,
            length=len(words),
            words=shlex.quote(" ".join(words)),
            script=shlex.quote(script),
            environment=shlex.quote(str(environment)),
            port=port,
            token=token,
            client=shlex.join(map(str, client)),
            program=shlex.quote(str(program)),
        )
    )


def address(socket: Path) -> Path:
    return socket.with_suffix(".address")


def start(python: Path, socket: Path, client: Path) -> None:
    """Start a server, whose commands start that client when they start their own Python again.

    It ends when its socket is gone with the run's folder, so nobody has to stop it.
    """
    from migration_runbooks.worlds.environment import FIXED

    log = socket.with_suffix(".log")
    process = subprocess.Popen(
        [python, "-P", HERE / "server.py", socket, client],
        env=FIXED | {"PATH": "/usr/bin:/bin"},
        cwd=socket.parent,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=log.open("w"),
        text=True,
        start_new_session=True,  # Ctrl-C must not reach it before the run ends
    )
    said = process.stdout.readline()
    if not said.startswith(STARTED):
        raise RuntimeError(f"The server of warm starts did not start:\n{log.read_text()}")
    address(socket).touch(0o600)
    address(socket).write_text(said.removeprefix(STARTED))

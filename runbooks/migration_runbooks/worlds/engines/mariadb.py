"""MariaDB: a private server of this run, reached by its socket alone; a database is cloned by dump and load."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import signal
import subprocess
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from migration_runbooks.worlds.engines import server
from migration_runbooks.worlds.engines.place import Address, Place

if TYPE_CHECKING:
    import pymysql

USER = "django"
PROGRAMS = ("mariadbd", "mariadb-install-db", "mariadb", "mariadb-dump")
PATHS = (os.environ.get("PATH", ""), "/usr/sbin", "/usr/bin", "/usr/libexec")

SETTINGS = (
    "--skip-networking",
    "--skip-log-bin",
    "--innodb-flush-log-at-trx-commit=0",
    "--innodb-doublewrite=0",
    "--innodb-use-native-aio=0",  # a memory file system has none, and many servers at once exhaust the kernel's
    "--innodb-fast-shutdown=2",
    "--innodb-stats-persistent=0",  # kept in tables, they are nearly half of what making a table costs
    "--innodb-buffer-pool-size=64M",
    "--character-set-server=utf8mb4",
    "--collation-server=utf8mb4_general_ci",
    "--default-time-zone=+00:00",
)


def missing() -> str | None:
    """Return why no server can be started, for people, or None."""
    if importlib.util.find_spec("pymysql") is None:
        return "the Python package PyMySQL is not installed"
    absent = [name for name in PROGRAMS if find(name) is None]
    if not absent:
        return None
    return f"MariaDB's {' and '.join(absent)} not found on this machine. On Debian: apt-get install mariadb-server"


def find(name: str) -> str | None:
    return shutil.which(name, path=os.pathsep.join(PATHS))


def socket() -> Path:
    """Return the server's socket, after starting the server if this run has none yet."""
    return server.started_once("mariadb", start) / "socket"


def start(home: Path, data: Path) -> None:
    # A starting server removes temporary tables from its tmpdir, so it must not be one that servers share. It lies beside the
    # data, in memory: each look at information_schema makes and removes files there, on a disk a tenth of a test's time.
    temporary = data.with_name("mariadb-temporary")
    server.make_folder(temporary, 0o700)
    common = ("--no-defaults", f"--datadir={data}", f"--tmpdir={temporary}")
    install = ("--auth-root-authentication-method=normal", "--skip-test-db", "--skip-log-bin")
    server.command(find("mariadb-install-db"), *common, *install, cwd=home)
    files = (f"--socket={home / 'socket'}", f"--pid-file={home / 'pid'}", f"--log-error={home / 'log'}")
    with (home / "command.log").open("a") as log:
        process = subprocess.Popen(
            [find("mariadbd"), *common, *files, *SETTINGS],
            **(server.unprivileged() | {"cwd": home, "stdin": subprocess.DEVNULL, "stdout": log, "stderr": log}),
            env=server.environment(home),
            start_new_session=True,  # Ctrl-C must not reach it before the run ends
        )
    server.wait_until(lambda: answers(home / "socket") or process.poll() is not None)
    if not answers(home / "socket"):
        raise RuntimeError(f"MariaDB did not start:\n{(home / 'log').read_text()}")
    with closing(connect_as_root(home / "socket")) as connection:
        connection.cursor().execute(f"GRANT ALL ON *.* TO {USER}@localhost IDENTIFIED BY ''")


def answers(socket: Path) -> bool:
    import pymysql

    try:
        connect_as_root(socket).close()
    except pymysql.MySQLError:
        return False
    return True


def pid_file(folder: Path, data: Path) -> Path:
    return folder / "mariadb" / "pid"


def socket_file(folder: Path) -> Path:
    return folder / "mariadb" / "socket"


def stop(folder: Path, data: Path) -> None:
    """Stop the server of the run in that folder, if it has one. Nothing in it needs saving."""
    server.stop(pid_file(folder, data), signal.SIGTERM)


def connect_as_root(socket_path: Path | None = None) -> pymysql.Connection:
    return connect_to(socket_path or socket(), user="root")


def connect_to(socket_path: Path, **options: str | int) -> pymysql.Connection:
    """Return a connection in autocommit mode, without TLS, for which PyMySQL would load all certificates of the machine."""
    import pymysql

    return pymysql.connect(unix_socket=str(socket_path), autocommit=True, ssl_disabled=True, **options)


KEPT: dict[Path, pymysql.Connection] = {}
"""This process's own connection to the server of each socket: to begin one takes longer than what is asked of it."""


def root() -> pymysql.Connection:
    file = socket()
    if file not in KEPT or not KEPT[file].open:
        KEPT[file] = connect_as_root(file)
    return KEPT[file]


def create(place: Place) -> None:
    root().cursor().execute(f"CREATE DATABASE `{place.database}`")


def freeze(place: Place) -> None:
    """Dump the database to a file and drop it: clones load the file. Raises RuntimeError with what the program printed."""
    options = ("--no-defaults", f"--socket={socket()}", "--user=root")
    content = ("--single-transaction", "--skip-comments", "--routines", "--triggers", place.database)
    with dump_file(place).open("wb") as dump:
        done = subprocess.run([find("mariadb-dump"), *options, *content], stdout=dump, stderr=subprocess.PIPE, text=True)
    if done.returncode:
        raise RuntimeError(f"mariadb-dump of {place.database} ended with status {done.returncode}:\n{done.stderr}")
    drop(place)


def clone(source: Place, target: Place) -> None:
    """Load the dump in one request: its client would take as long to start, and to wait for each statement, as the server to load."""
    from pymysql.constants.CLIENT import MULTI_STATEMENTS

    create(target)
    with closing(connect_to(socket(), user="root", database=target.database, client_flag=MULTI_STATEMENTS)) as connection:
        cursor = connection.cursor()
        cursor.execute(without_delimiters(dump_file(source).read_bytes()))
        while cursor.nextset():
            pass  # an error in any of the statements is raised here


def without_delimiters(dump: bytes) -> bytes:
    """Return a dump without what tells its client where a trigger ends: the server knows."""
    return re.sub(rb";;$", b";", re.sub(rb"^DELIMITER ;;?\n", b"", dump, flags=re.MULTILINE), flags=re.MULTILINE)


def dump_file(place: Place) -> Path:
    return place.directory / "database.sql"


def drop(place: Place) -> None:
    """Drop the database, and those that were made beside it under a name that begins with its name."""
    with root().cursor() as cursor:
        cursor.execute("SHOW DATABASES")
        for (name,) in cursor.fetchall():
            if name in (place.database, f"test_{place.database}") or name.startswith(f"{place.database}_"):
                cursor.execute(f"DROP DATABASE `{name}`")


def connect(place: Place) -> pymysql.Connection:
    """Return a connection in autocommit mode."""
    return connect_to(socket(), user=USER, database=place.database)


def address(place: Place) -> Address:
    return Address("mysql", place.database, str(socket()), USER)


def variables(place: Place) -> dict[str, str]:
    """Write the option file that MariaDB's clients read, and return the variable that names its folder."""
    options = f"[client]\nsocket={socket()}\nuser={USER}\n\n[mariadb-client]\ndatabase={place.database}\n"
    for name in ("my.cnf", ".my.cnf"):  # the first is read from MYSQL_HOME, the second from HOME
        (place.home / name).write_text(options)
    return {"MYSQL_HOME": str(place.home)}


def tools() -> list[Path]:
    return sorted({Path(find(name)).parent for name in ("mariadb", "mariadb-dump")})

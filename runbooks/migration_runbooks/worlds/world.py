"""Worlds: prepared states of a project and its database, built once a run and cloned for each sandbox."""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import shutil
import subprocess
import sys
import tomllib
from compileall import compile_file
from pathlib import Path
from py_compile import PycInvalidationMode

from migration_runbooks.paths import ACHARYA, ERRORS, RUNBOOKS
from migration_runbooks.worlds import run
from migration_runbooks.worlds.available import available
from migration_runbooks.worlds.engines import ENGINES
from migration_runbooks.worlds.engines.place import Place
from migration_runbooks.worlds.project import Project
from migration_runbooks.worlds.sandbox import Completed, Sandbox

DATABASE_FILES = ("*.sqlite3*",)
NOT_CLONED = (*DATABASE_FILES, ".runbook")
NOT_COPIED = (*NOT_CLONED, ".git", ".venv")
"""Of a developer's own folder; what a world has made of the last two is cloned with it."""

LONGEST_BUILD = 600

FEW = 5
"""So many files are compiled by each command in less time than another Python takes to start."""


class WorldError(Exception):
    """A world that can't be built; the message says which step failed and what it printed."""


def open_sandbox(world: str, database: str, directory: Path, project: Path | Project = ACHARYA) -> Sandbox:
    """Clone a world into `directory`, with a database of its own.

    A world is `empty` (no tables), `healthy` (migrated and seeded), a runbook's slug (healthy, then broken by its
    reproduce.sh) or `<slug>:<cause>`. An error that needs worlds of its own keeps their scripts in a folder beside its
    TOML, and its slug names them in the same way. Raises WorldError if there is no such world or building it failed.
    """
    if reason := available(database):
        raise WorldError(reason)
    kind = project if isinstance(project, Project) else Project(Path(project))
    template = built(world, database, kind)
    return clone(template, Sandbox(database, new_place(directory, kind), kind), NOT_CLONED)


def copy_sandbox(frozen: Sandbox, directory: Path) -> Sandbox:
    """Clone a sandbox as it is now, with what runbooks saved in it. `freeze_sandbox` must have been called on it."""
    return clone(frozen.place, Sandbox(frozen.database, new_place(directory, frozen.kind), frozen.kind), DATABASE_FILES)


def freeze_sandbox(sandbox: Sandbox) -> None:
    """Make a template of a sandbox. Its own database may be gone then."""
    ENGINES[sandbox.database].freeze(sandbox.place)


def new_place(directory: Path, kind: Project) -> Place:
    directory = Path(directory).absolute()
    if (directory / kind.name).exists():
        raise WorldError(f"{directory / kind.name} exists already: open a sandbox in a new folder")
    return Place(directory, directory / kind.name, f"{identifier(kind.name)}_{secrets.token_hex(4)}")


def clone(template: Place, sandbox: Sandbox, without: tuple[str, ...]) -> Sandbox:
    copy_project(template.project, sandbox.place.project, without)
    ENGINES[sandbox.database].clone(template, sandbox.place)
    return sandbox


def identifier(name: str) -> str:
    return re.sub(r"\W+", "_", name.lower())[:32]


def built(world: str, database: str, kind: Project) -> Place:
    """Return where the world lies, after building it if no process of this run has."""
    key = hashlib.sha256(f"{kind.folder.resolve()} {kind.environment} {world}".encode()).hexdigest()[:12]
    directory = run.data_folder(run.current()) / f"world-{database}-{key}"
    place = Place(directory, directory / kind.name, f"world_{key}")
    ready = directory / "ready"
    if ready.exists():
        return place
    with run.lock(directory.name):
        if not ready.exists():
            clear(place, database)
            build(world, Sandbox(database, place, kind))
            ENGINES[database].freeze(place)
            ready.write_text(world)
    return place


def clear(place: Place, database: str) -> None:
    """Remove what a failed build has left."""
    ENGINES[database].drop(place)
    shutil.rmtree(place.directory, ignore_errors=True)


def build(world: str, sandbox: Sandbox) -> None:
    kind, place, engine = sandbox.kind, sandbox.place, ENGINES[sandbox.database]
    if world in ("empty", "healthy"):
        shutil.copytree(kind.folder, place.project, ignore=shutil.ignore_patterns("__pycache__", *NOT_COPIED))
        compile_bytecode(kind, place.project)
        engine.create(place)
    else:
        script = reproduce_script(world, sandbox.database)
        healthy = built("healthy", sandbox.database, kind)
        clone(healthy, sandbox, NOT_CLONED)
    if world == "healthy":
        migrate_and_seed(sandbox)
    elif world != "empty":
        demand(sandbox.bash(script, timeout=LONGEST_BUILD), f"World {world} on {sandbox.database}: {script}")
    compile_bytecode(kind, place.project)


def copy_project(source: Path, target: Path, without: tuple[str, ...]) -> None:
    shutil.copytree(source, target, symlinks=True, ignore=shutil.ignore_patterns(*without), copy_function=copy_or_link)


def copy_or_link(source: str, target: str) -> None:
    """Copy a file; but link bytecode and installed packages, nearly all files: Python and installers replace, never write into them."""
    if source.endswith(".pyc") or "/site-packages/" in source:
        link_or_copy(source, target)
    else:
        shutil.copy2(source, target)


def link_or_copy(source: str | Path, target: str | Path) -> None:
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)  # another file system


def compile_bytecode(kind: Project, folder: Path) -> None:
    """Compile everything, so that no command in any clone compiles again.

    Python compares times in whole seconds and sizes to see whether bytecode is stale; a file that a script and then a
    page edit within one second could pass unseen. So it compares hashes, and commands in sandboxes write no bytecode.
    """
    not_own = "/.venv/"
    stale = [file for file in folder.rglob("*.py") if not_own not in str(file) and not is_compiled(file)]
    python = kind.environment / "bin" / "python"
    if os.path.realpath(python) == os.path.realpath(sys.executable):  # so the bytecode is the same, without a process
        for file in stale:
            compile_file(file, quiet=2, invalidation_mode=PycInvalidationMode.CHECKED_HASH)
    elif len(stale) > FEW:
        options = ("-q", "-q", "--invalidation-mode", "checked-hash")
        subprocess.run([python, "-m", "compileall", *options, *stale], check=False)


def is_compiled(file: Path) -> bool:
    """Whether there is bytecode no older than the file. One that is stale all the same costs time, and nothing else."""
    compiled = (file.parent / "__pycache__").glob(f"{file.stem}.*.pyc")
    return any(each.stat().st_mtime >= file.stat().st_mtime for each in compiled)


def migrate_and_seed(sandbox: Sandbox) -> None:
    world = f"World healthy on {sandbox.database}"
    demand(sandbox.manage("migrate", "-v", "0", timeout=LONGEST_BUILD), f"{world}: manage.py migrate")
    if (sandbox.project / "seed.sh").is_file():
        demand(sandbox.run("bash", "seed.sh", timeout=LONGEST_BUILD), f"{world}: seed.sh")


def demand(done: Completed, step: str) -> None:
    if done.status:
        raise WorldError(f"{step} ended with status {done.status}:\n{done.output}")


def reproduce_script(world: str, database: str) -> Path:
    """Return the script that breaks a healthy world: a cause's own, and the one of this database before the general."""
    slug, _, cause = world.partition(":")
    folder = RUNBOOKS / slug
    if (folder / "runbook.toml").is_file():
        stem = runbook_stem(folder, world)
    elif (ERRORS / slug).is_dir():
        folder, stem = ERRORS / slug, f"reproduce.{cause}" if cause else "reproduce"
    else:
        raise WorldError(f"There is no world {world!r}: it is neither empty, healthy, a runbook in {RUNBOOKS} nor an error with a folder in {ERRORS}")
    for name in (f"{stem}.{database}.sh", f"{stem}.sh"):
        if (folder / name).is_file():
            return folder / name
    raise WorldError(f"World {world} can't be built on {database}: {folder} has no {stem}.sh")


def runbook_stem(folder: Path, world: str) -> str:
    """Return the name of a cause's script, without its ending; the first cause is what plain reproduce.sh makes."""
    cause = world.partition(":")[2]
    causes = [each["name"] for each in tomllib.loads((folder / "runbook.toml").read_text()).get("causes", [])]
    if cause and cause not in causes:
        raise WorldError(f"There is no world {world!r}: {folder / 'runbook.toml'} declares the causes {causes}")
    return "reproduce" if not cause or cause == causes[0] else f"reproduce.{cause}"

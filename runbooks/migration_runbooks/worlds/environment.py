"""The environment of everything that runs in a sandbox: closed, so that what works there works for a reader."""

from __future__ import annotations

import os
from pathlib import Path
from types import ModuleType

from migration_runbooks.worlds import run, warm
from migration_runbooks.worlds.engines.place import Place
from migration_runbooks.worlds.project import PYTHON, Project, find_uv

SYSTEM = ("/usr/bin", "/bin")

FIXED = {
    "UV_OFFLINE": "1",
    "UV_NO_PROJECT": "1",  # `uv run` takes the environment as it is, whatever a pyproject.toml of the sandbox asks for
    "UV_PYTHON_DOWNLOADS": "never",
    "LC_ALL": "C.UTF-8",
    "TZ": "UTC",
    "COLUMNS": "80",
    "PYTHONHASHSEED": "0",
    "NO_COLOR": "1",
    "PYTHONDONTWRITEBYTECODE": "1",  # see world.compile_bytecode
}


def closed(project: Project, place: Place, engine: ModuleType) -> dict[str, str]:
    """Return all variables of a sandbox. Nothing of this process's own environment is among them."""
    temporary = place.home / "tmp"
    temporary.mkdir(parents=True, exist_ok=True)
    return {
        "HOME": str(place.home),
        "TMPDIR": str(temporary),
        "PATH": os.pathsep.join(str(folder) for folder in search_path(project, place, engine)),
        "VIRTUAL_ENV": str(virtual_environment(project, place)),
        **FIXED,
        **engine.variables(place),
        **project.variables(engine.address(place)),
    }


def virtual_environment(project: Project, place: Place) -> Path:
    """Return the environment that the world made inside the project's folder, else the one that all sandboxes share."""
    own = place.project / ".venv"
    return own if own.is_dir() else project.environment


def search_path(project: Project, place: Place, engine: ModuleType) -> list[Path]:
    shared = project.environment / "bin"
    python = [warm.python_folder(project.environment)] if is_warm_python(project, place) else []
    runbook = [warm.runbook_folder(project.environment)] if project.warm and (shared / "runbook").exists() else []
    uv = [folder_of_uv(project)] if project.with_uv else []
    folders = [*python, *runbook, virtual_environment(project, place) / "bin", shared, *uv, *engine.tools(), *map(Path, SYSTEM)]
    return list(dict.fromkeys(folders))


def is_warm_python(project: Project, place: Place) -> bool:
    return project.warm and project.manage == PYTHON and virtual_environment(project, place) == project.environment


def folder_of_uv(project: Project) -> Path:
    """Return a folder that holds uv alone: where uv lies there may be another Python too."""
    if project.warm and (uv := find_uv()):
        return warm.folder(uv, project.environment, "run", warm.MANAGE)
    folder = run.data_folder(run.current()) / "bin"
    with run.lock("uv"):
        if not folder.exists():
            folder.mkdir()
            if uv := find_uv():
                (folder / "uv").symlink_to(uv)
    return folder

"""The README, the scripts and the pinned packages keep what they promise."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from migration_runbooks.paths import CHECKOUT, DOCS

SCRIPTS = sorted(path for path in (CHECKOUT / "scripts").iterdir() if path.is_file())
VERBS = [script for script in SCRIPTS if not script.name.startswith("_")]
README = (CHECKOUT / "README.md").read_text()
PROJECT = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())
LOCKS = [CHECKOUT / "requirements.lock", CHECKOUT / "requirements-uv.lock"]


def by_name(path) -> str:
    return path.name


def direct_dependencies() -> dict[str, str]:
    """Return the version of each package that pyproject.toml names."""
    groups = [PROJECT["project"]["dependencies"], PROJECT["build-system"]["requires"]]
    wanted = [line for group in [*groups, *PROJECT["dependency-groups"].values()] for line in group]
    return {re.split(r"[\[=]", line)[0].lower(): line.partition("==")[2] for line in wanted}


def test_readme_is_short_and_its_commands_and_pictures_exist():
    assert len(README.splitlines()) <= 60
    commands = re.findall(r"^```bash\n(.*?)^```", README, re.S | re.M)
    assert [command.strip() for command in commands] == ["scripts/serve", "scripts/test"]
    for target in re.findall(r"\]\(([^)]+)\)", README):
        assert (CHECKOUT / target).is_file(), target


@pytest.mark.parametrize("script", SCRIPTS, ids=by_name)
def test_script_is_short(script):
    assert len(script.read_text().splitlines()) <= 20


@pytest.mark.parametrize("script", VERBS, ids=by_name)
def test_script_can_be_run_and_is_explained(script):
    assert os.access(script, os.X_OK)
    assert re.match(r"#!/usr/bin/env bash\n# .+\nset -euo pipefail\n", script.read_text())
    assert f"`scripts/{script.name}`" in (DOCS / "contributing" / "index.md").read_text()


def test_shell_scripts_pass_shellcheck():
    if not shutil.which("shellcheck"):
        pytest.skip("no shellcheck here, so the scripts were not linted; on Debian: apt-get install shellcheck")
    files = [CHECKOUT / ".ci" / "run", *SCRIPTS]
    check = subprocess.run(
        ["shellcheck", "--shell=bash", "--exclude=SC1091,SC2154", *files], capture_output=True, text=True
    )
    assert check.returncode == 0, check.stdout


@pytest.fixture
def checkout(tmp_path) -> Path:
    """A checkout, in a path with a space, whose uv only notes its environment in the file `seen`."""
    checkout = tmp_path / "a checkout"
    shutil.copytree(CHECKOUT / "scripts", checkout / "scripts")
    for file in (*LOCKS, CHECKOUT / "pyproject.toml"):
        shutil.copy(file, checkout)
    uv = checkout / ".uv" / "bin" / "uv"
    uv.parent.mkdir(parents=True)
    uv.write_text("#!/bin/sh\nmkdir -p .venv\nenv >>seen\n")
    uv.chmod(0o755)
    shutil.copy(checkout / "requirements-uv.lock", checkout / ".uv" / "installed")
    return checkout


def prepare(checkout: Path, **settings) -> list[str]:
    """Source scripts/_environment and return what uv's environment was, line by line."""
    (checkout / "seen").write_text("")
    command = ["bash", "-c", 'set -euo pipefail; . "$(dirname "$0")/_environment"', "scripts/test"]
    environment = {"PATH": os.environ["PATH"], "HOME": str(checkout), **settings}
    subprocess.run(command, cwd=checkout, env=environment, capture_output=True, text=True, check=True)
    return (checkout / "seen").read_text().splitlines()


def test_developers_settings_do_not_reach_the_set_up(checkout):
    hostile = {"PIP_USER": "1", "UV_SYSTEM_PYTHON": "1", "PYTHONDONTWRITEBYTECODE": "1", "PYTHONPATH": "/elsewhere"}
    kept = {"UV_INDEX_URL": "https://mirror.example/simple", "SSL_CERT_FILE": "/etc/mirror.pem"}
    seen = prepare(checkout, **hostile, **kept)
    assert not [line for line in seen if line.partition("=")[0] in hostile]
    assert {f"{name}={value}" for name, value in kept.items()} <= set(seen)


def test_second_set_up_does_nothing_until_a_pin_changes(checkout):
    assert prepare(checkout)
    assert not prepare(checkout)
    with (checkout / "requirements.lock").open("a") as lock:
        lock.write("# changed\n")
    assert prepare(checkout)


def python_beside(folder: Path, version: str) -> str:
    """Make a python3 that says it is of that version; return the search path that begins with it."""
    major, minor = map(int, version.split("."))
    folder.mkdir()
    (folder / "python3").write_text(f"#!/bin/sh\necho {major << 24 | minor << 16} {folder}/python3\n")
    (folder / "python3").chmod(0o755)
    return f"{folder}{os.pathsep}{os.environ['PATH']}"


def place_of_python(checkout: Path) -> str:
    return (checkout / ".venv" / "place").read_text().strip().removeprefix(str(checkout)).split(maxsplit=1)[1]


def test_python_is_the_first_one_on_the_path_unless_a_variable_names_another(checkout, tmp_path):
    prepare(checkout, PATH=python_beside(tmp_path / "newer", "3.99"))
    assert place_of_python(checkout) == f"{tmp_path}/newer/python3"
    prepare(checkout, TEST_PYTHON=sys.executable)
    assert place_of_python(checkout) == os.path.realpath(sys.executable)


def test_of_two_pythons_of_one_version_it_is_the_systems(checkout, tmp_path):
    system = Path("/usr/bin/python3")
    about = "import os, sys; print('{}.{}'.format(*sys.version_info), os.path.realpath(sys.executable)); sys.exit(sys.version_info < (3, 11))"
    said = subprocess.run([system, "-c", about], capture_output=True, text=True) if system.exists() else None
    if said is None or said.returncode:
        pytest.skip(f"there is no {system} of version 3.11 or newer here, so nothing shows that it would be preferred")
    version, path = said.stdout.split()
    prepare(checkout, PATH=python_beside(tmp_path / "same", version))
    assert place_of_python(checkout) == path


def test_every_direct_dependency_is_pinned_and_locked():
    locked = dict(re.findall(r"^([\w.-]+)==(\S+)", "\n".join(lock.read_text() for lock in LOCKS).lower(), re.M))
    for name, version in direct_dependencies().items():
        assert locked.get(name) == version, f"run scripts/lock: {name}"


@pytest.mark.parametrize("lock", LOCKS, ids=by_name)
def test_lock_names_hashes_and_no_registry(lock):
    text = lock.read_text()
    assert "://" not in text and "--index" not in text
    for package in re.split(r"\n(?=\S)", text.strip()):
        assert "--hash=sha256:" in package, package


def test_every_direct_dependency_is_explained_and_nothing_else():
    page = (DOCS / "contributing" / "dependencies.md").read_text()
    explained = re.findall(r"^\| `([\w.-]+)` \|", page, re.M)
    assert sorted(name.lower() for name in explained) == sorted(direct_dependencies())

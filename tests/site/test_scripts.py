"""The README, the scripts and the pinned packages keep what they promise."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tomllib

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


def test_developers_settings_do_not_reach_the_set_up():
    hostile = {"PIP_USER": "1", "UV_SYSTEM_PYTHON": "1", "PYTHONDONTWRITEBYTECODE": "1", "PYTHONPATH": "/elsewhere"}
    kept = {"PIP_INDEX_URL": "https://mirror.example/simple", "SSL_CERT_FILE": "/etc/mirror.pem"}
    shown = subprocess.run(
        ["bash", "-c", 'set -euo pipefail; . "$(dirname "$0")/_environment"; env', "scripts/test"],
        cwd=CHECKOUT,
        env={"PATH": os.environ["PATH"], "HOME": os.environ["HOME"], **hostile, **kept},
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    assert not [name for name in hostile if any(line.startswith(f"{name}=") for line in shown)]
    assert {f"{name}={value}" for name, value in kept.items()} <= set(shown)


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

"""Puts a project into the place where the damage happens: under git, its virtual environment inside its own folder.

The environment gets copies of the packages that run this very script, and Django as a wheel, put together from its
installed files, so that it can be installed again without a network.
"""

import base64
import hashlib
import shutil
import subprocess
import sys
import venv
import zipfile
from importlib.metadata import PackageNotFoundError, distribution
from importlib.util import cache_from_source
from pathlib import Path

NEEDS = ("asgiref", "dj-database-url", "Django", "psycopg", "psycopg-binary", "PyMySQL", "sqlparse", "typing-extensions")
ENVIRONMENT, WHEELS = Path(".venv"), Path("wheels")


def installed(name):
    try:
        return distribution(name)
    except PackageNotFoundError:
        return None  # typing-extensions: newer Pythons need none


def own_files(package):
    """(name in site-packages, file) of the package; no bytecode."""
    return [(each, Path(str(package.locate_file(each)))) for each in package.files if "__pycache__" not in each.parts]


def copy(package, site_packages):
    """With the bytecode that there is, as in an environment in use."""
    for name, file in own_files(package):
        target = site_packages / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(file, target)
        if file.suffix == ".py" and (compiled := Path(cache_from_source(file))).is_file():
            (target.parent / "__pycache__").mkdir(exist_ok=True)
            shutil.copy2(compiled, target.parent / "__pycache__")


def make_wheel(package):
    """Scripts and records are left out: an installer writes its own."""
    added = {"RECORD", "INSTALLER", "REQUESTED", "direct_url.json"}
    info = f"{package.metadata['Name'].lower()}-{package.version}"
    lines = []
    with zipfile.ZipFile(WHEELS / f"{info}-py3-none-any.whl", "w", zipfile.ZIP_DEFLATED, compresslevel=1) as wheel:
        for name, file in own_files(package):
            if ".." not in name.parts and not (name.name in added and name.parts[0].endswith(".dist-info")):
                content = file.read_bytes()
                digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
                lines.append(f"{name.as_posix()},sha256={digest},{len(content)}\n")
                wheel.writestr(name.as_posix(), content)
        record = f"{next(name.parts[0] for name, _ in own_files(package) if name.name == 'RECORD')}/RECORD"
        wheel.writestr(record, "".join(lines) + f"{record},,\n")


def git(*arguments):
    who = ("-c", "user.name=Developer", "-c", "user.email=developer@example.com")
    subprocess.run(["git", *who, *arguments], check=True, stdout=subprocess.DEVNULL)


venv.create(ENVIRONMENT, symlinks=True, with_pip="with-pip" in sys.argv)
WHEELS.mkdir()
site_packages = next(ENVIRONMENT.glob("lib/python*/site-packages"))
for package in filter(None, map(installed, NEEDS)):
    copy(package, site_packages)
make_wheel(distribution("Django"))
Path("uv.toml").write_text('no-index = true\nfind-links = ["wheels"]\n')
(ENVIRONMENT / "pip.conf").write_text(f"[global]\nno-index = true\nfind-links = {WHEELS}\n[install]\nno-compile = no\n")  # `no` does mean: don't compile
Path(".gitignore").write_text(".venv/\nwheels/\n.runbook/\n*.sqlite3*\n__pycache__/\n")
git("init", "--quiet")
git("add", "--all")
git("commit", "--quiet", "--message", "The project as it was deployed")

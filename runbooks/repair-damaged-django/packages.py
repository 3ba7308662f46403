"""Compares installed packages with what their installer recorded. STEP says what to do. Needs no Django, and imports none."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from importlib.metadata import distributions
from pathlib import Path

MIGRATIONS = "*/migrations/*.py"
BEGUN = Path(".runbook/repair-damaged-django/begun")
SHOWN = 5


def environments():
    """Folders that may be the project's virtual environment, the likeliest first."""
    named = [os.environ.get(name) for name in ("ENVIRONMENT", "VIRTUAL_ENV")]
    folders = [Path(each) for each in [*named, ".venv", "venv", "env", sys.prefix] if each]
    return list(dict.fromkeys(each.absolute() for each in folders if site_packages(each)))


def site_packages(environment):
    return [str(each) for each in sorted(environment.glob("lib*/python3*/site-packages")) if not each.parent.parent.is_symlink()]


def name_of(package):
    return re.sub(r"[-_.]+", "-", package.metadata["Name"] or "unknown").lower()


def requirement(package):
    """name==version, or another text for what did not come from an index."""
    elsewhere = "url" in json.loads(package.read_text("direct_url.json") or "{}")
    return f"{name_of(package)} {package.version}, not from an index" if elsewhere else f"{name_of(package)}=={package.version}"


def recorded(environment):
    """{requirement: [(name, file)]} of every package, by its RECORD; no bytecode."""
    found = {}
    for package in distributions(path=site_packages(environment)):
        if not package.read_text("RECORD"):
            continue  # not put there by pip or uv
        files = [each for each in package.files or [] if each.suffix != ".pyc"]
        found[requirement(package)] = [(each, Path(str(package.locate_file(each)))) for each in files]
    return found


def missing(packages):
    """{requirement: files that are missing}"""
    return {name: [str(each) for each, file in files if not file.exists()] for name, files in packages.items()}


def changed(packages):
    """{requirement: files that are not what was installed}. Reads them all."""
    return {
        name: [str(each) for each, file in files if file.is_file() and each.hash and differs(each.hash, file)]
        for name, files in packages.items()
    }


def differs(recorded, file):
    digest = hashlib.new(recorded.mode, file.read_bytes()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode() != recorded.value.rstrip("=")


def damaged(environment):
    """{name==version: missing files}; of a package that a killed fix had begun to replace, perhaps the record itself."""
    return lost_or_damaged(missing(recorded(environment)))


def lost_or_damaged(packages):
    names = {re.split("==| ", each)[0] for each in packages}
    lost = {each: ["its record"] for each in begun() if each.split("==")[0] not in names}
    return lost | {each: files for each, files in packages.items() if files and "==" in each}


def begun():
    return BEGUN.read_text().split() if BEGUN.is_file() else []


def git(*arguments):
    """(status, lines) of a git command; status 127 where there is no git."""
    if not shutil.which("git"):
        return 127, []
    done = subprocess.run(["git", *arguments], capture_output=True, text=True)
    return done.returncode, done.stdout.splitlines()


def deleted_migrations():
    """The project's own tracked migration files that are gone; None where git can't say."""
    status, lines = git("-c", "core.quotePath=false", "diff", "--name-only", "--relative", "--diff-filter=D", "HEAD", "--", MIGRATIONS)
    return lines if status == 0 else None


def some(names):
    return ", ".join(names[:SHOWN]) + (f", and {len(names) - SHOWN} more" if len(names) > SHOWN else "")


def given(name):
    return shlex.split(os.environ.get(name, ""))


def diagnose():
    """0: every recorded file is there. 1: files of packages are missing. 2: no environment, or no Django in it."""
    folders = environments()
    environment = next((each for each in folders if damaged(each)), folders[0] if folders else None)
    if not environment:
        print("Can't tell: there is no virtual environment here. Activate it, or set ENVIRONMENT to its folder.")
        return 2
    found = recorded(environment)
    packages = missing(found)
    wanted = sorted(lost_or_damaged(packages))
    print(f"Compared {len(packages)} packages in {shown(environment)} with what was installed.")
    tell_of(packages, changed(found))
    lost = deleted_migrations()
    if lost is None:
        print("This project is not under git, so its own migration files can't be checked. Take lost ones from the last release.")
    elif lost:
        print(f"{len(lost)} migration files of the project itself are missing, and git has them: {some(lost)}")
    if not wanted:
        known = any(re.match("django(==| )", each) for each in packages)
        whole = not any(packages.values())
        print("No file of any package is missing." if known and whole else "Can't tell what to install.")
        return 0 if known and whole else 2
    print(f"ENVIRONMENT={shown(environment)}\nPACKAGES={shlex.join(wanted)}\nRESTORE={shlex.join(folders_of(lost or []))}")
    return 1


def tell_of(packages, different):
    for name, lost in sorted(packages.items()):
        if lost:
            print(f"{name}: {len(lost)} files are missing: {some(lost)}")
        if files := different[name]:
            print(f"{name}: {len(files)} files were changed: {some(files)}" + (" (installing again takes that back)" if lost else ""))
    if not any(re.match("django(==| )", each) for each in packages):
        print("Django is not installed there.")


def folders_of(files):
    return sorted({str(Path(each).parent) for each in files})


def shown(environment):
    return environment.relative_to(Path.cwd()) if environment.is_relative_to(Path.cwd()) else environment


def fix():
    environment = Path(os.environ.get("ENVIRONMENT") or environments()[0])
    back = [each for each in deleted_migrations() or [] if str(Path(each).parent) in given("RESTORE")]
    if not damaged(environment) and not back:
        print("Nothing to do: no file of any package is missing.")
        return 0
    if why := objection(environment):
        print(f"Refused, nothing was changed: {why}", file=sys.stderr)
        return 1
    if back:
        status, _ = git("checkout", "--quiet", "HEAD", "--", *back)
        print(f"Took {len(back)} migration files back from git." if status == 0 else "git could not bring the migration files back.")
    return install(environment) if damaged(environment) else 0


def install(environment):
    wanted = given("PACKAGES")
    BEGUN.with_name("begun.part").write_text("\n".join(wanted))
    os.replace(BEGUN.with_name("begun.part"), BEGUN)
    print(f"Installing again, at the same version: {' '.join(wanted)}", flush=True)
    if subprocess.run([*installer(environment), *wanted]).returncode:
        print("The installer failed; see above. Run this again when it can reach your package index.", file=sys.stderr)
        return 1
    BEGUN.unlink()
    return 0


def objection(environment):
    if not site_packages(environment):
        return f"ENVIRONMENT names no virtual environment: {environment}"
    found = damaged(environment)
    if strange := [each for each in given("PACKAGES") if each not in found]:
        return f"PACKAGES names what is not damaged there: {' '.join(strange)}. Run diagnose again."
    if whole := [each for each in found if each not in given("PACKAGES")]:
        return f"PACKAGES leaves out a damaged package: {' '.join(whole)}. Run diagnose again."
    return "" if installer(environment) else "neither uv nor this environment's pip is here. Install one of them, then run this again."


def installer(environment):
    """The command that installs again exactly the packages that follow it, without what they depend on."""
    if shutil.which("uv"):
        return ["uv", "pip", "install", "--python", str(environment), "--quiet", "--reinstall", "--no-deps"]
    pip = [str(environment / "bin" / "python"), "-m", "pip"]
    works = subprocess.run([*pip, "--version"], capture_output=True).returncode == 0
    return [*pip, "install", "--quiet", "--disable-pip-version-check", "--force-reinstall", "--no-deps"] if works else []


def verify():
    environment = Path(os.environ.get("ENVIRONMENT") or environments()[0])
    packages = missing(recorded(environment))
    lost = lost_or_damaged(packages) | {each: files for each, files in packages.items() if files}
    lines = [f"{name}: {len(files)} files are missing" for name, files in lost.items()]
    lines += [f"{each}: still missing, and git has it" for each in deleted_migrations() or [] if str(Path(each).parent) in given("RESTORE")]
    print(*lines or ["Every file that was installed is there."], sep="\n")
    return 1 if lines else 0


try:
    status = {"diagnose": diagnose, "fix": fix, "verify": verify}[os.environ["STEP"]]()
except Exception as error:
    print(f"Can't tell: {type(error).__name__}: {error}", file=sys.stderr)
    status = 2
sys.exit(status)

"""The runbooks: one folder each, whose runbook.toml holds the facts that pages and commands show."""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from pathlib import Path

from migration_runbooks import paths
from migration_runbooks.catalogue.reading import SLUG, Fields, read

RISKS = (
    "Reads only",
    "Changes migration records",
    "Changes files",
    "Changes schema",
    "Changes data",
    "Destroys data",
)
WITHOUT_DATABASE = ("Reads only", "Changes files")
STEPS = ("reproduce", "diagnose", "fix", "verify", "undo")
# An input becomes an environment variable of every script, so it must not be one that steers programs.
RESERVED = re.compile(
    r"PATH|HOME|IFS|ENV|SHELL|PWD|LANG|DATABASE_URL|(BASH|DJANGO|LC|LD|MYSQL|PG|PYTHON|RUNBOOK|UV)_?.*"
)
INPUT_NAME = re.compile(r"[A-Z][A-Z0-9_]*")


class NoSuchRunbook(LookupError):
    """There is no runbook of that slug; the message names the nearest ones."""


@dataclass(frozen=True)
class Input:
    name: str
    meaning: str
    found: str
    """How a reader finds the value."""
    example: str


@dataclass(frozen=True)
class Cause:
    name: str
    title: str


@dataclass(frozen=True)
class Runbook:
    slug: str
    folder: Path
    title: str
    summary: str
    errors: tuple[str, ...]
    databases: tuple[str, ...]
    locks: str
    duration: str
    undo: str
    """What undo can't bring back, or why there is no undo.sh."""
    risk: dict[str, str]
    """The risk label of each step that has a script, in the order of STEPS."""
    inputs: tuple[Input, ...]
    causes: tuple[Cause, ...]
    django: bool
    """Whether its scripts need a Django that starts; without one, no database is asked, backed up or changed."""

    def script(self, step: str, database: str, cause: str = "") -> Path | None:
        """Return the script of a step for a database: its own one before the common one; None if there is neither.

        With "" for the database only the common one counts.
        """
        names = [f"{step}.{cause}.sh"] if cause and step == "reproduce" else []
        names += [f"{step}.{database}.sh", f"{step}.sh"]
        return next((self.folder / name for name in names if (self.folder / name).is_file()), None)

    def scripts(self) -> list[tuple[str, Path]]:
        """Return every script with its step, in the order in which they are run."""
        found = [(step, file) for step in STEPS for file in sorted(self.folder.glob(f"{step}*.sh"))]
        return [(step, file) for step, file in found if file.name.split(".")[0] == step]


def load_runbook(folder: Path) -> Runbook:
    """Read one runbook folder. Raises CatalogueError."""
    fields = read(folder / "runbook.toml")
    runbook = Runbook(
        slug=folder.name,
        folder=folder,
        title=fields.take("title"),
        summary=fields.take("summary"),
        errors=tuple(fields.take("errors", list)),
        databases=fields.databases(),
        locks=fields.take("locks"),
        duration=fields.take("duration"),
        undo=fields.take("undo"),
        risk=_risks(fields),
        inputs=tuple(_input(row) for row in fields.tables("inputs")),
        causes=tuple(_cause(row) for row in fields.tables("causes")),
        django=fields.take("django", bool, True),
    )
    fields.finish()
    _check(runbook, fields)
    return runbook


def all_runbooks() -> tuple[Runbook, ...]:
    """Return every runbook, by slug. Raises CatalogueError."""
    return _all_runbooks(paths.RUNBOOKS)


@cache
def _all_runbooks(folder: Path) -> tuple[Runbook, ...]:
    return tuple(load_runbook(file.parent) for file in sorted(folder.glob("*/runbook.toml")))


def find(slug: str) -> Runbook:
    """Return the runbook of that slug. Raises NoSuchRunbook with the nearest slugs, and CatalogueError."""
    folder = paths.RUNBOOKS / slug
    if SLUG.fullmatch(slug) and (folder / "runbook.toml").is_file():
        return _as_it_was(folder, (folder / "runbook.toml").stat().st_mtime_ns)
    slugs = sorted(file.parent.name for file in paths.RUNBOOKS.glob("*/runbook.toml"))
    near = get_close_matches(slug, slugs, n=3, cutoff=0.4)
    hint = f"Did you mean {' or '.join(near)}?" if near else "`runbook list` shows all."
    raise NoSuchRunbook(f"There is no runbook {slug!r}. {hint}")


@cache
def _as_it_was(folder: Path, changed: int) -> Runbook:
    """Return the runbook of that folder as it was when its TOML was changed last."""
    return load_runbook(folder)


def _risks(fields: Fields) -> dict[str, str]:
    given = fields.take("risk", dict)
    for step, label in given.items():
        if step not in STEPS:
            raise fields.wrong(f"risk: {step!r} is not one of {', '.join(STEPS)}")
        if label not in RISKS:
            raise fields.wrong(f"risk of {step} must be one of {', '.join(RISKS)}, not {label!r}")
    return {step: given[step] for step in STEPS if step in given}


def _input(row: Fields) -> Input:
    example = row.take("example", may_be_empty=True)
    value = Input(row.take("name"), row.take("meaning"), row.take("found"), example)
    row.finish()
    if not INPUT_NAME.fullmatch(value.name) or RESERVED.fullmatch(value.name):
        raise row.wrong(f"name must be capitals, digits and _, and not a name that steers programs: {value.name!r}")
    return value


def _cause(row: Fields) -> Cause:
    cause = Cause(row.take("name"), row.take("title"))
    row.finish()
    return cause


def _check(runbook: Runbook, fields: Fields) -> None:
    """Check what only the whole folder shows."""
    unknown = [slug for slug in runbook.errors if not (paths.ERRORS / f"{slug}.toml").is_file()]
    if unknown:
        raise fields.wrong(f"there is no error {', '.join(unknown)}")
    with_script = {step for step, _file in runbook.scripts()}
    for step in STEPS:
        if step in with_script and step not in runbook.risk:
            raise fields.wrong(f"risk of {step} is missing")
        if step in runbook.risk and step not in with_script and (runbook.errors or step != "reproduce"):
            raise fields.wrong(f"risk names {step}, but there is no {step}.sh")
    # A procedure that repairs no error may have nothing to reproduce.
    for step in STEPS[:4] if runbook.errors else STEPS[1:4]:
        missing = [name for name in runbook.databases if not runbook.script(step, name)]
        if missing:
            raise fields.wrong(f"{step}.sh is missing for {', '.join(missing)}")
    if not runbook.django:
        _check_without_django(runbook, fields)
    for cause in runbook.causes[1:]:
        if not (runbook.folder / f"reproduce.{cause.name}.sh").is_file():
            raise fields.wrong(f"reproduce.{cause.name}.sh is missing")
    names = [value.name for value in runbook.inputs]
    if len(set(names)) != len(names):
        raise fields.wrong("two inputs have the same name")


def _check_without_django(runbook: Runbook, fields: Fields) -> None:
    if runbook.risk["fix"] not in WITHOUT_DATABASE:
        raise fields.wrong("django = false is for a fix that changes files only: without Django there is no backup")
    missing = [step for step in STEPS[1:4] if not runbook.script(step, "")]
    if missing:
        raise fields.wrong(f"django = false needs scripts for any database: {missing[0]}.sh is missing")

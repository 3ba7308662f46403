"""Read a TOML file and complain in words that name the file and the field."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

DATABASES = ("sqlite", "postgresql", "mariadb")
SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


class CatalogueError(Exception):
    """A runbook.toml or an error's TOML file says something that it must not."""


class Fields:
    """One table of a TOML file: `take` its fields, then `finish`."""

    def __init__(self, file: Path, table: dict, name: str = "") -> None:
        self.file, self.table, self.name = file, dict(table), name

    def wrong(self, message: str) -> CatalogueError:
        place = f"{self.file.parent.name}/{self.file.name}"
        return CatalogueError(f"{place}: {self.name + ': ' if self.name else ''}{message}")

    def take(self, key: str, kind: type = str, default: object = None, *, may_be_empty: bool = False):
        """Return the field, which must be of that kind; a missing one is an error unless it has a default."""
        if key not in self.table:
            if default is None:
                raise self.wrong(f"{key} is missing")
            return default
        value = self.table.pop(key)
        if not isinstance(value, kind):
            raise self.wrong(f"{key} must be a {kind.__name__}, not {value!r}")
        if kind is str and not value.strip() and not may_be_empty:
            raise self.wrong(f"{key} is empty")
        return value

    def databases(self) -> tuple[str, ...]:
        names = self.take("databases", list)
        unknown = [name for name in names if name not in DATABASES]
        if unknown or not names:
            raise self.wrong(f"databases must name some of {', '.join(DATABASES)}, not {names!r}")
        return tuple(names)

    def tables(self, key: str) -> list[Fields]:
        rows = self.take(key, list, [])
        return [Fields(self.file, row, f"{key} {number}") for number, row in enumerate(rows, 1)]

    def finish(self) -> None:
        if self.table:
            raise self.wrong(f"unknown field {', '.join(self.table)}")


def read(file: Path) -> Fields:
    """Read a TOML file. Raises CatalogueError when it is not TOML, or when its name is not a slug."""
    slug = file.parent.name if file.name == "runbook.toml" else file.stem
    try:
        fields = Fields(file, tomllib.loads(file.read_text()))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise CatalogueError(f"{file.parent.name}/{file.name}: {error}") from error
    if not SLUG.fullmatch(slug):
        raise fields.wrong(f"the name {slug!r} must be lower case words joined by hyphens")
    return fields

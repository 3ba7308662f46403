"""The errors that the guide knows: one TOML file each in `errors/`."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from migration_runbooks import paths
from migration_runbooks.catalogue.reading import Fields, read


@dataclass(frozen=True)
class Clue:
    """What betrays an error in a pasted text."""

    pattern: str
    """A regular expression over one logical line; its groups named in capitals are inputs."""
    weight: float
    """How surely it is this error: 1 when no other prints it, below 0.5 for a notice that often means nothing."""
    needs: str
    unless: str
    """Contexts of explain/rules.toml that the text must, or must not, show."""


@dataclass(frozen=True)
class Message(Clue):
    """A message that the error's page shows."""

    databases: tuple[str, ...]
    text: str
    """The message as databases and Django print it, with `<placeholders>`."""


@dataclass(frozen=True)
class Error:
    slug: str
    title: str
    summary: str
    at_risk: str
    messages: tuple[Message, ...]
    clues: tuple[Clue, ...]
    """Other forms, which no page shows: cut lines, old versions, codes that say the same in every language."""

    @property
    def runbooks(self) -> tuple[str, ...]:
        """The slugs of the runbooks that repair it; each says so in its runbook.toml."""
        from migration_runbooks.catalogue.runbooks import all_runbooks

        return tuple(runbook.slug for runbook in all_runbooks() if self.slug in runbook.errors)


def load_error(file: Path) -> Error:
    """Read one error. Raises CatalogueError."""
    fields = read(file)
    error = Error(
        slug=file.stem,
        title=fields.take("title"),
        summary=fields.take("summary"),
        at_risk=fields.take("at_risk"),
        messages=tuple(_message(row) for row in fields.tables("messages")),
        clues=tuple(_clue(row) for row in fields.tables("clues")),
    )
    fields.finish()
    if not error.messages:
        raise fields.wrong("messages are missing")
    return error


def all_errors() -> tuple[Error, ...]:
    """Return every error, by slug. Raises CatalogueError."""
    return _all_errors(paths.ERRORS)


@cache
def _all_errors(folder: Path) -> tuple[Error, ...]:
    return tuple(load_error(file) for file in sorted(folder.glob("*.toml")))


def _message(row: Fields) -> Message:
    message = Message(databases=row.databases(), text=row.take("text"), **_clue_fields(row))
    row.finish()
    return message


def _clue(row: Fields) -> Clue:
    clue = Clue(**_clue_fields(row))
    row.finish()
    return clue


def _clue_fields(row: Fields) -> dict:
    """Read the pattern without compiling it: a text needs few of them, and tests/explain compiles them all."""
    return {
        "pattern": row.take("pattern"),
        "weight": row.take("weight", float, 1.0),
        "needs": row.take("needs", str, ""),
        "unless": row.take("unless", str, ""),
    }

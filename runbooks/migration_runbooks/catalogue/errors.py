"""The errors that the guide knows: one TOML file each in `errors/`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from migration_runbooks import paths
from migration_runbooks.catalogue.reading import Fields, read


@dataclass(frozen=True)
class Message:
    databases: tuple[str, ...]
    text: str
    """The message as databases and Django print it, with `<placeholders>`."""
    pattern: str
    """A regular expression over one logical line; its groups named in capitals are inputs."""


@dataclass(frozen=True)
class Error:
    slug: str
    title: str
    summary: str
    at_risk: str
    messages: tuple[Message, ...]

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
    message = Message(row.databases(), row.take("text"), row.take("pattern"))
    row.finish()
    try:
        re.compile(message.pattern)
    except re.error as error:
        raise row.wrong(f"pattern is not a regular expression: {error}") from error
    return message

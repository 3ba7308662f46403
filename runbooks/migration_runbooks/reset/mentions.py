"""Lines of the project's other Python files that name a removed migration, such as tests of migrations."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from migration_runbooks.integrity.places import relative
from migration_runbooks.integrity.sources.files import Name
from migration_runbooks.runner.files import own_files


def mentions(removed: list[Name], but: set[Path], apps: dict[str, str]) -> Iterator[str]:
    """Yield a sentence for each line; `but` are files that are removed or changed anyway."""
    apart = "|".join(rf"""['"]{re.escape(app)}['"]\s*,\s*['"]{re.escape(name)}['"]|\b{re.escape(app)}\.migrations\.{re.escape(name)}\b""" for app, name in removed)
    pattern, names = re.compile(apart), [name for _, name in removed]
    for file in own_files(Path.cwd(), apps):
        text = file.read_text(errors="replace")
        if any(name in text for name in names) and file.resolve() not in but:
            yield from lines_of(file, text, pattern)


def lines_of(file: Path, text: str, pattern: re.Pattern) -> Iterator[str]:
    for number, line in enumerate(text.splitlines(), 1):
        if found := pattern.search(line):
            yield f"{relative(file)}:{number} names a removed migration: {found[0]}. Change it by hand."

"""Include snippets with pymdownx's own preprocessor, and remember for every line where it was written."""

from __future__ import annotations

import re
from pathlib import Path

import markdown
from pymdownx.snippets import SnippetExtension, SnippetMissingError, SnippetPreprocessor

from migration_runbooks.paths import CHECKOUT

from .fences import FenceError

Origin = tuple[Path, int]

LOOKS_LIKE_SNIPPET = re.compile(r"\s*-+8<-+")


class Line(str):
    """A line that knows the file and the number (from 1) under which an editor finds it."""

    origin: Origin

    @classmethod
    def of(cls, text: str, origin: Origin) -> Line:
        line = cls(text)
        line.origin = origin
        return line

    def __radd__(self, indentation: str) -> Line:
        """Keep the origin through pymdownx's `space + line`."""
        return Line.of(indentation + str(self), self.origin)


class OriginSnippets(SnippetPreprocessor):
    """pymdownx's preprocessor, one line at a time, so that every error and every line has its place."""

    at: Origin
    file: str

    def parse_snippets(self, lines, file_name=None, is_url=False, is_section=False):
        expanded = []
        for line in _numbered(lines, file_name):
            self.at = line.origin
            self._refuse_misspelled(line)
            try:
                found = super().parse_snippets([line], file_name, is_url, is_section)
            except SnippetMissingError as problem:
                raise self._error(str(problem)) from None
            expanded += (text if isinstance(text, Line) else Line.of(text, line.origin) for text in found)
        return expanded

    def get_snippet_path(self, path):
        self.file = super().get_snippet_path(path)
        if self.file and not Path(self.file).is_file():
            raise self._error(f"'{path}' is not a file")
        if self.file in self.seen:
            raise self._error(f"'{path}' includes itself")
        return self.file

    def extract_section(self, section, lines):
        numbered = _numbered(lines, self.file)
        self._refuse_unbalanced(section, numbered)
        extracted = super().extract_section(section, numbered)
        if not "".join(extracted).strip():
            raise self._error(f"section '{section}' of {shown(self.file)} is empty")
        return extracted

    def dedent(self, lines):
        return [Line.of(text, line.origin) for text, line in zip(super().dedent(lines), lines, strict=True)]

    def _refuse_misspelled(self, line: Line) -> None:
        whole = self.RE_ALL_SNIPPETS.match(line)
        if whole and whole["block_marker"] and not whole["escape"]:
            raise self._error('include one file a line: --8<-- "path:section"')
        if LOOKS_LIKE_SNIPPET.match(line) and not whole and not self.RE_SNIPPET_SECTION.match(line):
            raise self._error(f'cannot read "{line.strip()}": write --8<-- "path:section", with nothing after it')
        if whole and whole["snippet"] and self.RE_SNIPPET_FILE.match(whole["snippet"][1:-1])[2]:
            raise self._error(
                f"{whole['snippet']} names lines: name a section, which stays right when the file changes"
            )

    def _refuse_unbalanced(self, section: str, lines: list[Line]) -> None:
        marks = [mark for mark in map(self.RE_SNIPPET_SECTION.match, lines) if mark and not mark["escape"]]
        types = [mark["type"].lower() for mark in marks if mark["name"] == section]
        if types == ["start", "end"]:
            return
        where = f"section '{section}' of {shown(self.file)}"
        if not types:
            raise self._error(f"{where} does not exist")
        if types.count("start") > 1 or types.count("end") > 1:
            raise self._error(f"{where} is marked more than once")
        raise self._error(f"{where} has no {'end' if types == ['start'] else 'start before its end'}")

    def _error(self, problem: str) -> FenceError:
        return FenceError(f"{shown(self.at[0])}:{self.at[1]}: {problem}")


def expand(text: str, path: Path, root: Path = CHECKOUT, first_line: int = 1) -> list[Line]:
    """Take a page's Markdown and return its lines with every snippet included.

    `path` is the page's file, `root` the folder that snippet paths start from (its `docs` folder is tried next) and
    `first_line` the number of the text's first line in that file.
    Raises FenceError `file:line: why` for a snippet or a section that is missing, unfinished or marked twice.
    """
    config = {name: default for name, (default, _) in SnippetExtension().config.items()}
    config |= {"base_path": [str(root), str(root / "docs")], "check_paths": True, "dedent_subsections": True}
    lines = [Line.of(line, (path, number)) for number, line in enumerate(text.split("\n"), first_line)]
    return OriginSnippets(config, markdown.Markdown()).run(lines)


def shown(path: Path | str) -> str:
    """Return the path as people read it: relative to the working folder or the checkout where it lies in one."""
    for folder in (Path.cwd(), CHECKOUT):
        if Path(path).is_relative_to(folder):
            return str(Path(path).relative_to(folder))
    return str(path)


def _numbered(lines: list[str], file: str | None) -> list[Line]:
    return [
        line if isinstance(line, Line) else Line.of(line, (Path(file), number)) for number, line in enumerate(lines, 1)
    ]

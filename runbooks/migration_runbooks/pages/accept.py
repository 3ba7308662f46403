"""Bring the output blocks of the pages up to date, in the files in which they were written."""

from __future__ import annotations

import os
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

from .blocks import Block
from .match import visible
from .snippets import Origin, shown


@dataclass(frozen=True)
class Edit:
    """Put `lines` in the place of the `count` lines of `file` that begin with `line`, counted from 1."""

    file: Path
    line: int
    count: int
    lines: tuple[str, ...]


@dataclass
class Accepted:
    """What every output block should say, by page and database; written once, when no page is read any more."""

    wanted: dict[Origin, dict[str, tuple[Block, str]]] = field(default_factory=lambda: defaultdict(dict))

    def record(self, block: Block, database: str, text: str) -> None:
        where = database if block.origin[0][0] == block.page.path else f"{shown(block.page.path)} on {database}"
        self.wanted[block.origin[0]][where] = block, text

    def write(self) -> tuple[list[str], list[str]]:
        """Rewrite the blocks that changed. Returns the places written, and why others were left as they were."""
        edits, refusals = [], []
        for (file, line), wanted in sorted(self.wanted.items()):
            edit = _edit(file, line, wanted, refusals)
            if edit:
                edits.append(edit)
        # Bottom-up, so that the numbers of the lines above stay true.
        for edit in reversed(edits):
            _apply(edit)
        return [f"{shown(edit.file)}:{edit.line}" for edit in edits], refusals


def refusal(has_workers: bool) -> str | None:
    """Why pages cannot be rewritten in this run, or None."""
    if os.environ.get("CI"):
        return "--accept rewrites pages: not where CI is set"
    if has_workers:
        return "--accept rewrites pages once, in one process: run `pytest docs --accept` without -n"
    return None


def _edit(file: Path, line: int, wanted: dict[str, tuple[Block, str]], refusals: list[str]) -> Edit | None:
    at = f"{shown(file)}:{line}"
    texts = {where: tuple(visible(text)) for where, (_, text) in wanted.items()}
    block = next(iter(wanted.values()))[0]
    if set(texts.values()) == {tuple(visible(block.text))}:
        return None
    if len(set(texts.values())) > 1:
        refusals.append(f"{at}: {' and '.join(texts)} print different things; give each its tab")
    elif block.origin != [(file, line + index) for index in range(len(block.origin))]:
        refusals.append(f"{at}: this output block is put together from several places; change it by hand")
    elif not any(texts.values()):
        refusals.append(f"{at}: the block above prints nothing; delete this output block")
    elif any("```" in line for text in texts.values() for line in text):
        refusals.append(f"{at}: the block above prints the marks of a fence; change this block by hand")
    else:
        indentation = _indentation(block, file, line)
        lines = next(iter(texts.values()))
        return Edit(file, line, len(block.origin), tuple(f"{indentation}{text}".rstrip() for text in lines))
    return None


def _indentation(block: Block, file: Path, line: int) -> str:
    """What stands before a block's text in its own file, which may be included further to the right."""
    written = file.read_text(encoding="utf-8").split("\n")[line - 1].rstrip()
    return written.removesuffix(block.text.split("\n")[0].rstrip())


def _apply(edit: Edit) -> None:
    lines = edit.file.read_text(encoding="utf-8").split("\n")
    lines[edit.line - 1 : edit.line - 1 + edit.count] = edit.lines
    edit.file.write_text("\n".join(lines), encoding="utf-8")

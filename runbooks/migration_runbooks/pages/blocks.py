"""Read a page: its front matter, its text with every snippet included, and its blocks in order."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from migration_runbooks.paths import CHECKOUT

from .containers import Container, structure_of
from .fences import Fence, FenceError, parse_info
from .snippets import Line, Origin, expand, shown

DATABASES = ("sqlite", "postgresql", "mariadb")

FRONT_MATTER = re.compile(r"---[ \t]*\n(.*?\n)---[ \t]*\n", re.DOTALL)
OPENING = re.compile(r"(?P<prefix>[ \t]*(?:(?:>|[-*+]|\d+[.)])[ \t]*)*)(?P<ticks>`{3,}|~{3,})(?P<info>[^`]*)")
ANNOTATION = re.compile(r"\s(#|//|--)\s*\(\d+\)!?\s*$", re.MULTILINE)


@dataclass
class Block:
    """One fence of a page.

    `ordinal` counts from 0 over the page; `text` is the content without its indentation, ending in one newline;
    `database` the one whose tab encloses it; `start` and `end` are offsets into `Page.text`, `first` and `last`
    indexes into `Page.lines`; `file` and `line` say where the fence is written, `origin` the same of every line of `text`.
    """

    page: Page = field(repr=False)
    ordinal: int
    fence: Fence
    text: str
    database: str | None
    start: int
    end: int
    first: int
    last: int
    file: Path
    line: int
    origin: list[Origin] = field(repr=False)
    indentation: str = ""

    @property
    def databases(self) -> list[str]:
        """The databases on which this block is run, in the page's order."""
        return [self.database] if self.database else self.page.databases


@dataclass
class Page:
    """A page of the guide: `lines` have every snippet included; those before index `body` are the front matter."""

    path: Path
    meta: dict
    lines: list[Line] = field(repr=False)
    body: int
    blocks: list[Block] = field(default_factory=list)

    @property
    def text(self) -> str:
        return "\n".join(self.lines)

    @property
    def databases(self) -> list[str]:
        """The databases on which the page is run: those of its front matter, or all."""
        return self.meta.get("databases") or list(DATABASES)

    @property
    def world(self) -> str:
        return self.meta.get("world", "healthy")


def read_page(path: Path, root: Path = CHECKOUT) -> Page:
    """Read a page's file. `root` is the folder from which snippets are included.

    Raises FenceError `file:line: why` for a fence, snippet or tab that is not in the grammar.
    """
    text = path.read_text(encoding="utf-8")
    front = FRONT_MATTER.match(text)
    meta = _meta(front[1], path) if front else {}
    lines = expand(text, path, root)
    body = front[0].count("\n") if front else 0
    page = Page(path, meta, lines, body)
    fences = list(_fences(lines, body))
    structure = structure_of(lines, body, [range(opening, closing + 1) for opening, closing, _ in fences])
    _refuse_incomplete_tabs(page, structure.tab_sets)
    for opening, closing, match in fences:
        page.blocks.append(_block(page, lines, opening, closing, match, structure.around[opening]))
    _refuse_orphan_outputs(page)
    return page


def _meta(front: str, path: Path) -> dict:
    try:
        meta = yaml.safe_load(front) or {}
    except yaml.YAMLError as problem:
        raise FenceError(f"{shown(path)}:1: the front matter cannot be read: {problem}") from None
    unknown = set(meta.get("databases") or []) - set(DATABASES)
    if unknown:
        raise FenceError(f"{shown(path)}:1: unknown database '{min(unknown)}': there are {', '.join(DATABASES)}")
    return meta


def _fences(lines: list[Line], first: int):
    """Yield (index of the opening line, index of the closing line, match of the opening line) for every fence."""
    index = first
    while index < len(lines):
        opening = OPENING.fullmatch(lines[index])
        if opening:
            _refuse_prefix(lines[index], opening)
            closing = _closing(lines, index, opening)
            yield index, closing, opening
            index = closing
        index += 1


def _refuse_prefix(line: Line, opening: re.Match) -> None:
    if opening["ticks"].startswith("~"):
        raise _error(line, "a fence is written with backticks: ```")
    if opening["prefix"].strip(" "):
        raise _error(line, "a fence stands on a line of its own, indented with spaces, not after a mark or a tab")
    if opening["info"].startswith(" "):
        raise _error(line, f"no blank between the backticks and the language: ```{opening['info'].strip()}")


def _closing(lines: list[Line], start: int, opening: re.Match) -> int:
    for index in range(start + 1, len(lines)):
        line = lines[index]
        if line.strip() and not line.startswith(opening["prefix"]):
            raise _error(line, f"this line is indented less than its fence (line {lines[start].origin[1]})")
        if line[len(opening["prefix"]) :].rstrip() == opening["ticks"]:
            return index
    raise _error(lines[start], "this fence is never closed")


def _block(
    page: Page, lines: list[Line], opening: int, closing: int, match: re.Match, containers: list[Container]
) -> Block:
    try:
        fence = parse_info(match["info"])
        database = _database(page, fence, containers)
        content = _content(fence, lines[opening + 1 : closing], match["prefix"])
    except FenceError as problem:
        raise _error(lines[opening], str(problem)) from None
    start = sum(len(line) + 1 for line in lines[:opening])
    end = sum(len(line) + 1 for line in lines[: closing + 1]) - 1
    return Block(
        page=page,
        ordinal=len(page.blocks),
        fence=fence,
        text="\n".join(text for text, _ in content) + "\n",
        database=database,
        start=start,
        end=end,
        first=opening,
        last=closing,
        file=lines[opening].origin[0],
        line=lines[opening].origin[1],
        origin=[origin for _, origin in content],
        indentation=match["prefix"],
    )


def _content(fence: Fence, lines: list[Line], indentation: str) -> list[tuple[str, Origin]]:
    content = [(str(line)[len(indentation) :].rstrip("\r"), line.origin) for line in lines]
    while content and not content[-1][0].strip():
        content.pop()
    if not content:
        raise FenceError("this block is empty")
    if not content[0][0].strip():
        raise FenceError("this block begins with an empty line, which the page would not show")
    if fence.kind != "illustration" and any(ANNOTATION.search(text) for text, _ in content):
        raise FenceError(
            "no code annotation such as # (1)! in a block that is run: the page would not show it as it is"
        )
    return content


def _database(page: Page, fence: Fence, containers: list[Container]) -> str | None:
    tabs = [container.title for container in containers if container.title is not None]
    databases = [title.lower() for title in tabs if title.lower() in DATABASES]
    if tabs and not databases and fence.kind != "illustration":
        raise FenceError(f'a block that is run stands in the tab "{tabs[0]}", which is not a database')
    if len(set(databases)) > 1:
        raise FenceError(f"this block stands in the tabs of {' and '.join(databases)} at once")
    return databases[0] if databases else None


def _refuse_incomplete_tabs(page: Page, tab_sets: list[list[Container]]) -> None:
    for tabs in tab_sets:
        databases = [tab.title.lower() for tab in tabs if tab.title.lower() in DATABASES]
        for database in databases:
            if database not in page.databases or databases.count(database) > 1:
                raise _error(tabs[0].line, f"tabs: {database} stands here twice, or is not among the page's databases")
        missing = [database for database in page.databases if databases and database not in databases]
        if missing:
            raise _error(tabs[0].line, f"these tabs leave out {' and '.join(missing)}, which the page names")


def _refuse_orphan_outputs(page: Page) -> None:
    for database in page.databases:
        above = None
        for block in (block for block in page.blocks if block.database in (None, database)):
            if block.fence.kind == "output" and above != "bash":
                place = f"{shown(page.path)}:{block.line}"
                raise FenceError(f"{place}: an output block follows the bash block that prints it (on {database})")
            above = block.fence.kind


def _error(line: Line, problem: str) -> FenceError:
    return FenceError(f"{shown(line.origin[0])}:{line.origin[1]}: {problem}")

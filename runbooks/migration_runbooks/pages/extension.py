"""The Python-Markdown extension that renders the guide's pages from the grammar by which the tests run them.

It includes snippets, checks and marks every fence, expands the directives and styles the risk labels. `mkdocs.yml`
names it alone, without pymdownx.snippets, pymdownx.superfences and pymdownx.highlight, which it sets up itself.
A page outside the grammar stops the build with `file:line: why`.
"""

from __future__ import annotations

from pathlib import Path

import click
from markdown import Extension, Markdown
from markdown.postprocessors import Postprocessor
from markdown.preprocessors import Preprocessor
from markdown.treeprocessors import Treeprocessor

from migration_runbooks.catalogue.reading import CatalogueError
from migration_runbooks.catalogue.runbooks import RISKS
from migration_runbooks.paths import CHECKOUT

from . import directives, rendering
from .blocks import Block, Page, read_page
from .copied import Copied, copied_blocks
from .fences import FenceError
from .snippets import shown
from .source import page_file

HIGHLIGHT = {"pygments_lang_class": True}
FENCES = {"custom_fences": [{"name": "*", "class": "", "validator": rendering.accept, "format": rendering.show}]}


class PageError(click.ClickException):
    """What stops a build: MkDocs prints the message of a click exception without a traceback."""


class PagesExtension(Extension):
    """Options: `root`, the folder from which snippets are included and that holds docs/ and build/ledger/."""

    page: Page | None = None
    is_whole: bool = False
    """Whether postprocessors now get the whole page; before, the table of contents shows them single headings."""

    def __init__(self, **options) -> None:
        self.config = {"root": [str(CHECKOUT), "Folder that holds docs/, runbooks/ and build/ledger/"]}
        super().__init__(**options)

    def extendMarkdown(self, md: Markdown) -> None:
        md.registerExtension(self)
        md.registerExtensions(
            ["tables", "attr_list", "pymdownx.highlight", "pymdownx.superfences"],
            {"pymdownx.highlight": HIGHLIGHT, "pymdownx.superfences": FENCES},
        )
        # Before mkdocs-click (141), so that the text is still the one in the page's file.
        md.preprocessors.register(ReadPage(md, self), "migration-runbooks-page", 150)
        md.treeprocessors.register(StyleRisks(md), "migration-runbooks-risks", 5)
        # After the table of contents (5) and MkDocs' search for the title (-1).
        md.treeprocessors.register(TreeIsDone(md, self), "migration-runbooks-done", -100)
        # After everything that restores stashed HTML.
        md.postprocessors.register(EveryBlockIsShown(md, self), "migration-runbooks-shown", 0)

    def reset(self) -> None:
        self.page, self.is_whole = None, False


class ReadPage(Preprocessor):
    """Put the page's own text, with snippets and directives expanded and fences marked, in the place of its source."""

    def __init__(self, md: Markdown, pages: PagesExtension) -> None:
        super().__init__(md)
        self.pages = pages

    def run(self, lines: list[str]) -> list[str]:
        if "snippet" in self.md.preprocessors:
            raise PageError("mkdocs.yml: remove pymdownx.snippets, the page extension includes snippets itself")
        root = Path(self.pages.getConfig("root")).resolve()
        try:
            page = read_page(page_file("\n".join(lines), root / "docs"), root)
            self.pages.page = self.md.page = page
            return list(_prepared(page, root))
        except (FenceError, CatalogueError) as problem:
            raise PageError(str(problem)) from problem


def _prepared(page: Page, root: Path):
    opening = {block.first: block for block in page.blocks}
    within = {index for block in page.blocks for index in range(block.first, block.last + 1)}
    for index in range(page.body, len(page.lines)):
        if index in opening:
            yield rendering.marked(opening[index])
        elif index in within:
            yield str(page.lines[index])
        else:
            yield from directives.expanded(page.lines[index], page, root)


class StyleRisks(Treeprocessor):
    """Give a paragraph that is one of the risk labels, in bold and alone, the classes `risk risk-…`."""

    def run(self, root) -> None:
        for paragraph in root.iter("p"):
            children = list(paragraph)
            if len(children) != 1 or children[0].tag != "strong" or (paragraph.text or "").strip():
                continue
            label = children[0].text
            if label in RISKS and not (children[0].tail or "").strip():
                paragraph.set("class", f"risk risk-{label.lower().replace(' ', '-')}")


class TreeIsDone(Treeprocessor):
    def __init__(self, md: Markdown, pages: PagesExtension) -> None:
        super().__init__(md)
        self.pages = pages

    def run(self, root) -> None:
        self.pages.is_whole = True


class EveryBlockIsShown(Postprocessor):
    """Stop the build where the page does not show its blocks as they are written, whatever the reason."""

    def __init__(self, md: Markdown, pages: PagesExtension) -> None:
        super().__init__(md)
        self.pages = pages

    def run(self, text: str) -> str:
        page = self.pages.page
        if page and self.pages.is_whole:
            shown_blocks = copied_blocks(text)
            marked = {block.ordinal: block for block in shown_blocks if block.ordinal is not None}
            for block in page.blocks:
                _refuse_difference(block, marked.get(block.ordinal))
            _refuse_unmarked(page, shown_blocks)
        return text


def _refuse_unmarked(page: Page, blocks: list[Copied]) -> None:
    for block in blocks:
        if block.kind is None:
            first = block.text.strip().partition("\n")[0]
            raise PageError(
                f"{shown(page.path)}: a block of code that is not a fence (indented by four spaces, or HTML): '{first}'"
            )


def _refuse_difference(block: Block, copied: Copied | None) -> None:
    place = f"{shown(block.file)}:{block.line}"
    if copied is None:
        raise PageError(f"{place}: the page would not show this block; see what stands around it")
    if copied.text != block.text.rstrip():
        raise PageError(f"{place}: the page would show this block otherwise than it is written: '{copied.text}'")


def makeExtension(**options) -> PagesExtension:
    return PagesExtension(**options)

"""What a reader gets: the blocks of code on a built page, and the text that the theme's copy button yields for each."""

from __future__ import annotations

from dataclasses import dataclass
from html.parser import HTMLParser

VOID = frozenset(["area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"])


@dataclass
class Copied:
    """A block of code in HTML. `kind` and `ordinal` are those of the page's block, or None for unmarked code.

    `text` is what Material for MkDocs copies: the nearest `data-copy` around the code, or else the text of the code
    element, without the blanks at its end (read in its bundle, versions 9.8.1 and 9.8.2).
    """

    kind: str | None
    ordinal: int | None
    text: str = ""
    has_button: bool = True


def copied_blocks(html: str) -> list[Copied]:
    """Return the blocks of code in an HTML page, in the page's order. What stands in a comment is not there."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    for block in reader.blocks:
        block.text = block.text.rstrip()
    return reader.blocks


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.blocks: list[Copied] = []
        self.open: list[tuple[str, dict[str, str | None]]] = []
        self.current: Copied | None = None

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        if tag in VOID:
            return
        self.open.append((tag, dict(attributes)))
        if tag == "code" and any(name == "pre" for name, _ in self.open):
            self.current = self._begun()
            self.blocks.append(self.current)

    def handle_endtag(self, tag: str) -> None:
        if tag in VOID or tag not in (name for name, _ in self.open):
            return
        while self.open.pop()[0] != tag:
            pass
        if tag == "code":
            self._finish()

    def handle_data(self, text: str) -> None:
        if self.current:
            self.current.text += text

    def _begun(self) -> Copied:
        around = [attributes for _, attributes in reversed(self.open)]
        marked = next((attributes for attributes in around if "data-run" in attributes), {})
        ordinal = marked.get("data-block")
        has_button = not any("no-copy" in (attributes.get("class") or "").split() for attributes in around)
        return Copied(marked.get("data-run"), int(ordinal) if ordinal else None, has_button=has_button)

    def _finish(self) -> None:
        replaced = [attributes["data-copy"] for _, attributes in self.open if "data-copy" in attributes]
        if self.current and replaced:
            self.current.text = replaced[-1] or ""
        self.current = None

"""Find what would make a reader's browser ask another host: scripts, styles, images, fonts, frames of a built site.

Addresses that a script computes are not found here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

EXTERNAL = re.compile(r"\s*(?:https?:)?//", re.IGNORECASE)
CSS_ADDRESS = re.compile(r"""url\(\s*['"]?([^'")]+)|@import\s+['"]([^'"]+)""", re.IGNORECASE)
ATTRIBUTES = {"src", "srcset", "poster", "data", "background"}
FETCHED_LINKS = {"stylesheet", "icon", "preload", "prefetch", "preconnect", "dns-prefetch", "modulepreload", "manifest"}


def external_requests(site: Path) -> Iterator[tuple[str, str]]:
    """Yield (file in the site with its line, address) for every request to another host."""
    for file in sorted(site.rglob("*")):
        name = file.relative_to(site.parent).as_posix()
        if file.suffix == ".html":
            reader = _Reader()
            reader.feed(file.read_text(encoding="utf-8"))
            yield from ((f"{name}:{line}", address) for line, address in reader.found)
        elif file.suffix == ".css":
            text = file.read_text(encoding="utf-8")
            yield from ((name, address) for address in _in_css(text))


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[int, str]] = []
        self.in_style = False

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attributes}
        addresses = [part for name in ATTRIBUTES & set(given) for part in given[name].split(",")]
        if tag == "link" and FETCHED_LINKS & set(given.get("rel", "").lower().split()):
            addresses.append(given.get("href", ""))
        self._note(address for address in addresses if EXTERNAL.match(address))
        self._note(_in_css(given.get("style", "")))
        self.in_style = tag == "style"

    def handle_endtag(self, tag: str) -> None:
        self.in_style = False

    def handle_data(self, text: str) -> None:
        if self.in_style:
            self._note(_in_css(text))

    def _note(self, addresses) -> None:
        self.found += ((self.getpos()[0], address.strip()) for address in addresses)


def _in_css(text: str) -> Iterator[str]:
    for match in CSS_ADDRESS.finditer(text):
        address = match[1] or match[2]
        if EXTERNAL.match(address):
            yield address

"""MkDocs hook: makes the page of an error findable by its slug, which docs/assets/search.js looks up for a pasted error."""

from __future__ import annotations

from pathlib import PurePosixPath

BOOST = 4


def on_page_markdown(markdown: str, *, page, **_) -> str:
    """Tag the page of an error with its slug, and put it above pages that only mention the error. Changes no text."""
    path = PurePosixPath(page.file.src_uri)
    if path.parent.name == "errors" and path.stem != "index":
        page.meta["tags"] = [path.stem]
        page.meta["search"] = {"boost": BOOST}
    return markdown

"""Find the file of a page by its text: Python-Markdown is told the text alone, whichever site generator calls it."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from .blocks import FRONT_MATTER
from .fences import FenceError
from .snippets import shown


def page_file(text: str, docs: Path) -> Path:
    """Return the file under `docs` whose text without front matter is this one. Raises FenceError unless there is one."""
    wanted = text.strip()
    found = [file for file in sorted(docs.rglob("*.md")) if _body(file, file.stat().st_mtime_ns) == wanted]
    first = wanted.partition("\n")[0]
    if not found:
        raise FenceError(f"no page under {shown(docs)} has the text that begins with '{first}'")
    if len(found) > 1:
        raise FenceError(f"{' and '.join(map(shown, found))}: two pages have the same text, '{first}'")
    return found[0]


@cache
def _body(file: Path, _changed: int) -> str:
    text = file.read_text(encoding="utf-8")
    front = FRONT_MATTER.match(text)
    return text[front.end() if front else 0 :].strip()

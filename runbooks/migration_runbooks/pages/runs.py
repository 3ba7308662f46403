"""What the last run of the tests recorded of every block: the rows of the ledger."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path


def ledger_rows(folder: Path) -> Iterator[dict]:
    """Yield the ledger's rows, one a block and database, as the tests wrote them; nothing if there is no ledger."""
    for file in sorted(folder.glob("*.jsonl")):
        for line in file.read_text(encoding="utf-8").splitlines():
            yield json.loads(line)


def page_name(file: Path, docs: Path) -> str:
    """Return a page's name in the ledger, such as docs/errors/x.md."""
    return file.resolve().relative_to(docs.resolve().parent).as_posix()

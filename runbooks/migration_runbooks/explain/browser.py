"""The catalogue as a script file, so that the paste box works without a server, from the file system too.

`python -m migration_runbooks.explain.browser FILE` writes it; scripts/build and scripts/serve do.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path

from migration_runbooks.catalogue.errors import Clue, all_errors
from migration_runbooks.explain.clean import rules, translations


def catalogue_script() -> str:
    """Return the text of catalogue.js. It defines `catalogue`, which docs/assets/explain.js reads."""
    errors = [
        {
            "slug": error.slug,
            "title": error.title,
            "runbooks": error.runbooks,
            "clues": [_clue(clue) for clue in (*error.messages, *error.clues)],
        }
        for error in all_errors()
    ]
    catalogue = {"rules": rules(), "translations": translations(), "errors": errors}
    return f"const catalogue = {json.dumps(catalogue, ensure_ascii=False, separators=(',', ':'))}\n"


def _clue(clue: Clue) -> dict:
    fields = asdict(clue)
    return {name: fields[name] for name in ("pattern", "weight", "needs", "unless") if fields[name]}


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(catalogue_script())

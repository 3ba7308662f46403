"""The `runbook` command with sample runbooks: `runbook_with.py FOLDER arguments…`, FOLDER holding runbooks/ and errors/."""

from __future__ import annotations

import sys
from pathlib import Path

from migration_runbooks import paths

folder = Path(sys.argv.pop(1))
paths.RUNBOOKS, paths.ERRORS = folder / "runbooks", folder / "errors"

if __name__ == "__main__":
    from migration_runbooks.cli import main

    main(prog_name="runbook")

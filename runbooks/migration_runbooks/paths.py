"""Where things lie, in a checkout and in an installed wheel."""

from __future__ import annotations

from pathlib import Path

PACKAGE = Path(__file__).resolve().parent
CHECKOUT = PACKAGE.parent.parent

IS_CHECKOUT = (CHECKOUT / "mkdocs.yml").is_file()
"""Whether this package runs from a checkout; a wheel carries copies of the runbooks and the sample project instead."""

RUNBOOKS = PACKAGE.parent if IS_CHECKOUT else PACKAGE / "runbooks"
"""The folder that holds one folder per runbook."""

ACHARYA = CHECKOUT / "tests" / "acharya" if IS_CHECKOUT else PACKAGE / "acharya"
"""The sample project: the Acharya School Management System."""

ERRORS = PACKAGE / "errors"
"""The folder that holds one TOML file per error."""

DOCS = CHECKOUT / "docs"
LEDGER = CHECKOUT / "build" / "ledger"
"""Where the tests record every block they met; only in a checkout."""

"""The site, built once for all tests of a run that read it, whichever process they are in."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

from migration_runbooks.paths import CHECKOUT
from migration_runbooks.worlds import run

STRICT = "in strict mode"
"""So ends the build of a site that is whole, and of which some page caused a warning."""


@dataclass
class Built:
    folder: Path
    status: int
    output: str

    def whatever_warnings(self) -> Path:
        """Return the site's folder, for a test to which warnings of other pages are nothing."""
        assert self.status == 0 or STRICT in self.output, self.output
        return self.folder


def built() -> Built:
    """Build the site strictly from the pages as they are now, unless a test of this run did."""
    beside = run.data_folder(run.current()) / "site"
    with run.lock("site"):
        if not (beside / "output").is_file():
            build(beside)
    status, _, output = (beside / "output").read_text().partition("\n")
    return Built(beside / "site", int(status), output)


def build(beside: Path) -> None:
    """Build the site into a folder, next to what the build said."""
    command = [CHECKOUT / "scripts" / "build", "--site-dir", str(beside / "site")]
    done = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True)
    beside.mkdir(exist_ok=True)  # there is no site if the build could not begin
    (beside / "output").write_text(f"{done.returncode}\n{done.stdout}{done.stderr}")

"""The table of docs/operate/health-checks.md says, for each fault, what each command really returns."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from broken_states import FAULTS
from migration_runbooks.pages.blocks import read_page
from migration_runbooks.paths import DOCS
from migration_runbooks.worlds import open_sandbox
from tables import rows

TITLES, *ROWS = rows("operate/health-checks.md", "Fault")
COMMANDS = [["shell", "-v", "0"] if title == "checks/schema.py" else title.split() for title in TITLES[1:]]
EXIT_CODES = Path(__file__).parent / "exit_codes.py"
RUN_EXIT_CODES = f"import runpy, sys; sys.argv[1:] = [{json.dumps(COMMANDS)!r}]; runpy.run_path({str(EXIT_CODES)!r}, run_name='__main__')"


def test_every_fault_is_in_the_table():
    assert [row[0] for row in ROWS] == list(FAULTS)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_statuses(row, database, tmp_path):
    fault, *promised = row
    world, plant = FAULTS[fault]
    with open_sandbox(world, database, tmp_path) as sandbox:
        plant(sandbox)
        put_the_pages_check_into(sandbox.project)
        done = sandbox.manage("shell", "-v", "0", "-c", RUN_EXIT_CODES)
        assert done.status == 0, done.output
    statuses = [promise(cell, database) for cell in promised]
    assert by_command(json.loads(done.stdout)) == by_command(statuses)


def by_command(statuses: list[int]) -> dict[str, int]:
    return dict(zip(TITLES[1:], statuses, strict=True))


def promise(cell: str, database: str) -> int:
    """The status that a cell names, such as `0` or `0; on MariaDB 1`."""
    general, _, special = cell.partition("; on ")
    other, _, status = special.partition(" ")
    return int(status if other.lower() == database else general)


def put_the_pages_check_into(project: Path) -> None:
    (text,) = (block.text for block in read_page(DOCS / "operate/health-checks.md").blocks if block.fence.title)
    (project / "checks").mkdir()
    (project / "checks/schema.py").write_text(text)

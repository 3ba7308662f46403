"""`scripts/bench` runs and prints its tables. What it measures is no test's: the machine may be busy."""

from __future__ import annotations

import subprocess

import pytest
from migration_runbooks.paths import CHECKOUT

from scripts.benchmarks.measuring import Measured, in_turn
from scripts.benchmarks.project import generate


def bench(*options: str) -> subprocess.CompletedProcess:
    return subprocess.run([CHECKOUT / "scripts" / "bench", *options], capture_output=True, text=True, timeout=600)


def tables(markdown: str) -> list[list[dict[str, str]]]:
    """Return the rows of each table, by the heads of its columns."""
    found = []
    for block in markdown.split("\n\n"):
        lines = [[cell.strip() for cell in line.strip("|").split("|")] for line in block.splitlines() if line.startswith("|")]
        if lines:
            found.append([dict(zip(lines[0], row, strict=True)) for row in lines[2:]])
    return found


@pytest.fixture(scope="module")
def measured() -> list[list[dict[str, str]]]:
    done = bench("--databases", "sqlite", "--migrations", "3", "30", "--rows", "1000", "--repeat", "2")
    assert done.returncode == 0, done.stdout + done.stderr
    return tables(done.stdout)


def test_three_tables_are_printed(measured):
    growth, parts, orphans = measured
    assert [(row["Migrations"], row["Expected schema"]) for row in growth] == [("3", "made"), ("3", "kept"), ("30", "made"), ("30", "kept")]
    assert all("the replayed schema" in row["Where the time goes"] for row in parts if row["Expected schema"] == "made")
    assert [(row["Database"], row["Rows"]) for row in orphans] == [("sqlite", "1,000")]


def test_every_row_has_a_ratio(measured):
    growth, _, orphans = measured
    assert all(float(row["Ratio"]) > 0 for row in [*growth, *orphans])


def test_a_ratio_is_of_the_least_times():
    reference, subject = Measured([2.0, 8.0, 9.0]), Measured([7.0, 3.0, 5.0])
    assert (subject.ratio(reference), str(subject)) == ("1.50", "3.000 / 5.000")


def test_rounds_go_in_turn():
    done = []
    measured = in_turn(2, lambda: done.append("reference"), lambda: done.append("subject"))
    assert done == ["reference", "subject"] * 2
    assert [len(each.seconds) for each in measured] == [2, 2]


def test_a_project_is_the_same_each_time(tmp_path):
    one, other = (generate(tmp_path / name, 30) for name in ("one", "other"))
    texts = [{file.relative_to(place): file.read_text() for file in place.rglob("*.py")} for place in (one, other)]
    assert texts[0] == texts[1]
    assert len([path for path in texts[0] if path.name.startswith("0")]) == 30


def test_an_unknown_database_is_refused():
    done = bench("--databases", "oracle")
    assert done.returncode == 2
    assert "invalid choice: 'oracle'" in done.stderr

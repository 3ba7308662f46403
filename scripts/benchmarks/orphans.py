"""The search for orphaned rows, against the anti-join that one would write by hand."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from migration_runbooks.paths import CHECKOUT
from migration_runbooks.worlds import scratch

from scripts.benchmarks.measuring import Measured
from scripts.benchmarks.place import Bench, bench
from scripts.benchmarks.project import DRIVER, MANAGE, SETTINGS
from scripts.benchmarks.table import Table

CHILDREN_OF_ONE = 10

MODELS = """\
from django.db import models


class Parent(models.Model):
    name = models.CharField(max_length=40)


class Child(models.Model):
    parent = models.ForeignKey(Parent, models.CASCADE)
    note = models.CharField(max_length=40)
    amount = models.IntegerField()
"""

NUMBERS = {
    "sqlite": "(WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count}) SELECT i FROM n) n",
    "postgresql": "generate_series(1, {count}::bigint) n(i)",
    "mariadb": "(SELECT seq AS i FROM seq_1_to_{count}) n",
}
NAME = {"sqlite": "'row ' || i", "postgresql": "'row ' || i", "mariadb": "CONCAT('row ', i)"}
STATISTICS = {"sqlite": "SELECT 1", "postgresql": "ANALYZE", "mariadb": "ANALYZE TABLE family_parent, family_child"}


def measure(databases: list[str], sizes: list[int], repeat: int) -> list[Table]:
    growth = Table(("Database", "Rows", "Runs", "Anti-join", "Search", "Ratio"))
    project = generate(scratch("project") / "of_rows")
    for size in sizes:
        for database in databases:
            print(f"{database}, {size} rows …", file=sys.stderr)
            with bench(database, project) as here:
                fill(here, size)
                done = here.python("-m", "scripts.benchmarks.search", str(repeat), cwd=CHECKOUT)
            reference, search = (Measured(seconds) for seconds in json.loads(done.stdout))
            growth.add(database, f"{size:,}", repeat, reference, search, search.ratio(reference))
    return [growth]


def generate(folder: Path) -> Path:
    """Write a project of two models, without migrations."""
    (folder / "family").mkdir(parents=True)
    (folder / "manage.py").write_text(DRIVER + MANAGE)
    (folder / "settings.py").write_text(DRIVER + SETTINGS.format(apps=["migration_runbooks", "family"]))
    (folder / "family" / "__init__.py").touch()
    (folder / "family" / "models.py").write_text(MODELS)
    return folder


def fill(here: Bench, count: int) -> None:
    """Make the tables and their rows: neighbours in the table point to parents that are far apart."""
    here.manage("migrate", "--run-syncdb", "-v0")
    parents, name = max(count // CHILDREN_OF_ONE, 1), NAME[here.database]
    numbers = NUMBERS[here.database]
    here.execute(
        f"INSERT INTO family_parent (id, name) SELECT i, {name} FROM {numbers.format(count=parents)}",
        f"INSERT INTO family_child (id, parent_id, note, amount) SELECT i, 1 + (i * 7919) % {parents}, {name}, i % 100 FROM {numbers.format(count=count)}",
        STATISTICS[here.database],
    )

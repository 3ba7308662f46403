"""The check without rows, on generated projects, against the two commands of Django that a pipeline runs."""

from __future__ import annotations

import shutil
import sys

from migration_runbooks.worlds import scratch

from scripts.benchmarks.measuring import Measured, in_turn
from scripts.benchmarks.place import Bench, bench
from scripts.benchmarks.project import generate
from scripts.benchmarks.table import Table

SHOWN = 5
HEADS = ("Database", "Migrations", "Expected schema", "Runs", "Django's two commands", "Check", "Ratio", "migrate, from nothing")


def measure(sizes: dict[str, list[int]], repeat: int, budget: float) -> list[Table]:
    """Return how the times grow with the size of the project on each database, and where they go."""
    growth, parts = Table(HEADS), Table(("Database", "Migrations", "Expected schema", "Where the time goes"))
    for size in sorted(set().union(*sizes.values())):
        project = generate(scratch("project") / f"of_{size}", size)
        for database in (name for name in sizes if size in sizes[name]):
            print(f"{database}, {size} migrations …", file=sys.stderr)
            with bench(database, project) as here:
                compare(here, size, repeat, budget, growth, parts)
    return [growth, parts]


def compare(here: Bench, size: int, repeat: int, budget: float, growth: Table, parts: Table) -> None:
    migrate, cold = Measured(), Measured()
    migrate.run(lambda: here.manage("migrate", "-v0"))
    while len(cold.seconds) < repeat and sum(cold.seconds) < budget:
        shutil.rmtree(here.place.project / "cache", ignore_errors=True)
        said = cold.run(lambda: check(here))
    parts.add(here.database, size, "made", largest(said))
    parts.add(here.database, size, "kept", largest(check(here)))
    reference, warm = in_turn(repeat, lambda: references(here), lambda: check(here))
    growth.add(here.database, size, "made", len(cold.seconds), reference, cold, cold.ratio(reference), f"{migrate.least:.3f}")
    growth.add(here.database, size, "kept", repeat, reference, warm, warm.ratio(reference), "")


def references(here: Bench) -> None:
    here.manage("migrate", "--check")
    here.manage("makemigrations", "--check", "-v0")


def check(here: Bench) -> str:
    """Run the check and return what it says about its time."""
    return here.manage("check_migration_integrity", "--skip-rows", "--cache-dir=cache", "-v2").stderr


def largest(said: str) -> str:
    """Return the largest parts of the time that `--verbosity 2` tells, and the sum, in one line."""
    *lines, total = [line.split(" s  ") for line in said.splitlines() if " s  " in line]
    return "; ".join(f"{what.strip()} {seconds.strip()}" for seconds, what in [*lines[:SHOWN], total])

"""Migrations that depend on each other in a circle."""

from __future__ import annotations

from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter

from migration_runbooks.integrity.examined import Examined
from migration_runbooks.integrity.finding import Finding


def check(examined: Examined) -> Iterator[Finding]:
    nodes = examined.files.loader.graph.node_map
    parents = {name: {parent.key for parent in node.parents} for name, node in nodes.items()}
    while cycle := first_cycle(parents):
        circle = " -> ".join(f"{app}.{name}" for app, name in reversed(cycle))
        yield Finding(
            id="dependency-cycle",
            level="error",
            app=cycle[0][0],
            object=f"{cycle[0][0]}.{cycle[0][1]}",
            message=f"These migrations depend on each other in a circle: {circle}.",
            hint="python manage.py migrate stops with CircularDependencyError until one of these dependencies is gone.",
            runbook="break-dependency-cycle",
            file=examined.files.path(cycle[0]),
        )
        for name in cycle:
            parents.pop(name, None)


def first_cycle(parents: dict) -> list | None:
    """Return the names of a circle, its first also last, beginning with the least; None when there is none."""
    try:
        TopologicalSorter(parents).prepare()
    except CycleError as error:
        circle = error.args[1][:-1]
        least = circle.index(min(circle))
        return [*circle[least:], *circle[:least], circle[least]]
    return None

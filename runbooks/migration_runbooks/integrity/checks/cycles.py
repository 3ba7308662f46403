"""Migrations that depend on each other in a circle."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter

from migration_runbooks.integrity.examined import Examined
from migration_runbooks.integrity.finding import Finding


def check(examined: Examined) -> Iterator[Finding]:
    nodes = examined.files.loader.graph.node_map
    parents = {name: sorted(parent.key for parent in node.parents) for name, node in sorted(nodes.items())}
    while cycle := first_cycle(parents):
        circle = " -> ".join(f"{app}.{name}" for app, name in cycle)
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
    """Return a circle, each name followed by one that it depends on, the first also last; None when there is none."""
    try:
        TopologicalSorter(parents).prepare()
    except CycleError as error:
        # The one found may go a long way round: of its names, take the one with the shortest way back to itself.
        circle = min((way_back(parents, name) for name in error.args[1][:-1]), key=len)[:-1]
        least = circle.index(min(circle))
        return [*circle[least:], *circle[:least], circle[least]]
    return None


def way_back(parents: dict, name: tuple[str, str]) -> list:
    """Return the shortest way from a name in a circle, by what depends on what, to itself."""
    ways, seen = deque([[name]]), set()
    while ways:
        way = ways.popleft()
        for parent in parents.get(way[-1], ()):
            if parent == name:
                return [*way, name]
            if parent not in seen:
                seen.add(parent)
                ways.append([*way, parent])
    raise AssertionError(f"{name} is in no circle")

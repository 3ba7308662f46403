"""Migrations that are recorded although what they depend on is not."""

from __future__ import annotations

from collections.abc import Iterator

from migration_runbooks.integrity.examined import Examined
from migration_runbooks.integrity.finding import Finding


def check(examined: Examined) -> Iterator[Finding]:
    applied, nodes = examined.applied, examined.files.loader.graph.node_map
    for name in sorted(applied & set(nodes)):
        for parent in sorted(node.key for node in nodes[name].parents):
            if parent not in applied | examined.files.missing:
                yield Finding(
                    id="inconsistent-history",
                    level="error",
                    app=parent[0],
                    object=parent[1],
                    message=f"{'.'.join(name)} is recorded as applied, and {'.'.join(parent)}, on which it depends, is not.",
                    hint="python manage.py migrate stops until the history is repaired; running it again must not come first.",
                    runbook="repair-migration-history",
                    file=examined.files.path(parent),
                )

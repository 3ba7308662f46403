"""Dependencies on migrations that no file holds."""

from __future__ import annotations

from collections.abc import Iterator

from migration_runbooks.integrity.examined import Examined
from migration_runbooks.integrity.finding import Finding


def check(examined: Examined) -> Iterator[Finding]:
    files = examined.files
    for app, name in sorted(files.missing):
        if (app, name) not in files.loader.broken:
            children = sorted(child.key for child in files.loader.graph.node_map[app, name].children)
            needed_by = " and ".join(".".join(child) for child in children)
            yield missing(examined, children[0], f"{app}.{name}", f"{needed_by} depends on {app}.{name}, and no file holds it.")
    if isinstance(files.graph_error, ValueError):
        yield missing(examined, ("", ""), "dependencies", f"A dependency leads nowhere: {files.graph_error}.")


def missing(examined: Examined, child: tuple[str, str], name: str, message: str) -> Finding:
    return Finding(
        id="missing-parent",
        level="error",
        app=child[0],
        object=name,
        message=message,
        hint="Bring the file back: git log --diff-filter=D --name-only -- '*/migrations/*' shows which commit removed it.",
        runbook="restore-missing-migration",
        file=examined.files.path(child),
    )

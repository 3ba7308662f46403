"""Folders of migrations that Django does not see, for they hold no __init__.py."""

from __future__ import annotations

from collections.abc import Iterator

from migration_runbooks.integrity.examined import Examined
from migration_runbooks.integrity.finding import Finding


def check(examined: Examined) -> Iterator[Finding]:
    for app, files in examined.files.unseen.items():
        init = files[0].with_name("__init__.py")
        yield Finding(
            id="missing-init",
            level="error",
            app=app,
            object=str(init),
            message=f"{init.parent} has no __init__.py, so Django ignores its {len(files)} migrations and takes {app} for an app without any.",
            hint=f"touch {init}, and commit it.",
            file=files[0],
        )

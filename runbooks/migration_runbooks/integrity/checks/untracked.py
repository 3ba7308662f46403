"""Migration files that are not under version control: nobody else has them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from migration_runbooks.integrity.examined import Examined
from migration_runbooks.integrity.finding import Finding
from migration_runbooks.integrity.git import Repository
from migration_runbooks.integrity.sources.cache import project_folder


def check(examined: Examined) -> Iterator[Finding]:
    repository = Repository.find(project_folder())
    # A project none of whose files is tracked merely lies inside somebody's repository.
    if repository is None or not (tracked := repository.tracked(project_folder())):
        return
    for name in sorted(examined.files.loader.disk_migrations):
        path = examined.files.path(name)
        if path and name[0] in examined.files.own_apps and is_in(path, repository) and path.resolve() not in tracked:
            app, migration = name
            recorded = name in examined.files.loader.applied_migrations
            yield Finding(
                id="untracked-migration",
                level="warning",
                app=app,
                object=migration,
                message=f"{app}.{migration} is not under version control" + (", and is applied here." if recorded else "."),
                hint=f"git add -f {path}, and commit it; see with git check-ignore -v {path} whether .gitignore hides it.",
                file=path,
            )


def is_in(path: Path, repository: Repository) -> bool:
    return path.resolve().is_relative_to(project_folder().resolve()) and path.resolve().is_relative_to(repository.root)

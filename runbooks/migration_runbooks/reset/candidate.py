"""All files as they would be after the reset."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from django.db.migrations import Migration

from migration_runbooks.integrity.sources.files import Name
from migration_runbooks.reset.carry import Carried, carried_text, custom_operations
from migration_runbooks.reset.chosen import Chosen
from migration_runbooks.reset.initial import replaced_by, standing_for, text_of
from migration_runbooks.reset.refusal import Refused
from migration_runbooks.reset.staging import Texts
from migration_runbooks.reset.text import NotPlain, with_dependencies, with_lines_before
from migration_runbooks.reset.ties import rewritten


@dataclass(frozen=True)
class Candidate:
    new: Texts
    """All migrations of the chosen apps."""
    others: Texts
    """All migrations of the apps that depend on them."""
    came_from: dict[Name, Name]
    """The old name of each migration that is carried over."""

    @property
    def texts(self) -> Texts:
        return self.new | self.others

    @property
    def names(self) -> list[Name]:
        return [(app, name) for app, texts in self.new.items() for name in texts]


def candidate(chosen: Chosen, initial: dict[str, list[Migration]], carried: Carried) -> Candidate:
    """Write the new files of the chosen apps, and the others' with the new names. Raises Refused."""
    names = {app: [migration.name for migration in initial.get(app, [])] for app in chosen.apps}
    if empty := [app for app in chosen.apps if not names[app]]:
        raise Refused(f"{', '.join(empty)} has no model, so makemigrations writes nothing for it. Leave it out.")
    new = {app: dict(first_files(chosen, app, initial[app], carried)) for app in chosen.apps}
    replacement = Replacement(chosen, {app: (app, own[-1]) for app, own in names.items()}, {})
    for old in carried.behind:
        name, text = behind(chosen, old, list(new[old[0]]), replacement)
        new[old[0]][name] = text
        replacement.carried[old] = (old[0], name)
    others = rewritten(chosen, replacement)
    return Candidate(new, others, {name: old for old, name in replacement.carried.items()})


def first_files(chosen: Chosen, app: str, migrations: list[Migration], carried: Carried) -> Iterator[tuple[str, str]]:
    before = [operation for name in carried.first if name[0] == app for operation in custom_operations(chosen, name)]
    replaced = replaced_by(chosen, app)
    for migration in migrations:
        yield migration.name, standing_for(text_of(migration, before), app, replaced)
        before, replaced = [], []


def behind(chosen: Chosen, old: Name, there: list[str], replacement: Replacement) -> tuple[str, str]:
    """Return name and text of the file that carries an old migration's custom operations over."""
    app, name = old
    title, number = name.split("_", 1)[-1], len(there) + 1
    while any(each.endswith(f"_{title}") for each in there):
        title = f"{title}_again"
    try:
        text = with_dependencies(carried_text(chosen, old), replacement.for_one_of(app), first=(app, there[-1]))
        return f"{number:04}_{title}", with_lines_before(text, "dependencies", ["reset_of = []", ""])
    except NotPlain as reason:
        shown = ".".join(old)
        raise Refused(f"{shown} must be carried over, and {reason}. Rewrite it so, or decide: --leave-out {shown}") from reason


@dataclass
class Replacement:
    """Tells which new migration a removed one is replaced by, for those that depend on it."""

    chosen: Chosen
    last_first: dict[str, Name]
    """The last of the new first files, by app."""
    carried: dict[Name, Name]

    def __call__(self, old: Name) -> Name:
        """Return the last file carried over that the old migration came after, else the last of the new first ones."""
        app, name = old
        if name in ("__first__", "__latest__"):
            return old
        before = set(self.chosen.files.loader.graph.forwards_plan(self.in_graph(old)))
        new = [new for each, new in self.carried.items() if each[0] == app and each in before]
        return new[-1] if new else self.last_first[app]

    def for_one_of(self, app: str) -> Callable[[Name], Name | None]:
        """Return what changes the dependencies of a file carried over: its own app's are left to the one before it."""
        return lambda old: None if old[0] == app else self(old) if old[0] in self.chosen.apps else old

    def in_graph(self, name: Name) -> Name:
        """Return the squash that stands for a migration, if one does."""
        loader = self.chosen.files.loader
        if name in loader.graph.nodes:
            return name
        return next(each for each, migration in loader.disk_migrations.items() if name in migration.replaces)

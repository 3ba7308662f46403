"""Operations that only a person can write: which a fresh database needs, and the files that carry them over."""

from __future__ import annotations

from dataclasses import dataclass, field

from django.db.migrations.operations import RunPython
from django.db.migrations.operations.base import Operation

from migration_runbooks.integrity.sources.files import Name
from migration_runbooks.reset.chosen import Chosen
from migration_runbooks.reset.measure import Measured, is_custom
from migration_runbooks.reset.objects import FIRST
from migration_runbooks.reset.refusal import BadInput
from migration_runbooks.reset.text import NotPlain, elements, with_list, without

NOTHING, THE_SAME, ASKED = "it changes nothing in an empty database", "the new files make the same", "you said so with --leave-out"


@dataclass
class Carried:
    """What is decided on each migration with custom operations."""

    behind: list[Name] = field(default_factory=list)
    """Carried over, in files behind the new first ones."""
    first: list[Name] = field(default_factory=list)
    """Carried over into the first file, before its tables."""
    left_out: dict[Name, str] = field(default_factory=dict)
    """With the reason."""

    def decide(self, chosen: Chosen, measured: Measured, orders: Orders, lacking: frozenset[tuple]) -> None:
        """Sort the migrations, given which facts the new files were seen to lack."""
        self.behind, self.first, self.left_out = [], [], {}
        for name in chosen.custom:
            effect = measured.effects[name]
            if name in orders.leave_out:
                self.left_out[name] = ASKED
            elif any(fact[0] in FIRST for fact in effect.made) and can_be_first(chosen, name):
                self.first.append(name)
            elif name in orders.carry_over or effect.tables & measured.content.rows.keys() or effect.made & lacking:
                self.behind.append(name)
            else:
                self.left_out[name] = THE_SAME if effect.made or effect.tables else NOTHING


@dataclass(frozen=True)
class Orders:
    """What the person decided: migrations with custom operations to carry over, or to leave out."""

    carry_over: frozenset[Name] = frozenset()
    leave_out: frozenset[Name] = frozenset()


def orders(chosen: Chosen, carry_over: list[str], leave_out: list[str]) -> Orders:
    """Read `APP.NAME` words. Raises BadInput when one names no migration with custom operations."""
    known = {".".join(name): name for name in chosen.custom}
    for word in [*carry_over, *leave_out]:
        if word not in known:
            listed = ", ".join(known) or "none"
            raise BadInput(f"{word!r} is no migration of these apps with operations that makemigrations can't write. Those are: {listed}.")
    if both := sorted(set(carry_over) & set(leave_out)):
        raise BadInput(f"{', '.join(both)}: carry it over or leave it out, not both.")
    return Orders(frozenset(known[word] for word in carry_over), frozenset(known[word] for word in leave_out))


def custom_operations(chosen: Chosen, name: Name) -> list[Operation]:
    return [operation for operation in chosen.files.loader.graph.nodes[name].operations if is_custom(operation)]


def can_be_first(chosen: Chosen, name: Name) -> bool:
    """Whether its operations can stand in another file: a function can't, it lies in the file that goes."""
    return not any(isinstance(operation, RunPython) for operation in custom_operations(chosen, name))


def carried_text(chosen: Chosen, name: Name) -> str:
    """Return the text of a migration with nothing but its custom operations. Raises NotPlain when that can't be told apart."""
    text, operations = chosen.text(name), chosen.files.loader.disk_migrations[name].operations
    if not all(map(is_custom, operations)):
        listed = elements(text, "operations")
        if len(listed) != len(operations):
            raise NotPlain("does not write its operations as a plain list")
        kept = [segment for (_, segment), operation in zip(listed, operations, strict=True) if is_custom(operation)]
        text = with_list(text, "operations", kept)
    for attribute in ("replaces", "initial", "reset_of"):
        text = without(text, attribute)
    return text

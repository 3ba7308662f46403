"""Tables, columns and keys, and the facts by which two schemas are compared."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

Fact = tuple
"""What is so in a schema: ("column", table, name), ("type", table, name, type), ("key", table, kind, definition) …"""

COLUMN_FACTS = ("type", "nullable", "default", "collation", "automatic", "generated")


@dataclass(frozen=True)
class Column:
    name: str
    type: str
    nullable: bool
    default: str | None = None
    collation: str | None = None
    automatic: bool = False
    """Whether the database numbers it: serial, identity or AUTO_INCREMENT, which are one and the same here."""
    generated: str | None = None


@dataclass(frozen=True)
class Key:
    """An index or a constraint. `definition` says all but its name: names differ where nothing else does."""

    kind: str
    """primary key, unique, index, check, foreign key or exclude"""
    name: str
    columns: tuple[str, ...]
    definition: str
    valid: bool = True
    target: tuple[str, tuple[str, ...]] | None = None
    """The table and the columns that a foreign key points to."""


@dataclass
class Table:
    name: str
    columns: dict[str, Column] = field(default_factory=dict)
    keys: list[Key] = field(default_factory=list)

    def facts(self) -> Iterator[Fact]:
        yield ("table", self.name)
        for column in self.columns.values():
            yield ("column", self.name, column.name)
            for fact in COLUMN_FACTS:
                yield (fact, self.name, column.name, getattr(column, fact))
        for key in self.keys:
            yield ("key", self.name, key.kind, key.definition)

    def key(self, kind: str, definition: str) -> Key:
        return next(key for key in self.keys if (key.kind, key.definition) == (kind, definition))


class Schema(dict[str, Table]):
    """Tables by name."""

    def table(self, name: str) -> Table:
        return self.setdefault(name, Table(name))

    def facts(self) -> frozenset[Fact]:
        return frozenset(fact for table in self.values() for fact in table.facts())

    def as_json(self) -> list[dict[str, Any]]:
        return [asdict(table) | {"columns": [asdict(each) for each in table.columns.values()]} for table in self.values()]

    @classmethod
    def from_json(cls, tables: list[dict[str, Any]]) -> Schema:
        schema = cls()
        for found in tables:
            table = schema.table(found["name"])
            table.columns = {each["name"]: Column(**each) for each in found["columns"]}
            table.keys = [_key(each) for each in found["keys"]]
        return schema


def _key(found: dict[str, Any]) -> Key:
    target = found["target"] and (found["target"][0], tuple(found["target"][1]))
    return Key(**found | {"columns": tuple(found["columns"]), "target": target})

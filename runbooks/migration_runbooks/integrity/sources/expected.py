"""The schema that the recorded migrations should have made."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from migration_runbooks.integrity.schema import Schema
from migration_runbooks.integrity.schema.model import Fact


@dataclass(frozen=True)
class Step:
    """What one operation of a migration that is not recorded would change."""

    app: str
    migration: str
    operation: str
    added: frozenset[Fact]
    removed: frozenset[Fact]


@dataclass
class Expected:
    schema: Schema
    owners: dict[str, str] = field(default_factory=dict)
    """The app of each table."""
    steps: list[Step] = field(default_factory=list)
    stopped: str = ""
    """Why the steps of the migrations that are not recorded could not be tried to the end."""
    whole: bool = True
    """False when it comes from the models alone: no types, defaults, collations, and nothing that only migrations make."""

    def as_json(self) -> dict[str, Any]:
        steps = [[step.app, step.migration, step.operation, sorted(map(list, step.added), key=repr), sorted(map(list, step.removed), key=repr)] for step in self.steps]
        return {"schema": self.schema.as_json(), "owners": self.owners, "steps": steps, "stopped": self.stopped}

    @classmethod
    def from_json(cls, found: dict[str, Any]) -> Expected:
        steps = [Step(*step[:3], *(frozenset(map(tuple, facts)) for facts in step[3:])) for step in found["steps"]]
        return cls(Schema.from_json(found["schema"]), found["owners"], steps, found["stopped"])

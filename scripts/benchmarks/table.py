"""A table in Markdown."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class Table:
    heads: tuple[str, ...]
    rows: list[tuple[str, ...]] = field(default_factory=list)

    def add(self, *cells: object) -> None:
        self.rows.append(tuple(map(str, cells)))

    def __str__(self) -> str:
        rule = tuple("---" for _ in self.heads)
        return "\n".join(f"| {' | '.join(row)} |" for row in (self.heads, rule, *self.rows))

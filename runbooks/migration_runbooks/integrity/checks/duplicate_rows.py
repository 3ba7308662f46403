"""Migrations that are recorded more than once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from migration_runbooks.integrity.examined import Examined
from migration_runbooks.integrity.finding import Finding


def check(examined: Examined) -> Iterator[Finding]:
    ids = defaultdict(list)
    for record in examined.history:
        ids[record.key].append(record.id)
    for (app, name), rows in sorted(ids.items()):
        if len(rows) > 1:
            yield Finding(
                id="duplicate-history-row",
                level="error",
                app=app,
                object=name,
                message=f"{app}.{name} is recorded {len(rows)} times, in the rows with id {', '.join(map(str, rows))}.",
                hint="Two migrators ran at once. Keep the first row: "
                f"DELETE FROM django_migrations WHERE id IN ({', '.join(map(str, rows[1:]))})",
            )

"""What `django_migrations` says was applied."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper


@dataclass(frozen=True)
class Record:
    id: int
    app: str
    name: str
    applied: datetime

    @property
    def key(self) -> tuple[str, str]:
        return self.app, self.name


def read_history(connection: BaseDatabaseWrapper) -> list[Record]:
    """Return every row, in the order in which they were recorded; none when the table does not exist yet."""
    from django.db.migrations.recorder import MigrationRecorder

    recorder = MigrationRecorder(connection)
    if not recorder.has_table():
        return []
    return [Record(*row) for row in recorder.migration_qs.order_by("id").values_list("id", "app", "name", "applied")]

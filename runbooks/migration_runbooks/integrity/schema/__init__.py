"""The schema of a database: read in a few queries, in the same words for a live and for a scratch database."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from migration_runbooks.integrity.schema.model import Column, Key, Schema, Table

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper

__all__ = ["Column", "Key", "Schema", "Table", "read_schema"]

READERS = {"sqlite": "sqlite", "postgresql": "postgresql", "mysql": "mariadb"}


def read_schema(connection: BaseDatabaseWrapper) -> Schema:
    """Read all tables that the connection sees without naming a schema. Raises LookupError for another kind of database."""
    if connection.vendor not in READERS:
        raise LookupError(f"Databases of the kind {connection.vendor} are not supported; {', '.join(READERS)} are.")
    reader = import_module(f"{__name__}.{READERS[connection.vendor]}")
    with connection.cursor() as cursor:
        return reader.read(cursor)

"""Compare four things: migration files, recorded history, the schema that they should have made, and the live database."""

from __future__ import annotations

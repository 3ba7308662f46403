"""From a pasted text to the page of its error. Nothing here imports Django."""

from __future__ import annotations

from migration_runbooks.explain.engine import Match, explain

__all__ = ["Match", "explain"]

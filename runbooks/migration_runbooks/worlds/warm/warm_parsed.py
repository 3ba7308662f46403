"""What sqlparse makes of a text, kept for later processes.

Django's introspection of SQLite parses the SQL of every table anew, half of what some commands take there, and the tables
are nearly always the same. A process notes what it had to parse; the server parses that before the next fork.
"""

from __future__ import annotations

import contextlib
import gc
import json
from pathlib import Path

import sqlparse

MOST_KEPT = 400


class Parsed:
    """Stands in for `sqlparse.parse`. Django only reads what that returns, so all may have the same."""

    def __init__(self, notes: Path) -> None:
        """Take the place of `sqlparse.parse`; `notes` is the file in which processes note texts, a line of JSON each."""
        self.notes, self.read, self.parse, self.known = notes, 0, sqlparse.parse, {}
        notes.touch(0o600)
        sqlparse.parse = self.parsed

    def parsed(self, sql: str, encoding: str | None = None) -> tuple:
        if sql not in self.known:
            self.known[sql] = self.parse(sql, encoding)
            with contextlib.suppress(OSError), self.notes.open("ab") as notes:  # a command may have given up its rights
                notes.write(json.dumps(sql).encode() + b"\n")
        return self.known[sql]

    def learn(self) -> None:
        """Parse what processes have noted since the last time, as long as there is room."""
        if not self.notes.exists() or self.notes.stat().st_size == self.read or len(self.known) > MOST_KEPT:
            return
        with self.notes.open("rb") as notes:
            notes.seek(self.read)
            lines = notes.read().splitlines(keepends=True)
        for line in lines:
            if line.endswith(b"\n"):  # whole
                self.read += len(line)
                sql = json.loads(line)
                self.known[sql] = self.known.get(sql) or self.parse(sql)
        gc.freeze()

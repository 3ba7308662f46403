"""What a run did, step by step, on disk: enough to resume or undo it after it was killed at any moment."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TextIO

from migration_runbooks.runner.problems import Stop


@dataclass(frozen=True)
class Journal:
    folder: Path

    @property
    def run(self) -> str:
        return self.folder.name

    def write(self, event: str, **facts) -> None:
        """Append one event; it is on disk when this returns."""
        line = json.dumps({"event": event, "at": datetime.now(UTC).isoformat(timespec="seconds"), **facts})
        with open(self.folder / "journal.jsonl", "a+") as file:
            if not _ends_with_line(file):
                file.write("\n")  # ends the line that a kill cut off
            file.write(line + "\n")
            file.flush()
            os.fsync(file.fileno())

    def events(self) -> list[dict]:
        """Return the events; a line that a kill cut off is left out."""
        events = []
        for line in (self.folder / "journal.jsonl").read_text().splitlines():
            try:
                events.append(json.loads(line))
            except json.JSONDecodeError:
                continue
        return events

    def begun(self) -> dict:
        """Return the facts of the run: runbook, database, manage, settings."""
        return self.events()[0]

    def last(self, event: str, step: str) -> dict | None:
        """Return the last such event of a step, or None."""
        found = [each for each in self.events() if each["event"] == event and each.get("step") == step]
        return found[-1] if found else None

    def done(self, step: str) -> bool:
        """Whether the step has ended well and was not started again since."""
        events = [each for each in self.events() if each.get("step") == step]
        return bool(events) and events[-1]["event"] == "finished" and events[-1]["status"] == 0

    def ended(self) -> int | None:
        """Return the exit status with which the run ended last, or None while it is unfinished."""
        last = self.events()[-1]
        return last["status"] if last["event"] == "ended" else None

    def inputs(self) -> dict[str, dict]:
        """Return the values of the inputs, as the last diagnose left them."""
        found = [each["values"] for each in self.events() if each["event"] == "inputs"]
        return found[-1] if found else {}


def _ends_with_line(file: TextIO) -> bool:
    size = file.seek(0, os.SEEK_END)
    file.seek(max(size - 1, 0))
    return file.read() in ("", "\n")


def new_journal(private: Path, slug: str) -> Journal:
    """Make the folder of a new run, named by time so that the names sort."""
    stamp = datetime.now().strftime("%Y%m%d-%H%M%S")
    for number in range(1, 1000):
        folder = private / "runs" / f"{stamp}-{slug}" if number == 1 else private / "runs" / f"{stamp}-{slug}-{number}"
        try:
            folder.mkdir(parents=True, mode=0o700)
        except FileExistsError:
            continue
        return Journal(folder)
    raise Stop("Too many runs in one second.")


def find_journal(private: Path, run: str) -> Journal:
    """Return the journal of a run, `last` being the latest. Raises Stop when there is none."""
    journals = [Journal(file.parent) for file in (private / "runs").glob("*/journal.jsonl")]
    journals = sorted((each for each in journals if each.events()), key=lambda each: each.begun()["order"])
    if run == "last" and journals:
        return journals[-1]
    for journal in journals:
        if journal.run == run:
            return journal
    known = "\n  ".join(journal.run for journal in journals[-5:])
    raise Stop(f"There is no run {run!r} in {private.parent}." + (f" The latest runs:\n  {known}" if known else ""))

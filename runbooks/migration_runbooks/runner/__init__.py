"""`runbook run`: plan, back up, repair, verify, resume and undo a runbook in a project."""

from __future__ import annotations

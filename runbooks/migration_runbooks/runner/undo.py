"""Take a run back: its runbook's undo with the run's inputs, then the files that the fix changed."""

from __future__ import annotations

import json

from migration_runbooks.runner import files
from migration_runbooks.runner.problems import HEALTHY, NOT_REPAIRED, STOPPED_HALF_WAY, Stop
from migration_runbooks.runner.run import Outcome, Run


def undo(run: Run) -> Outcome:
    """Undo a run that a fix was started in. Raises Stop when its runbook has no undo."""
    journal = run.journal
    if not journal.last("started", "fix") or journal.ended() == NOT_REPAIRED:
        return Outcome(HEALTHY, f"Nothing to undo: run {journal.run} changed nothing.")
    if journal.done("undo"):
        return Outcome(HEALTHY, f"Nothing to undo: run {journal.run} is undone.")
    if not run.runbook.script("undo", run.scripts.database.vendor):
        raise Stop(f"{run.runbook.slug} has no undo. {run.runbook.undo}\n{_kept(run)}", NOT_REPAIRED)
    status = run.step("undo")
    if status:
        message = f"undo ended with status {status}. Run it again when its reason is gone.\n{_kept(run)}"
        return run.end(STOPPED_HALF_WAY, message, {})
    restored, left = put_back_files(run)
    lines = [f"Undone: {run.runbook.title}. {run.runbook.undo}"]
    lines += [f"Put back: {name}" for name in restored]
    lines += [f"Left alone, because it was changed after the fix: {name}" for name in left]
    return run.end(HEALTHY, "\n".join(lines), {"result": "undone", "restored": restored, "left": left})


def put_back_files(run: Run) -> tuple[list[str], list[str]]:
    """Restore the files that undo.sh left changed; when the fix was killed, the files as they are count as its work."""
    after = run.journal.folder / "after.json"
    digests = json.loads(after.read_text()) if after.exists() else files.digests(run.scripts)
    return files.put_back(run.scripts, run.journal.folder / "before", digests)


def _kept(run: Run) -> str:
    backups = sorted(run.journal.folder.glob("backup*/"))
    return (
        f"The backup from before the fix: {backups[-1]}"
        if backups
        else f"Copies of the files: {run.journal.folder}/before"
    )

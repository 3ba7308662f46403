"""What a runbook must prove whose fix leaves another database beside, to which its undo goes back."""

from __future__ import annotations

import signal
from contextlib import nullcontext

import pytest
from migration_runbooks.worlds import open_sandbox
from proof import RunbookProof, kills


class DatabaseBesideProof(RunbookProof):
    """A copy of a sandbox lacks what lies beside it, so each kill falls in a sandbox that was fixed for it."""

    def copy(self, sandbox, directory):
        return nullcontext(sandbox)

    def kill_at_every_change(self, *_):
        """In the next test."""

    def opened(self, database, directory):
        """A broken sandbox in which a kill can fall."""
        return open_sandbox(self.slug, database, directory)

    def kill_points(self, changes: list[str]) -> list[int]:
        return [number for number, _ in kills(changes)]

    @pytest.mark.parametrize("step", ["fix", "undo"])
    def test_killed_at_every_change(self, database, step, tmp_path):
        changes = self.changes_of(database, step, tmp_path / "whole")
        for kill_at in self.kill_points(changes):
            with self.opened(database, tmp_path / str(kill_at)) as sandbox:
                inputs, broken = self.diagnose(sandbox), sandbox.snapshot()
                if step == "undo":
                    self.fix(sandbox, inputs)
                assert self.killed(sandbox, step, inputs, kill_at) == -signal.SIGKILL
                again = self.step(sandbox, step, inputs)
                assert again.status == 0, f"killed before {changes[kill_at - 1]}, then: {again.output}"
                if step == "fix":
                    self.check_finished(broken, sandbox)
                    assert self.step(sandbox, "undo", inputs).status == 0
                assert broken.difference(sandbox.snapshot()) == [], f"killed before {changes[kill_at - 1]}"

    def check_finished(self, broken, sandbox) -> None:
        self.check_fixed("", broken, sandbox.snapshot(), sandbox)

    def changes_of(self, database, step, directory) -> list[str]:
        with self.opened(database, directory) as sandbox:
            inputs = self.diagnose(sandbox)
            if step == "undo":
                self.fix(sandbox, inputs)
            return self.run_to_the_end(sandbox, step, inputs)

"""What every runbook must prove, on every database that it names. See docs/contributing/writing-runbooks.md.

A test file of a runbook holds one subclass of `RunbookProof`: it says which command fails with which text, what the
fix must leave behind, and how to break a project that is not Acharya. The subclass inherits the tests.
"""

from __future__ import annotations

import re
import signal
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
from migration_runbooks.catalogue.runbooks import Runbook, find
from migration_runbooks.pages.match import matches
from migration_runbooks.paths import DOCS, RUNBOOKS
from migration_runbooks.runner.backup import touches_database
from migration_runbooks.worlds import Snapshot, available, copy_sandbox, freeze_sandbox, open_library, open_sandbox
from migration_runbooks.worlds.djangos import OLDEST_AND_NEWEST

KILLER = Path(__file__).parent / "killer"
INPUT_LINE = re.compile(r"^([A-Z][A-Z0-9_]*)=(.*)$", re.MULTILINE)
MOST_KILLS = 60
COMMAND, INSIDE = "command", "sql in a transaction"
"""What the killer calls a command of the shell, and how it begins what it says of a statement inside a transaction."""

IN_DATABASE = ("sql", "commit")
"""How it begins what it says of a change to the database."""


def kills(changes: list[str]) -> Iterator[tuple[int, str]]:
    """Yield number and name of each change before which to kill: all that can leave something of their own.

    Of statements in a row inside one transaction, which a kill takes back together, the first two and the last stand for
    all. Before the first command nothing has happened yet.
    """
    for number, change in enumerate(changes, 1):
        around = [*changes[max(0, number - 3) : number], *changes[number : number + 1]]
        in_the_middle = len(around) == 4 and all(each.startswith(INSIDE) for each in around)
        if not in_the_middle and (number, change) != (1, COMMAND):
            yield number, change


def one_database(test):
    """Run a test on the first of the runbook's databases alone.

    For what no database decides: values refused before it is asked, files, the order and the words of what is told.
    """
    test.on_one_database = True
    return test


def inputs_in(output: str) -> dict[str, str]:
    return dict(INPUT_LINE.findall(output))


@dataclass(frozen=True)
class State:
    """All that a killed run may leave, and all that the next run may go by."""

    rows: Snapshot
    sequences: dict[str, int | None]
    files: dict[str, str]
    saved: dict[str, bytes]

    @classmethod
    def of(cls, sandbox) -> State:
        folder = sandbox.project / ".runbook"
        saved = {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}
        snapshot = sandbox.snapshot()
        return cls(snapshot, snapshot.sequences, sandbox.files(), saved)


class RunbookProof:
    slug: str
    command: tuple[str, ...] = ("migrate",)
    """The `manage.py` command that fails in the broken world."""
    errors: dict[str, str] = {}
    """Last lines of what `command` prints, by `cause`, `cause:database`, `database` or `""`; `...` and `[..]` as in output
    blocks. A text of one Django alone has its version behind the key: `cause@6.1`, `@6.1`."""
    extra_inputs: dict[str, str] = {}
    """Inputs that a person must decide and diagnose can't find."""

    def __init_subclass__(cls):
        if hasattr(cls, "slug") and not databases_of_page(find(cls.slug)):
            cls.test_page_block_by_block_ends_where_the_scripts_end = None

    # --- what a subclass says -------------------------------------------------------------------------------------

    def check_fixed(self, cause, broken, fixed, sandbox) -> None:
        """Assert what rows, schema and files must be after the fix; `broken` and `fixed` are snapshots."""
        raise NotImplementedError

    def break_other_project(self, library) -> None:
        """Break the second project, in the way of the first cause."""
        raise NotImplementedError

    def check_other_project(self, broken, fixed, library) -> None:
        self.check_fixed("", broken, fixed, library)

    # --- steps ----------------------------------------------------------------------------------------------------

    def broken_world(self, cause: str) -> str:
        return f"{self.slug}:{cause}" if cause else self.slug

    def step(self, sandbox, step: str, inputs: dict[str, str] | None = None):
        return sandbox.bash(find(self.slug).script(step, sandbox.database), **(inputs or {}))

    def diagnose(self, sandbox, status: int = 1) -> dict[str, str]:
        done = self.step(sandbox, "diagnose", self.extra_inputs)
        assert done.status == status, done.output
        return {**inputs_in(done.output), **self.extra_inputs}

    def fix(self, sandbox, inputs) -> str:
        done = self.step(sandbox, "fix", inputs)
        assert done.status == 0, done.output
        return done.output

    def verify(self, sandbox, inputs, status: int = 0) -> None:
        done = self.step(sandbox, "verify", inputs)
        assert (done.status == 0) == (status == 0), done.output

    def assert_is(self, sandbox, rows: Snapshot, files: dict[str, str]) -> None:
        assert rows.difference(sandbox.snapshot()) == []
        assert sandbox.files() == files

    def has_undo(self, database: str) -> bool:
        return find(self.slug).script("undo", database) is not None

    # --- proofs ---------------------------------------------------------------------------------------------------

    def test_the_command_fails_with_exactly_this_text(self, database, cause, django, acharya, tmp_path):
        keys = (f"{cause}:{database}", cause, database, "")
        expected = next(self.errors[key] for key in (*(f"{key}@{django}" for key in keys), *keys) if key in self.errors)
        with open_sandbox(self.broken_world(cause), database, tmp_path, acharya) as sandbox:
            done = sandbox.manage(*self.command)
        lines = expected.strip().splitlines()
        shown = "\n".join(done.output.strip().splitlines()[-len(lines):])
        assert done.status != 0
        assert matches(expected.strip(), shown), done.output

    def test_healthy_project_is_told_healthy_and_left_alone(self, database, tmp_path):
        with open_sandbox("healthy", database, tmp_path) as sandbox:
            before = sandbox.snapshot(), sandbox.files()
            assert self.step(sandbox, "diagnose", self.extra_inputs).status == 0
            self.step(sandbox, "fix", {**self.example_inputs(), **self.extra_inputs})
            self.assert_is(sandbox, *before)

    def test_repaired_undone_and_killed_at_every_change(self, database, cause, tmp_path):
        with ExitStack() as sandboxes:
            broken = sandboxes.enter_context(open_sandbox(self.broken_world(cause), database, tmp_path / "broken"))
            before = State.of(broken)
            inputs = self.diagnosed(broken, before)
            fixed = sandboxes.enter_context(self.copy(broken, tmp_path / "fixed"))
            after, changes = self.fixed(fixed, inputs, cause, before)
            self.kill_at_every_change(broken, "fix", inputs, after, changes, tmp_path / "fix")
            if self.has_undo(database):
                undone = sandboxes.enter_context(self.copy(fixed, tmp_path / "undone"))
                changes = self.run_to_the_end(undone, "undo", inputs)
                self.assert_is(undone, before.rows, before.files)
                self.kill_at_every_change(fixed, "undo", inputs, before, changes, tmp_path / "undo")

    def diagnosed(self, sandbox, broken: State) -> dict[str, str]:
        inputs = self.diagnose(sandbox)
        self.verify(sandbox, inputs, status=1)
        assert {i.name for i in find(self.slug).inputs} <= set(inputs), "diagnose must find every input"
        self.assert_is(sandbox, broken.rows, broken.files)
        return inputs

    def fixed(self, sandbox, inputs, cause: str, broken: State) -> tuple[State, list[str]]:
        """Fix it, twice; return how it then is, and the changes that this took."""
        changes = self.run_to_the_end(sandbox, "fix", inputs)
        self.verify(sandbox, inputs)
        fixed = State.of(sandbox)
        self.check_fixed(cause, broken.rows, fixed.rows, sandbox)
        assert self.step(sandbox, "diagnose", self.extra_inputs).status == 0
        self.fix(sandbox, inputs)
        self.assert_is(sandbox, fixed.rows, fixed.files)
        return fixed, changes

    def copy(self, sandbox, directory):
        """Another sandbox in the same state; the first is but a template from now on."""
        freeze_sandbox(sandbox)
        return copy_sandbox(sandbox, directory)

    def kill_at_every_change(self, before, step, inputs, goal: State, changes: list[str], directory) -> None:
        """Run the step in copies of the sandbox `before`, kill each at another change, and finish what is left.

        On a database where a kill leaves nothing of its own, nothing is done.
        """
        if before.database not in databases_of_kills(find(self.slug), step, changes):
            return
        assert 0 < len(changes) <= MOST_KILLS, changes
        finished: list[State] = []
        sandbox = untouched = None
        with ExitStack() as copies:
            for kill_at, change in kills(changes):
                sandbox = sandbox or copies.enter_context(copy_sandbox(before, directory / str(kill_at)))
                untouched = untouched or State.of(sandbox)
                assert self.killed(sandbox, step, inputs, kill_at) == -signal.SIGKILL
                left = State.of(sandbox)
                if left not in finished:
                    self.finish(sandbox, step, inputs, goal, f"killed before {change}")
                    finished.append(left)
                elif left == untouched:
                    continue  # so the next kill may fall in the same copy
                copies.close()
                sandbox = None

    def finish(self, sandbox, step, inputs, goal: State, where: str) -> None:
        """Run the step again and compare the end."""
        again = self.step(sandbox, step, inputs)
        assert again.status == 0, f"{where}, then: {again.output}"
        assert goal.rows.difference(sandbox.snapshot()) == [], where
        assert sandbox.files() == goal.files, where

    def test_page_block_by_block_ends_where_the_scripts_end(self, database, tmp_path):
        """Of a runbook without undo. With one the page ends as it began, which the run of docs/ asks for: pages/ending.py."""
        from migration_runbooks.pages.run_page import run_page

        page = DOCS / "runbooks" / f"{self.slug}.md"
        with open_sandbox(self.broken_world(""), database, tmp_path / "page") as by_page:
            results = run_page(page, database, by_page)
            assert [f"{r.where}: {r.reason}" for r in results if r.result in ("failed", "blocked")] == []
            by_page_end = by_page.snapshot(), by_page.files()
        with open_sandbox(self.broken_world(""), database, tmp_path / "scripts") as by_script:
            self.fix(by_script, self.diagnose(by_script))
            self.assert_is(by_script, *by_page_end)

    def test_runbook_run_repairs_and_undoes(self, database, tmp_path):
        settings = [part for name, value in self.extra_inputs.items() for part in ("--set", f"{name}={value}")]
        with open_sandbox(self.broken_world(""), database, tmp_path) as sandbox:
            broken = sandbox.snapshot(), sandbox.files()
            planned = sandbox.run("runbook", "run", self.slug, *settings)
            assert planned.status != 0 and "--apply" in planned.output, planned.output
            self.assert_is(sandbox, *broken)
            done = sandbox.run("runbook", "run", self.slug, "--apply", "--yes", *settings)
            assert done.status == 0, done.output
            self.check_fixed("", broken[0], sandbox.snapshot(), sandbox)
            if self.has_undo(database):
                undone = sandbox.run("runbook", "undo", "last")
                assert undone.status == 0, undone.output
                self.assert_is(sandbox, *broken)

    def test_repairs_a_project_that_is_not_acharya(self, database, tmp_path):
        with open_library(database, tmp_path) as library:
            self.break_other_project(library)
            broken = library.snapshot(), library.files()
            inputs = self.diagnose(library)
            self.fix(library, inputs)
            self.verify(library, inputs)
            self.check_other_project(broken[0], library.snapshot(), library)
            if self.has_undo(database):
                undone = self.step(library, "undo", inputs)
                assert undone.status == 0, undone.output
                self.assert_is(library, *broken)

    # --- helpers of the kill test -----------------------------------------------------------------------------------

    def example_inputs(self) -> dict[str, str]:
        return {each.name: each.example for each in find(self.slug).inputs}

    def run_to_the_end(self, sandbox, step, inputs) -> list[str]:
        """Run a step that must pass, and return its changes."""
        assert self.killed(sandbox, step, inputs, kill_at=0) == 0, (sandbox.place.directory / "said").read_text()
        return (sandbox.place.directory / "changes").read_text().splitlines()

    def killed(self, sandbox, step: str, inputs: dict[str, str], kill_at: int) -> int:
        """Run a script and kill it, with all that it started, at change number `kill_at` (0: never)."""
        count = sandbox.place.directory / "changes"
        count.write_text("")
        watch = {"KILL_COUNT": count, "KILL_AT": kill_at, "PYTHONPATH": KILLER, "BASH_ENV": KILLER / "commands.bash"}
        environment = sandbox.environment | inputs | {name: str(value) for name, value in watch.items()}
        sandbox.copy_python(RUNBOOKS / self.slug)
        process = subprocess.Popen(
            ["bash", sandbox.spelled(find(self.slug).script(step, sandbox.database))],
            cwd=sandbox.project, env=environment, start_new_session=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )
        (sandbox.place.directory / "said").write_bytes(process.communicate(timeout=180)[0])
        return process.returncode


def databases_of_page(runbook: Runbook) -> list[str]:
    """Return the databases on which the runbook's page does not end as it began."""
    return [each for each in runbook.databases if not runbook.script("undo", each)]


def changes_files_alone(runbook: Runbook) -> bool:
    """Whether the fix is the same for all databases and leaves them as they are."""
    return len({runbook.script("fix", database) for database in runbook.databases}) == 1 and not touches_database(runbook)


def databases_of_kills(runbook: Runbook, step: str, changes: list[str]) -> list[str]:
    """Return the databases on which a kill of the step can leave something of its own.

    A run that sent no statement but queries leaves files alone: of several databases with the same script, the first
    stands for all.
    """
    first = runbook.databases[0]
    if any(change.startswith(IN_DATABASE) for change in changes):
        return runbook.databases
    return [each for each in runbook.databases if each == first or runbook.script(step, each) != runbook.script(step, first)]


def databases_that_differ(runbook: Runbook, test: str) -> list[str]:
    """Return the databases on which the test can end differently: all, but for the page of a runbook with an undo, which
    docs/ runs, and for all else than the repair itself of a runbook that never starts Django."""
    of_page = test == RunbookProof.test_page_block_by_block_ends_where_the_scripts_end.__name__
    databases = databases_of_page(runbook) if of_page else runbook.databases
    repair = RunbookProof.test_repaired_undone_and_killed_at_every_change.__name__
    alike = changes_files_alone(runbook) and not runbook.django and test != repair
    return databases[:1] if alike else databases


def databases_of_test(runbook: Runbook, metafunc) -> list[str]:
    if getattr(metafunc.function, "on_one_database", False):
        return runbook.databases[:1]
    return databases_that_differ(runbook, metafunc.definition.originalname)


def pytest_generate_tests(metafunc):
    """Parametrise `database` and `cause` from the runbook's own TOML. Called by tests/runbooks/conftest.py."""
    proof = getattr(metafunc.cls, "slug", None)
    if not proof:
        return
    runbook = find(proof)
    if "database" in metafunc.fixturenames:
        metafunc.parametrize("database", [
            pytest.param(each, marks=pytest.mark.skipif(available(each) is not None, reason=available(each) or ""))
            for each in databases_of_test(runbook, metafunc)
        ])
    if "cause" in metafunc.fixturenames:
        names = [cause.name for cause in runbook.causes] or [""]
        metafunc.parametrize("cause", ["", *names[1:]])
    if "django" in metafunc.fixturenames:
        metafunc.parametrize("django", OLDEST_AND_NEWEST, indirect=True)

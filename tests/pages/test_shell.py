from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from migration_runbooks.pages.shell import Shell

PAGE = Path("page.md")


@pytest.fixture
def shell(tmp_path):
    project = tmp_path / "project"
    project.mkdir()
    shell = Shell(tmp_path / "shell", project, {"PATH": os.environ["PATH"], "HOME": str(tmp_path)})
    yield shell
    shell.close()


def run(shell: Shell, *lines: str, first: int = 11, timeout: float = 10):
    return shell.run("\n".join(lines) + "\n", [(PAGE, first + index) for index in range(len(lines))], timeout)


def test_what_a_block_sets_lasts_for_the_next(shell):
    run(shell, "mkdir inner && cd inner", "export NAME=users", "greet() { echo hello $1; }", "plain=1")
    assert run(shell, 'greet "$NAME $plain"; basename "$PWD"').output == "hello users 1\ninner\n"


def test_only_the_given_environment_is_there(shell, monkeypatch):
    monkeypatch.setenv("OF_THE_DEVELOPER", "1")
    assert "OF_THE_DEVELOPER" not in run(shell, "env").output


def test_first_failing_command_ends_the_block_and_names_its_line(shell):
    outcome = run(shell, "echo before", "ls /nowhere", "echo after")
    assert (outcome.status, outcome.where, outcome.ended) == (2, (PAGE, 12), False)
    assert "before" in outcome.output and "after" not in outcome.output


def test_failure_in_a_function_names_the_line_of_the_block_that_defined_it(shell):
    run(shell, "check() {", "  ls /nowhere", "  echo never", "}", first=3)
    outcome = run(shell, "check", first=40)
    assert outcome.where == (PAGE, 4) and "never" not in outcome.output


@pytest.mark.parametrize(
    "line",
    ["false && echo unreached", "false | true", "(exit 1)", "x=$(false)", "[ 1 = 2 ]"],
)
def test_failure_that_is_easily_missed_is_seen(shell, line):
    assert run(shell, "true", line).status == 1


@pytest.mark.parametrize("line", ["! true", "false || true", "if false; then true; fi", "x=$(false; echo text)"])
def test_status_that_is_asked_for_is_no_failure(shell, line):
    outcome = run(shell, line, "echo reached")
    assert (outcome.status, outcome.output) == (0, "reached\n")


def test_failing_subshell_ends_itself_first(shell):
    outcome = run(shell, "( false; echo inner )", "echo outer")
    assert (outcome.status, outcome.output, outcome.where) == (1, "", (PAGE, 11))


def test_shell_goes_on_after_a_failed_block(shell):
    run(shell, "kept=yes", "false")
    assert run(shell, "echo $kept").output == "yes\n"


def test_strictness_is_back_after_a_block_that_left_it(shell):
    assert run(shell, "set +e", "false", "echo reached").status == 0
    assert run(shell, "false", "echo reached").status == 1


def test_unset_variable_fails_and_names_its_line(shell):
    outcome = run(shell, "echo one", 'echo "$NOT_SET"')
    assert outcome.status != 0 and outcome.where == (PAGE, 12)
    assert "bash: NOT_SET: unbound variable" in outcome.output


def test_syntax_error_fails_and_names_its_line(shell):
    outcome = run(shell, "echo one", "if then", first=5)
    assert outcome.status != 0 and outcome.where == (PAGE, 6)


def test_exit_ends_the_shell(shell):
    outcome = run(shell, "exit 3")
    assert (outcome.status, outcome.ended) == (3, True)


def test_killed_shell_is_noticed(shell):
    outcome = run(shell, "kill -9 $$")
    assert (outcome.status, outcome.ended) == (-9, True)


def test_block_that_hangs_is_stopped_with_all_it_started(shell, tmp_path):
    started = time.monotonic()
    outcome = run(shell, "(sleep 2; touch ../late) &", "echo waiting", "sleep 60", timeout=0.5)
    assert (outcome.status, outcome.output, outcome.ended) == (None, "waiting\n", True)
    assert time.monotonic() - started < 2
    time.sleep(2)
    assert not (tmp_path / "late").exists()


def test_output_of_a_background_job_stays_out_of_the_next_block(shell):
    run(shell, "(sleep 0.2; echo late) &")
    assert run(shell, "sleep 0.5", "echo mine").output == "mine\n"


def test_block_cannot_read_the_commands_of_the_shell(shell):
    assert run(shell, "cat", "echo end").output == "end\n"


def test_lines_from_several_files_keep_their_places(shell):
    origin = [(PAGE, 4), (Path("fix.sh"), 21), (Path("fix.sh"), 22)]
    assert shell.run("true\ntrue\nfalse\n", origin, 10).where == (Path("fix.sh"), 22)

"""`runbook run`, `resume` and `undo` on a small project: what they exit with, say, change and leave alone."""

from __future__ import annotations

import json
import os
import pty
import signal

import pytest


def test_plan_changes_nothing(desk):
    before = desk.tree()
    planned = desk.run()
    assert planned.returncode == 1, planned.stderr
    assert desk.tree() == before
    for said in ("TEXT = 'broken' (from diagnose)", "fix.sh [Changes data]", "Locks: None.", "backup/", "runbook undo"):
        assert said in planned.stdout
    assert "Nothing was changed" in planned.stderr
    assert planned.stderr.rstrip().endswith("run mend-note --manage 'python manage.py' --apply")
    assert not (desk.project / ".runbook" / "runs").exists()
    assert (desk.project / ".runbook" / ".gitignore").read_text() == "*\n"


def test_apply_repairs_then_finds_nothing_to_do_and_undo_goes_back(desk):
    done = desk.apply()
    assert (done.returncode, desk.note()) == (0, "mended"), done.stdout + done.stderr
    steps = [each["step"] for each in desk.journal() if each["event"] == "finished"]
    assert steps == ["diagnose", "backup", "copy", "fix", "verify"]
    backups = [
        file for file in desk.project.glob(".runbook/runs/*/backup/*") if b"SQLite format 3" in file.read_bytes()
    ]
    assert len(backups) == 1

    again = desk.apply()
    assert (again.returncode, desk.note()) == (0, "mended")
    assert "nothing to do" in again.stdout

    run = desk.journal()[0] and sorted(desk.project.glob(".runbook/runs/*"))[0].name
    assert desk.runbook("undo", run).returncode == 0
    assert desk.note() == "broken"
    twice = desk.runbook("undo", run)
    assert (twice.returncode, desk.note()) == (0, "broken")
    assert "is undone" in twice.stdout


def test_django_is_asked_by_a_file_because_its_shell_takes_an_input_that_comes_late_for_none(desk):
    (desk.project / "manage.sh").write_text('[ ! -p /dev/stdin ] || exit 9\nexec python manage.py "$@"\n')
    planned = desk.runbook("run", "mend-note", "--manage", "sh manage.sh")
    assert planned.returncode == 1 and "Nothing was changed" in planned.stderr, planned.stderr


def test_could_not_tell(desk):
    desk.mark(".cannot-tell")
    for done in (desk.run(), desk.apply()):
        assert (done.returncode, desk.note()) == (2, "broken")
        assert "could not tell (status 2). Nothing was changed." in done.stderr


@pytest.mark.parametrize("mark", [".crash", ".command-error"])
def test_diagnose_that_crashes_can_not_tell_although_its_status_is_1(desk, mark):
    desk.mark(mark)
    for done in (desk.run(), desk.apply()):
        assert (done.returncode, desk.note()) == (2, "broken")
        assert "no such thing" in done.stdout and "diagnose crashed" in done.stdout
        assert "could not tell (status 2). Nothing was changed." in done.stderr


def test_refusing_fix_leaves_the_state_as_before(desk):
    desk.mark(".refuse")
    done = desk.apply()
    assert (done.returncode, desk.note()) == (1, "broken")
    assert "The state is as before" in done.stderr
    assert "Nothing to undo" in desk.runbook("undo", "last").stdout


def test_fix_that_fails_half_way_can_be_resumed(desk):
    late = desk.mark(".fail-late")
    done = desk.apply()
    assert (done.returncode, desk.note()) == (3, "half mended")
    assert "runbook resume " in done.stderr and "runbook undo " in done.stderr
    late.unlink()
    resumed = desk.runbook("resume", "last")
    assert (resumed.returncode, desk.note()) == (0, "mended"), resumed.stdout + resumed.stderr


def test_fix_that_fails_half_way_can_be_undone(desk):
    desk.mark(".fail-late")
    desk.apply()
    assert desk.runbook("undo", "last").returncode == 0
    assert desk.note() == "broken"
    assert desk.runbook("resume", "last").returncode == 1


@pytest.mark.parametrize("way_on", ["resume", "undo"])
@pytest.mark.parametrize("place", ["diagnose", "backup", "fix", "fixed", "verify"])
def test_killed_run(desk, place, way_on):
    desk.stopped_at(place, signal.SIGKILL, "run", "mend-note", "--manage", "python manage.py", "--apply", "--yes")
    arguments = ("resume", "last") if way_on == "resume" else ("undo", "last")
    done = desk.runbook(*arguments)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "taken over" in done.stdout
    assert desk.note() == ("mended" if way_on == "resume" else "broken")


def test_killed_undo_is_done_again(desk):
    desk.apply()
    desk.stopped_at("undo", signal.SIGKILL, "undo", "last")
    resumed = desk.runbook("resume", "last")
    assert resumed.returncode == 3 and "runbook undo " in resumed.stderr
    assert desk.runbook("undo", "last").returncode == 0
    assert desk.note() == "broken"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize(("place", "status"), [("diagnose", 1), ("backup", 1), ("fixed", 3)])
def test_interrupted_run_ends_its_script_and_says_how_to_go_on(desk, place, status, number):
    run = ("run", "mend-note", "--manage", "python manage.py", "--apply", "--yes")
    assert desk.stopped_at(place, number, *run).returncode == status
    assert desk.journal()[-1] | {"at": ""} == {
        "event": "ended",
        "at": "",
        "status": status,
        "message": "Interrupted." + ("" if status == 3 else " Nothing was changed."),
    }


def test_one_run_at_a_time(desk):
    held = desk.mark(".pause-fix")
    first = desk.start("run", "mend-note", "--manage", "python manage.py", "--apply", "--yes")
    desk.wait_for(".at-fix")
    second = desk.apply()
    assert second.returncode == 2
    assert f"Another run is at work in this project (process {first.pid})" in second.stderr
    held.unlink()
    first.communicate()
    assert (first.returncode, desk.note()) == (0, "mended")


def test_without_a_terminal_apply_needs_yes(desk):
    done = desk.run("--apply")
    assert (done.returncode, desk.note()) == (2, "broken")
    assert "--yes" in done.stderr


@pytest.mark.parametrize(("answer", "status", "note"), [("y", 0, "mended"), ("n", 1, "broken"), ("\x04", 1, "broken")])
def test_on_a_terminal_it_asks_after_the_plan(desk, answer, status, note):
    ours, theirs = pty.openpty()
    process = desk.start("run", "mend-note", "--manage", "python manage.py", "--apply", stdin=theirs)
    os.write(ours, f"{answer}\n".encode())
    stdout, stderr = process.communicate(timeout=60)
    os.close(ours), os.close(theirs)
    assert (process.returncode, desk.note()) == (status, note), stdout + stderr
    assert "Apply this plan? [y/N]" in stderr


def test_resume_of_a_run_that_nobody_agreed_to_asks(desk):
    ours, theirs = pty.openpty()
    held = desk.mark(".pause-diagnose")
    process = desk.start("run", "mend-note", "--manage", "python manage.py", "--apply", stdin=theirs)
    desk.wait_for(".at-diagnose")
    process.kill()
    held.unlink()
    process.communicate()
    os.close(ours), os.close(theirs)
    desk.wait_until_free()
    resumed = desk.runbook("resume", "last")
    assert (resumed.returncode, desk.note()) == (1, "broken")
    assert "add --yes" in resumed.stderr


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("TEXT", "--set takes NAME=VALUE"),
        ("OTHER=x", "has no input 'OTHER'; its inputs: TEXT"),
        ("PATH=/tmp", "has no input 'PATH'"),
        ("TEXT=a\nb", "line break or a control character"),
        ("TEXT=a\x1b[0m", "line break or a control character"),
    ],
)
def test_unusable_setting_is_refused_before_anything_runs(desk, setting, said):
    done = desk.apply("--set", setting)
    assert (done.returncode, desk.note()) == (2, "broken")
    assert said in done.stderr
    assert not (desk.project / ".runbook").exists()


def test_setting_overrides_what_diagnose_finds(desk):
    assert "TEXT = '$(touch x) \"' (from --set)" in desk.run("--set", 'TEXT=$(touch x) "').stdout
    assert not (desk.project / "x").exists()


def test_two_values_for_one_input_must_be_chosen_from(desk):
    desk.mark(".ambiguous")
    done = desk.apply()
    assert (done.returncode, desk.note()) == (1, "broken")
    assert "--set TEXT=VALUE" in done.stderr
    assert desk.apply("--set", "TEXT=broken").returncode == 0


def test_json_stands_alone_on_standard_output(desk):
    planned = json.loads(desk.run("--json").stdout)
    assert (planned["status"], planned["diagnosis"]) == (1, "found")
    assert planned["inputs"] == {"TEXT": {"value": "broken", "source": "diagnose"}}
    assert [each["step"] for each in planned["steps"]] == ["back up", "copy", "fix", "verify"]
    done = json.loads(desk.apply("--json").stdout)
    assert done["result"] == "healthy" and done["next"] == [f"runbook undo {done['run']}"]
    undone = json.loads(desk.runbook("undo", "last", "--json").stdout)
    assert (undone["status"], undone["result"]) == (0, "undone")


def test_password_is_nowhere(desk):
    desk.mark(".fail-late")
    done = desk.apply()
    undone = desk.runbook("undo", "last")
    output = done.stdout + done.stderr + undone.stdout + undone.stderr
    assert "with the password ****" in output and "opensesame" not in output
    written = [file for file in desk.project.rglob(".runbook/**/*") if file.is_file()]
    assert len(written) > 10
    assert [file for file in written if b"opensesame" in file.read_bytes()] == []


def test_files_are_put_back(desk):
    (desk.project / "notes" / "extra.py").write_text("# wrong\n")
    before = desk.tree()
    done = desk.apply(slug="correct-file")
    assert done.returncode == 0, done.stdout + done.stderr
    changed = desk.tree()
    assert {name for name in before | changed if before.get(name) != changed.get(name)} == {
        "notes/extra.py",
        "notes/models.py",
        "notes/new.py",
    }
    undone = desk.runbook("undo", "last")
    assert undone.returncode == 0, undone.stderr
    assert desk.tree() == before


def test_a_file_that_was_edited_since_is_left_alone(desk):
    (desk.project / "notes" / "extra.py").write_text("# wrong\n")
    desk.apply(slug="correct-file")
    models = desk.project / "notes" / "models.py"
    models.write_text(mine := models.read_text() + "# mine\n")
    undone = desk.runbook("undo", "last")
    assert "Left alone, because it was changed after the fix: notes/models.py" in undone.stdout
    assert models.read_text() == mine
    assert not (desk.project / "notes" / "new.py").exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("run", "mend-not"), "Did you mean mend-note"),
        (("run", "mend-note", "--project", "notes"), "There is no manage.py in"),
        (("run", "mend-note"), "There is no program 'uv' on PATH"),
        (("run", "mend-note", "--manage", "no-such-program manage.py"), "no program 'no-such-program'"),
        (("run", "mend-note", "--manage", "python manage.py; true"), "without shell syntax"),
        (("run", "mend-note", "--manage", "python settings.py"), "does not work in"),
        (("run", "mend-note", "--manage", "python manage.py", "--database", "third"), "takes: default, other"),
        (("run", "mend-note", "--manage", "python manage.py", "--database", "other"), "`default` only"),
        (("resume", "last"), "There is no run 'last'"),
        (("undo", "20200101-000000-x"), "There is no run '20200101-000000-x'"),
    ],
)
def test_what_can_not_be_done_is_said_in_a_sentence(desk, arguments, said):
    before = desk.tree()
    done = desk.runbook(*arguments)
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert desk.tree() == before

from __future__ import annotations

import pytest
from migration_runbooks.pages.files import FileProblem, apply_diff, write_file

BEFORE = "a\nb\nc\nb\nend"


@pytest.fixture
def file(tmp_path):
    file = tmp_path / "x.py"
    file.write_text(BEFORE)
    return file


def test_file_is_written_in_a_new_folder(tmp_path):
    write_file(tmp_path, "app/deep/x.py", "text\n")
    assert (tmp_path / "app/deep/x.py").read_text() == "text\n"


@pytest.mark.parametrize("title", ["../x.py", "app/../../x.py", "/etc/x.py"])
def test_file_outside_is_refused(tmp_path, title):
    project = tmp_path / "project"
    project.mkdir()
    with pytest.raises(FileProblem, match="outside the project"):
        write_file(project, title, "text\n")
    assert not (tmp_path / "x.py").exists()


@pytest.mark.parametrize(
    "diff, after",
    [
        (" a\n-b\n+B\n", "a\nB\nc\nb\nend"),
        (" a\n b\n+new\n", "a\nb\nnew\nc\nb\nend"),
        ("-a\n", "b\nc\nb\nend"),
        ("--- a/x.py\n+++ b/x.py\n@@ -1,2 +1,2 @@\n-a\n+A\n b\n@@ -3 +3 @@ in class X\n-c\n+C\n", "A\nb\nC\nb\nend"),
    ],
)
def test_diff_is_applied(tmp_path, file, diff, after):
    apply_diff(tmp_path, "x.py", diff)
    assert file.read_text() == after


@pytest.mark.parametrize(
    "diff, problem",
    [
        ("-b\n+B\n", "occur 2 times"),
        ("-gone\n+B\n", "occur 0 times"),
        ("-b\n+B\n b\n", "occur 0 times"),
        ("+B\n", "occur"),
        ("@@ -1 +1 @@\n-a\n+A\n@@ -3 +3 @@\n-gone\n", "occur 0 times"),
        ("a\n-b\n", "begins with a blank"),
        ("-en\n+x\n", "occur 0 times"),
    ],
)
def test_diff_that_does_not_fit_changes_nothing(tmp_path, file, diff, problem):
    with pytest.raises(FileProblem, match=problem):
        apply_diff(tmp_path, "x.py", diff)
    assert file.read_text() == BEFORE


def test_diff_of_a_missing_file_is_refused(tmp_path):
    with pytest.raises(FileProblem, match="does not exist"):
        apply_diff(tmp_path, "none.py", "-a\n+b\n")


def test_last_line_without_its_newline_can_be_changed(tmp_path, file):
    apply_diff(tmp_path, "x.py", "-end\n+END\n")
    assert file.read_text() == "a\nb\nc\nb\nEND"


def test_lines_that_stand_twice_one_below_the_other_are_not_unique(tmp_path, file):
    file.write_text("x\nx\ny\n")
    with pytest.raises(FileProblem, match="occur 2 times"):
        apply_diff(tmp_path, "x.py", "-x\n")

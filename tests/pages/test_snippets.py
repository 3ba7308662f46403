"""Inclusion of snippets: the text is pymdownx's, every line knows its place, and what is missing is an error."""

from __future__ import annotations

import pytest
from migration_runbooks.pages.fences import FenceError
from migration_runbooks.pages.snippets import expand
from pymdownx.snippets import SnippetExtension

SCRIPT = """\
#!/usr/bin/env bash
# --8<-- [start:first]
  one
    two
# --8<-- [end:first]
# --8<-- [start:second]
three
# --8<-- [end:second]
# --8<-- [start:endless]
four
# --8<-- [start:double]
# --8<-- [end:double]
# --8<-- [start:double]
# --8<-- [end:double]
# --8<-- [end:backwards]
# --8<-- [start:backwards]
# --8<-- [start:hollow]

# --8<-- [end:hollow]
"""


@pytest.fixture
def root(tmp_path):
    (tmp_path / "docs").mkdir()
    (tmp_path / "s").mkdir()
    (tmp_path / "s" / "fix.sh").write_text(SCRIPT)
    (tmp_path / "s" / "plain.py").write_text("a = 1\n\nb = 2\n")
    (tmp_path / "docs" / "part.md").write_text('Shared.\n\n    --8<-- "s/fix.sh:second"\n')
    (tmp_path / "docs" / "ring.md").write_text('--8<-- "ring.md"\n')
    (tmp_path / "docs" / "broken.md").write_text('fine\n--8<-- "s/fix.sh:nowhere"\n')
    return tmp_path


def including(root, text, first_line=1):
    return expand(text, root / "docs" / "page.md", root, first_line)


def test_text_is_what_pymdownx_makes(root):
    text = 'a\n\n- b\n\n    --8<-- "s/fix.sh:first"\n\n--8<-- "part.md"\n;--8<-- "s/fix.sh:first"\n--8<-- "s/plain.py"'
    options = {"base_path": [str(root), str(root / "docs")], "check_paths": True, "dedent_subsections": True}
    assert [str(line) for line in including(root, text)] == pymdownx(text, options)


def pymdownx(text, options):
    import markdown

    md = markdown.Markdown(extensions=[SnippetExtension(**options)])
    return md.preprocessors["snippet"].run(text.split("\n"))


def test_every_line_knows_where_it_was_written(root):
    lines = including(root, 'a\n    --8<-- "s/fix.sh:first"\nb\n--8<-- "part.md"', first_line=5)
    places = [(str(line), line.origin[0].name, line.origin[1]) for line in lines]
    assert places == [
        ("a", "page.md", 5),
        ("    one", "fix.sh", 3),
        ("      two", "fix.sh", 4),
        ("b", "page.md", 7),
        ("Shared.", "part.md", 1),
        ("", "part.md", 2),
        ("    three", "fix.sh", 7),
        ("", "part.md", 4),
    ]


def test_escaped_snippet_is_shown_and_keeps_its_place(root):
    (line,) = including(root, ';--8<-- "s/fix.sh:first"')
    assert (line, line.origin[1]) == ('--8<-- "s/fix.sh:first"', 1)


@pytest.mark.parametrize(
    "snippet, complaint",
    [
        ('--8<-- "s/missing.sh"', "could not be found"),
        ('--8<-- "s"', "is not a file"),
        ('--8<-- "../outside.sh"', "could not be found"),
        ('--8<-- "s/fix.sh:missing"', "section 'missing' of {root}/s/fix.sh does not exist"),
        ('--8<-- "s/fix.sh:endless"', "section 'endless' of {root}/s/fix.sh has no end"),
        ('--8<-- "s/fix.sh:double"', "is marked more than once"),
        ('--8<-- "s/fix.sh:backwards"', "s/fix.sh"),
        ('--8<-- "s/fix.sh:hollow"', "section 'hollow' of {root}/s/fix.sh is empty"),
        ('--8<-- "s/fix.sh:2:4"', "names lines"),
        ('--8<-- "s/fix.sh:first" ', "cannot read"),
        ("--8<-- s/fix.sh", "cannot read"),
        ("--8<--", "one file a line"),
        ("--8<--\ns/fix.sh\n--8<--", "one file a line"),
        ('--8<-- "ring.md"', "includes itself"),
    ],
)
def test_what_cannot_be_included_stops_with_its_place(root, snippet, complaint):
    with pytest.raises(FenceError) as refused:
        including(root, "above\n" + snippet)
    message = str(refused.value)
    place = root / "docs" / ("ring.md:1" if "ring" in snippet else "page.md:2")
    assert message.startswith(f"{place}: ")
    assert complaint.format(root=root) in message


def test_an_error_inside_a_snippet_names_the_snippets_line(root):
    with pytest.raises(FenceError, match=r"docs/broken\.md:2: section 'nowhere'"):
        including(root, '--8<-- "broken.md"')


def test_a_word_about_snippets_in_prose_is_prose(root):
    assert including(root, "Write `--8<--` on a line.") == ["Write `--8<--` on a line."]

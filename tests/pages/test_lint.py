"""The rules between a runbook's scripts and its page: on made-up folders, then on all that there are."""

from __future__ import annotations

import shutil
from types import SimpleNamespace

import pytest
from migration_runbooks.catalogue.runbooks import load_runbook
from migration_runbooks.pages import lint
from migration_runbooks.pages.blocks import read_page
from migration_runbooks.paths import DOCS, RUNBOOKS

PREAMBLE = "#!/usr/bin/env bash\nset -euo pipefail\n"
FOLDERS = [file.parent for file in sorted(RUNBOOKS.glob("*/runbook.toml"))]
SCRIPTS = [script for folder in FOLDERS for script in sorted(folder.glob("*.sh"))]
PAGES = [file for folder in ("errors", "runbooks") for file in sorted((DOCS / folder).glob("*.md"))]


def section(name, text="true"):
    return f"# --8<-- [start:{name}]\n{text}\n# --8<-- [end:{name}]\n"


@pytest.mark.parametrize(
    "text, complaint",
    [
        (PREAMBLE + section("a") + "echo outside\n", ":6: this line stands outside"),
        (PREAMBLE + "set -x\n" + section("a"), ":3: this line stands outside"),
        (PREAMBLE + "# --8<-- [start:a]\ntrue\n", ":3: section 'a' has no end"),
        (PREAMBLE + "# --8<-- [start:a]\n" + section("b"), ":4: section 'b' begins inside of section 'a'"),
        (PREAMBLE + section("a") + section("a"), ":6: section 'a' is there twice"),
        (PREAMBLE + "# --8<-- [end:a]\n", ":3: section 'a' ends and has not begun"),
        (PREAMBLE + "# --8<-- [strat:a]\ntrue\n", ":3: write a mark as"),
        (PREAMBLE + "#--8<-- [start:a]\ntrue\n", ":3: write a mark as"),
        (PREAMBLE + "# -8<- [start: a]\ntrue\n", ":3: write a mark as"),
        (section("a"), ":1: a script begins with"),
        (PREAMBLE + section("a", "false || exit 1"), ":4: 'exit' would end"),
        (PREAMBLE + section("a", "if false; then return 1; fi"), ":4: 'return' would end"),
    ],
)
def test_complains_about_a_script(tmp_path, text, complaint):
    script = tmp_path / "fix.sh"
    script.write_text(text)
    assert any(complaint in found for found in lint.script_complaints(script))


def test_has_nothing_to_say_about_a_good_script(tmp_path):
    script = tmp_path / "fix.sh"
    script.write_text(PREAMBLE + section("a", "echo exit\n# return to this\nsys.exit(1)") + "\n" + section("b"))
    assert lint.script_complaints(script) == []
    assert [found.name for found in lint.sections(script)[0]] == ["a", "b"]


@pytest.fixture
def folder(tmp_path):
    """A runbook of two scripts and a .py, and a function that writes its page and returns the complaints."""
    for step in ("diagnose", "fix"):
        (tmp_path / f"{step}.sh").write_text(PREAMBLE + section("a", f"{step} a") + section("b", f"{step} b"))
    (tmp_path / "fix.postgresql.sh").write_text(PREAMBLE + section("c", "fix c"))
    (tmp_path / "help.py").write_text("x = 1\n")
    (tmp_path / "docs").mkdir()
    runbook = SimpleNamespace(
        folder=tmp_path,
        databases=("sqlite", "postgresql"),
        scripts=lambda: [(file.name.split(".")[0], file) for file in sorted(tmp_path.glob("*.sh"))],
        script=lambda step, database: next(
            (tmp_path / name for name in (f"{step}.{database}.sh", f"{step}.sh") if (tmp_path / name).is_file()), None
        ),
    )

    def complaints(*parts):
        page = tmp_path / "docs" / "page.md"
        page.write_text("---\ndatabases: [sqlite, postgresql]\n---\n" + "\n".join(parts))
        read = read_page(page, tmp_path)
        return list(lint.page_complaints(runbook, read)), list(lint.forgotten_sections([runbook], [read]))

    return complaints


DIAGNOSE = '```bash\n--8<-- "diagnose.sh:a"\n--8<-- "diagnose.sh:b"\n```\n'
FIX = """
=== "SQLite"

    ```bash
    --8<-- "fix.sh:a"
    ```

    ```bash
    --8<-- "fix.sh:b"
    ```

=== "PostgreSQL"

    ```bash
    --8<-- "fix.postgresql.sh:c"
    ```
"""
HELP = '```python title="x/help.py"\n--8<-- "help.py"\n```\n'


def test_a_page_that_is_its_scripts(folder):
    assert folder(HELP, DIAGNOSE, FIX) == ([], [])


def test_a_page_in_another_order(folder):
    order, forgotten = folder(HELP, FIX, DIAGNOSE)
    assert len(order) == 2 and forgotten == []
    assert "on sqlite the page shows fix.sh:a fix.sh:b diagnose.sh:a diagnose.sh:b" in order[0]


def test_a_page_that_shows_a_section_twice(folder):
    assert len(folder(HELP, DIAGNOSE, DIAGNOSE, FIX)[0]) == 2


def test_a_page_that_forgets(folder):
    order, forgotten = folder(DIAGNOSE)
    assert len(order) == 2
    assert [complaint.rpartition("/")[2] for complaint in forgotten] == [
        "fix.postgresql.sh:4: no page shows section 'c'",
        "fix.sh:4: no page shows section 'a'",
        "fix.sh:7: no page shows section 'b'",
        "help.py: no page shows this file",
    ]


@pytest.mark.parametrize(
    "above, complaints",
    [
        ("**Reads only**\n\n", 0),
        ("**Destroys data**\n", 0),
        ("", 1),
        ("Reads only\n\n", 1),
        ("**Reads all**\n\n", 1),
        ("**Reads only**\n\nText.\n\n", 1),
    ],
)
def test_a_command_has_its_risk_above(tmp_path, above, complaints):
    (tmp_path / "page.md").write_text(f"# Page\n\n{above}```bash\nx\n```\n")
    assert len(list(lint.unlabelled_commands(read_page(tmp_path / "page.md", tmp_path)))) == complaints


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: f"{script.parent.name}/{script.name}")
def test_script(script):
    assert lint.script_complaints(script) == []


@pytest.mark.parametrize("folder_of_one", FOLDERS, ids=lambda folder: folder.name)
def test_runbook_page_is_its_scripts(folder_of_one):
    page = DOCS / "runbooks" / f"{folder_of_one.name}.md"
    assert page.is_file(), f"{folder_of_one.name} has no page"
    assert list(lint.page_complaints(load_runbook(folder_of_one), read_page(page))) == []


def test_every_section_is_on_a_page():
    pages = [read_page(file) for file in DOCS.rglob("*.md")]
    assert list(lint.forgotten_sections([load_runbook(folder) for folder in FOLDERS], pages)) == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: f"{page.parent.name}/{page.name}")
def test_every_command_has_its_risk(page):
    assert list(lint.unlabelled_commands(read_page(page))) == []


@pytest.mark.skipif(not shutil.which("shellcheck"), reason="shellcheck is not installed (apt-get install shellcheck)")
def test_shellcheck_has_nothing_to_say(tmp_path):
    bad = tmp_path / "bad.sh"
    bad.write_text(PREAMBLE + "rm -r $1\n")
    assert any("SC2086" in complaint for complaint in lint.shellcheck_complaints([bad]))
    assert lint.shellcheck_complaints(SCRIPTS) == []


def test_without_shellcheck_it_says_so(monkeypatch):
    monkeypatch.setenv("PATH", "")
    with pytest.raises(FileNotFoundError, match="shellcheck is not installed"):
        lint.shellcheck_complaints(SCRIPTS)

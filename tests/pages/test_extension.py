"""Rendering: every block marked and shown as it is run; a page outside the grammar stops the build."""

from __future__ import annotations

import json
from textwrap import dedent

import click
import markdown
import pytest
from migration_runbooks.catalogue.errors import load_error
from migration_runbooks.catalogue.runbooks import RISKS, load_runbook
from migration_runbooks.pages import directives
from migration_runbooks.pages.copied import copied_blocks
from migration_runbooks.paths import ERRORS, RUNBOOKS

EXTENSIONS = ["admonition", "toc", "fenced_code", "md_in_html", "pymdownx.tabbed", "mkdocs-click"]
RUNBOOK_FOLDERS = [file.parent for file in sorted(RUNBOOKS.glob("*/runbook.toml"))]
ERROR_FILES = sorted(ERRORS.glob("*.toml"))
PAGES = "migration_runbooks.pages.extension"


@pytest.fixture
def render(tmp_path):
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "other.md").write_text("# Another page\n")
    (tmp_path / "fix.sh").write_text("# --8<-- [start:a]\nif\n\ttabbed <b> & 'c' \"d\"\n# --8<-- [end:a]\n")

    def render(text, extensions=EXTENSIONS, front="---\ntitle: A page\ndatabases: [sqlite]\n---\n"):
        body = dedent(text).lstrip("\n")
        (tmp_path / "docs" / "page.md").write_text(front + body)
        md = markdown.Markdown(extensions=[*extensions, PAGES], extension_configs={PAGES: {"root": str(tmp_path)}})
        return md.convert(body)

    return render


def refusal(render, text, **options):
    with pytest.raises(click.ClickException) as refused:
        render(text, **options)
    return refused.value.format_message()


def test_blocks_are_marked_in_order_and_copied_to_the_letter(render):
    html = render("""
        # A `title` [with](other.md) marks

        ```bash {exit="1"}
        --8<-- "fix.sh:a"
        echo \\
          two   # three
        ```

        ```output
        $ 4
        ```

        - item

            ```python title="a/b.py"
            x = "<&>"


            y = 2
            ```

        !!! note

            ```diff title="a/b.py"
            -x
            +y
            ```

        ```bash {run="no: pages a person"}
        page
        ```

        ```sql
        SELECT 1;
        ```
    """)
    found = [(block.kind, block.ordinal, block.text, block.has_button) for block in copied_blocks(html)]
    assert found == [
        ("bash", 0, "if\n\ttabbed <b> & 'c' \"d\"\necho \\\n  two   # three", True),
        ("output", 1, "$ 4", False),
        ("file", 2, 'x = "<&>"\n\n\ny = 2', True),
        ("diff", 3, "-x\n+y", True),
        ("not run", 4, "page", True),
        ("illustration", 5, "SELECT 1;", True),
    ]
    assert '<p class="block-note">Exits with status 1</p>' in html
    assert '<p class="block-label">Output</p>' in html
    assert '<span class="filename">a/b.py</span>' in html
    assert '<p class="block-note">Not run by CI: pages a person</p>' in html
    assert '<span class="k">SELECT</span>' in html


def test_a_blocks_database_is_marked(render):
    html = render('=== "SQLite"\n\n    ```bash\n    x\n    ```\n')
    assert 'data-run="bash" data-block="0" data-database="sqlite"' in html


@pytest.mark.parametrize("label", RISKS)
def test_a_risk_label_alone_in_a_paragraph_is_marked(render, label):
    risk = f"risk-{label.lower().replace(' ', '-')}"
    assert f'<p class="risk {risk}"><strong>{label}</strong></p>' in render(f"**{label}**\n")
    for other in (f"**{label}** always", f"It **{label}**", f"*{label}*", "**Reads all**"):
        assert "risk-" not in render(other)


@pytest.mark.parametrize(
    "text, message",
    [
        ("Text.\n\n```bsah\nx\n```", "docs/page.md:7: unknown language 'bsah'"),
        ('```bash {exists="1"}\nx\n```', "docs/page.md:5: unknown option 'exists'"),
        ('--8<-- "fix.sh:b"', "docs/page.md:5: section 'b' of "),
        ("Text.\n\n    code\n", "docs/page.md: a block of code that is not a fence"),
        ("<pre><code>x</code></pre>\n", "docs/page.md: a block of code that is not a fence"),
        ("<!--\n```bash\nx\n```\n-->\n", "docs/page.md:6: the page would not show this block"),
        ("Text.\n\n::: runbok-facts x", "docs/page.md:7: unknown directive 'runbok-facts'"),
        ("::: runbook-facts no-such-runbook", "docs/page.md:5: There is no runbook 'no-such-runbook'"),
        ("::: tested-with docs/other.md", "docs/page.md:5: ::: tested-with may name this page alone"),
    ],
)
def test_a_page_outside_the_grammar_stops_the_build(render, text, message):
    assert message in refusal(render, text)


def test_a_text_that_is_no_page_stops_the_build(render, tmp_path):
    md = markdown.Markdown(extensions=[PAGES], extension_configs={PAGES: {"root": str(tmp_path)}})
    with pytest.raises(click.ClickException, match="no page under"):
        md.convert("Unheard of")


def test_two_pages_with_one_text_stop_the_build(render):
    assert "two pages have the same text" in refusal(render, "# Another page\n")


def test_pymdownx_snippets_beside_it_stops_the_build(render):
    assert "remove pymdownx.snippets" in refusal(render, "# Text\n", extensions=["pymdownx.snippets"])


def test_mkdocs_click_goes_on_working_and_its_blocks_are_marked_generated(render):
    html = render("""
        ```bash
        runbook list
        ```

        ::: mkdocs-click
            :module: mkdocs.__main__
            :command: cli

        Text.
    """)
    kinds = [block.kind for block in copied_blocks(html)]
    assert kinds[0] == "bash" and set(kinds[1:]) == {"generated"}


def test_a_directive_in_a_fence_is_text(render):
    assert copied_blocks(render("```text\n::: tested-with\n```\n"))[0].text == "::: tested-with"


@pytest.mark.parametrize("folder", RUNBOOK_FOLDERS, ids=lambda folder: folder.name)
def test_runbook_directives_show_what_its_toml_says(render, folder):
    runbook = load_runbook(folder)
    facts = render(f"::: runbook-facts {runbook.slug}\n")
    for risk in {risk for step, risk in runbook.risk.items() if step != "reproduce"}:
        assert f"<td><strong>{risk}</strong></td>" in facts
    for slug in runbook.errors:
        assert f'href="errors/{slug}.md"' in facts
    inputs = render(f"::: runbook-inputs {runbook.slug}\n")
    for one in runbook.inputs:
        assert f"<td><code>{one.name}</code></td>" in inputs


def test_indexes_list_everything(render):
    runbooks, errors = render("::: runbook-index\n"), render("::: error-index\n")
    for folder in RUNBOOK_FOLDERS:
        assert f'<a href="runbooks/{folder.name}.md">' in runbooks
    for file in ERROR_FILES:
        assert f'<a href="errors/{file.stem}.md">' in errors


@pytest.mark.parametrize("file", ERROR_FILES, ids=lambda file: file.stem)
def test_messages_are_shown_as_they_are_printed(render, file):
    error = load_error(file)
    texts = [block.text for block in copied_blocks(render(f"::: error-messages {error.slug}\n"))]
    assert texts == [message.text.strip() for message in error.messages]


def test_below_the_messages_stands_whose_names_the_page_uses(render):
    assert "run on a sample project, a school" in render(f"::: error-messages {ERROR_FILES[0].stem}\n")


def test_the_error_index_can_be_read_by_the_message(render):
    html = render("::: error-index\n")
    assert "<code>InconsistentMigrationHistory: Migration &lt;app&gt;.&lt;migration&gt; is applied before" in html


def test_a_fact_may_hold_placeholders_bars_and_code():
    row = "| a &lt;b> \\| c | `<d>` \\| &lt;e> | `` `f` ``<br>g |"
    assert row in directives._table(("x", "y", "z"), [("a <b> | c", "`<d>` |\n<e>", "`` `f` ``<br>g")])


def test_tested_with_shows_this_pages_rows_of_the_ledger(render, tmp_path):
    ledger = tmp_path / "build" / "ledger"
    ledger.mkdir(parents=True)
    common = {"page": "docs/page.md", "database": "sqlite", "server": "SQLite 3.40", "django": "5.2", "python": "3.11"}
    rows = [
        {**common, "result": "passed", "reason": ""},
        {**common, "result": "written", "reason": ""},
        {**common, "result": "illustrated", "reason": ""},
        {**common, "result": "not run", "reason": "pages a person"},
        {**common, "result": "failed", "reason": "another page's", "page": "docs/other.md"},
    ]
    (ledger / "main.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    html = render("::: tested-with docs/page.md\n")
    cells = ["SQLite 3.40", "5.2", "3.11", "2 of 3", "1"]
    assert "\n".join(f"<td>{cell}</td>" for cell in cells) in html
    assert "<li>Not run: pages a person</li>" in html
    assert "another page" not in html


def test_tested_with_without_a_run_says_so(render):
    assert "<p>Not tested in this build.</p>" in render("::: tested-with\n")

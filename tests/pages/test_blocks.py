"""Reading a page: which fences are blocks, what their text is, where they stand, and what is refused."""

from __future__ import annotations

from textwrap import dedent

import pytest
from migration_runbooks.pages.blocks import read_page
from migration_runbooks.pages.fences import FenceError


@pytest.fixture
def read(tmp_path):
    (tmp_path / "docs").mkdir()
    (tmp_path / "fix.sh").write_text("# --8<-- [start:a]\none\n\n  two\n# --8<-- [end:a]\n")

    def read(text, databases="[sqlite, postgresql]"):
        page = tmp_path / "docs" / "page.md"
        page.write_text(f"---\ntitle: A page\ndatabases: {databases}\n---\n" + dedent(text).lstrip("\n"))
        return read_page(page, tmp_path)

    return read


def refusal(read, text, **options):
    with pytest.raises(FenceError) as refused:
        read(text, **options)
    return str(refused.value)


SPELLINGS = {
    "```bash\nfalse\n```": "bash",
    "```bash  \nfalse\n```": "bash",
    '```bash {exit="1"}\nfalse\n```': "bash",
    '```bash title="a/x.sh"\nfalse\n```': "file",
    "````bash\nfalse\n````": "bash",
    "``` bash\nfalse\n```": "no blank between",
    "```{.bash}\nfalse\n```": "cannot read the fence",
    "```sh\nfalse\n```": "write bash",
    "~~~bash\nfalse\n~~~": "written with backticks",
    "- ```bash\n  false\n  ```": "on a line of its own",
    "> ```bash\n> false\n> ```": "on a line of its own",
    "\t```bash\n\tfalse\n\t```": "on a line of its own",
    "```\nfalse\n```": "needs a language",
}


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_no_spelling_of_a_fence_vanishes(read, spelling):
    try:
        (block,) = read("Text.\n\n" + spelling).blocks
    except FenceError as refused:
        assert SPELLINGS[spelling] in str(refused)
        assert "page.md:7: " in str(refused)
    else:
        assert (block.fence.kind, block.text) == (SPELLINGS[spelling], "false\n")


def test_text_place_and_database_of_blocks(read):
    page = read("""
        Above.

        === "SQLite"

            - item
              goes on

                ```bash
                --8<-- "fix.sh:a"
                three

                ```

        === "PostgreSQL"

            ```bash
            four
            ```

            ```output
            5
            ```

        ```python title="a/b.py"
        x = 1
        ```
    """)
    found = [(block.ordinal, block.fence.kind, block.database, block.line, block.text) for block in page.blocks]
    assert found == [
        (0, "bash", "sqlite", 12, "one\n\n  two\nthree\n"),
        (1, "bash", "postgresql", 20, "four\n"),
        (2, "output", "postgresql", 24, "5\n"),
        (3, "file", None, 28, "x = 1\n"),
    ]
    assert [(file.name, line) for file, line in page.blocks[0].origin] == [
        ("fix.sh", 2),
        ("fix.sh", 3),
        ("fix.sh", 4),
        ("page.md", 14),
    ]
    for block in page.blocks:
        region = page.text[block.start : block.end].splitlines()
        assert region[0].startswith(block.indentation + "```") and region[-1] == block.indentation + "```"
    assert page.blocks[0].databases == ["sqlite"] and page.blocks[3].databases == ["sqlite", "postgresql"]


def test_front_matter(read):
    page = read("# Text\n", databases="[mariadb]")
    assert (page.meta["title"], page.databases, page.world, page.blocks) == ("A page", ["mariadb"], "healthy", [])


def test_a_fence_in_a_fence_is_text(read):
    (block,) = read("````markdown\n```bash\nx\n```\n````\n").blocks
    assert block.text == "```bash\nx\n```\n"


@pytest.mark.parametrize(
    "above",
    ["- a\n- b", "- a\n    wrapped", "- a\nwrapped", "Text.\n\n1. a\n2. b\n3. c", "!!! note\n    a", "Text\n!!! note"],
)
def test_a_fence_in_a_list_or_a_note_is_a_block(read, above):
    (block,) = read(above + "\n\n    ```bash\n    x\n    ```\n").blocks
    assert block.text == "x\n"


def test_backticks_in_prose_are_no_fence(read):
    assert read("```` ```bash ```` is how it begins.\n").blocks == []


@pytest.mark.parametrize(
    "text, line, complaint",
    [
        ("Text.\n\n    ```bash\n    x\n    ```", 7, "indented by 4 spaces where 0 are due"),
        ("- item\n\n        ```bash\n        x\n        ```", 7, "indented by 8 spaces where 4 are due"),
        ("1. item\n\n   ```bash\n   x\n   ```", 7, "indented by 3 spaces where 4 are due"),
        ("- item\n\nText.\n\n    ```bash\n    x\n    ```", 9, "indented by 4 spaces where 0 are due"),
        ("Text\n- no list for want of an empty line\n\n    ```bash\n    x\n    ```", 8, "by 4 spaces where 0 are due"),
        ("```bash\nx\n", 5, "never closed"),
        ("```bash\nx\n````\n", 5, "never closed"),
        ("- item\n\n    ```bash\n  x\n    ```", 8, "indented less than its fence (line 7)"),
        ("```bash\n```", 5, "is empty"),
        ("```bash\n\nx\n```", 5, "begins with an empty line"),
        ("```bash\nx  # (1)!\n```", 5, "no code annotation"),
        ("```output\nx\n```", 5, "follows the bash block"),
        ("```bash\nx\n```\n\n```output\n1\n```\n\n```output\n1\n```", 13, "follows the bash block"),
        ('```bash {run="no: why"}\nx\n```\n\n```output\n1\n```', 9, "follows the bash block"),
        ('=== "SQLite"\n\n    text', 5, "leave out postgresql"),
        ('=== "SQLite"\n\n    text\n\n=== "MariaDB"\n\n    text', 5, "mariadb"),
        ('=== "Linux"\n\n    ```bash\n    x\n    ```', 7, "which is not a database"),
    ],
)
def test_refuses_with_file_and_line(read, text, line, complaint):
    message = refusal(read, text)
    assert f"page.md:{line}: " in message
    assert complaint in message


def test_output_in_tabs_follows_the_block_above_the_tabs(read):
    page = read("""
        ```bash
        x
        ```

        === "SQLite"

            ```output
            1
            ```

        === "PostgreSQL"

            ```output
            2
            ```
    """)
    assert [block.database for block in page.blocks] == [None, "sqlite", "postgresql"]


def test_output_follows_on_every_database(read):
    message = refusal(
        read,
        '```bash\nx\n```\n\n=== "SQLite"\n\n    ```python\n    x\n    ```\n\n=== "PostgreSQL"\n\n    y\n\n'
        "```output\n1\n```",
    )
    assert message.endswith("(on sqlite)")


def test_unknown_database_in_front_matter(read):
    assert "unknown database 'oracle'" in refusal(read, "text", databases="[sqlite, oracle]")


def test_a_fence_from_a_snippet_is_found_and_blamed_there(read, tmp_path):
    (tmp_path / "docs" / "part.md").write_text("Text.\n\n```bsah\nx\n```\n")
    assert "docs/part.md:3: unknown language 'bsah'" in refusal(read, '--8<-- "docs/part.md"')

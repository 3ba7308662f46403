from __future__ import annotations

import pytest

STALE = """
```bash
printf '%s\\n' "took 3 s" a b new
```

```output
took [..] s
...
old
```

1.  In a list:

    ```bash
    printf '%s\\n' first "  second"
    ```

    ```output
    1
    2
    3
    ```
"""
FRESH = STALE.replace("\nold\n", "\nnew\n").replace("    1\n    2\n    3\n", "    first\n      second\n")


def test_outputs_are_rewritten_bottom_up_and_wildcards_stay(guide):
    page = guide.page(STALE)
    result = guide.run("--accept")
    result.assert_outcomes(passed=4)
    result.stdout.fnmatch_lines(["rewritten: docs/page.md:11", "rewritten: docs/page.md:23"])
    assert page.read_text().endswith(FRESH)
    assert not guide.ledger()["complete"] and "rewrote" in guide.ledger()["why"]
    guide.run("--accept").stdout.no_fnmatch_line("rewritten*")
    guide.run().assert_outcomes(passed=4)
    assert guide.ledger()["complete"]


def test_output_in_a_snippet_is_rewritten_there(guide):
    snippet = guide.write("snippets/out.txt", "# --8<-- [start:x]\nold\n# --8<-- [end:x]\n")
    page = guide.page('\n```bash\necho new\n```\n\n=== "SQLite"\n\n    ```output\n    --8<-- "snippets/out.txt:x"\n    ```\n')
    before = page.read_text()
    guide.run("--accept").stdout.fnmatch_lines(["rewritten: snippets/out.txt:2"])
    assert snippet.read_text() == "# --8<-- [start:x]\nnew\n# --8<-- [end:x]\n"
    assert page.read_text() == before


@pytest.mark.parametrize(
    "body, why",
    [
        ("echo $DATABASE", "sqlite and postgresql print different things; give each its tab"),
        ("[ $DATABASE = sqlite ] && echo old || echo new", "sqlite and postgresql print different things*"),
        ("true", "the block above prints nothing; delete this output block"),
        ("echo '```'", "the block above prints the marks of a fence*"),
    ],
)
def test_what_cannot_be_accepted_is_refused_and_left(guide, body, why):
    page = guide.page(f"\n```bash\n{body}\n```\n\n```output\nold\n```\n", databases="sqlite, postgresql")
    before = page.read_text()
    result = guide.run("--accept")
    result.stdout.fnmatch_lines([f"docs/page.md:11: {why}"])
    assert result.ret == 1
    assert page.read_text() == before


def test_a_failing_command_is_not_accepted(guide):
    guide.page("\n```bash\necho new; false\n```\n\n```output\nold\n```\n")
    guide.run("--accept").assert_outcomes(failed=1, skipped=1)


def test_refused_with_workers(guide):
    guide.page(STALE)
    result = guide.run("--accept", "-n", "2")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*--accept rewrites pages once, in one process*"])


def test_refused_where_ci_is_set(guide, monkeypatch):
    monkeypatch.setenv("CI", "true")
    assert guide.run("--accept").ret == pytest.ExitCode.USAGE_ERROR

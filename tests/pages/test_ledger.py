from __future__ import annotations

TWO = "\n```bash\necho a\n```\n\n```output\na\n```\n"


def test_row_of_a_block(guide):
    guide.page(TWO, databases="postgresql")
    guide.run()
    row = guide.rows()[0]
    assert isinstance(row.pop("seconds"), float)
    assert row.pop("django").startswith(("5.", "6.")) and row.pop("python").startswith("3.")
    assert row == {
        "page": "docs/page.md",
        "ordinal": 0,
        "database": "postgresql",
        "kind": "bash",
        "text": "echo a\n",
        "file": "docs/page.md",
        "line": 7,
        "result": "passed",
        "reason": "",
        "server": "18.1",
    }


def test_whole_run_is_complete(guide):
    guide.page(TWO, "one", databases="sqlite, mariadb")
    guide.write("docs/two.md", "# Two\n\n```text\nx\n```\n")
    guide.run()
    assert guide.ledger() == {
        "complete": True,
        "passed": True,
        "why": "",
        "pages": ["docs/one.md", "docs/two.md"],
        "absent": {"mariadb": "no server is installed"},
    }


def test_failed_run_is_complete_but_not_passed(guide):
    guide.page("\n```bash\nfalse\n```\n\n```bash\ntrue\n```\n")
    guide.run()
    assert (guide.ledger()["complete"], guide.ledger()["passed"]) == (True, False)


def test_partial_runs_say_so(guide):
    for name in ("one", "two"):
        guide.page(TWO, name)
    guide.run()
    for selection in (["docs/one.md"], ["-k", "one"], ["docs/one.md::sqlite,line:6"], ["--deselect", "docs/two.md"]):
        guide.run(*selection).stdout.fnmatch_lines(["this ledger is not complete: * docs/two.md"])
        assert not guide.ledger()["complete"]
        assert guide.ledger()["pages"] == ["docs/one.md"]


def test_run_that_stops_early_is_not_complete(guide):
    guide.page("\n```bash\nfalse\n```\n", "one")
    guide.page(TWO, "two")
    guide.run("-x")
    assert not guide.ledger()["complete"]


def test_page_that_cannot_be_read_leaves_no_complete_ledger(guide):
    guide.page("\n```shell\ntrue\n```\n")
    guide.run().stdout.fnmatch_lines(["this ledger is not complete: docs/page.md:6: unknown language*"])
    assert not guide.ledger()["complete"]


def test_run_without_pages_leaves_the_ledger_alone(guide):
    guide.page(TWO)
    guide.run()
    guide.write("tests/test_x.py", "def test_x(): pass\n")
    guide.pytester.runpytest_inprocess("tests").assert_outcomes(passed=1)
    guide.pytester.runpytest_inprocess("docs", "--collect-only")
    assert guide.ledger()["complete"] and guide.rows()


def test_summary_over_two_workers_names_all_that_was_not_proven(guide):
    guide.page(TWO + '\n```bash {run="no: pages a person"}\npager\n```\n', "one", databases="sqlite, mariadb")
    guide.page('\n```text title="app/x"\nx\n```\n\n```bash {requires="django>=99"}\ntrue\n```\n', "two")
    guide.run("-n", "2").stdout.fnmatch_lines(
        [
            "2 pages, 5 blocks",
            "SQLite *: 2 run, 1 written, 1 not run, 1 skipped",
            "MariaDB: not here: no server is installed",
            "not run: docs/one.md:15: pages a person",
            "skipped: docs/two.md:11: needs django>=99, this is *",
            "mismatches: 0",
        ]
    )

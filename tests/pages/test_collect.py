from __future__ import annotations

CHAIN = "".join(f"\n```bash\ntest {n} = 0 || test -f {n - 1}; touch {n}\n```\n" for n in range(4))


def test_every_kind_is_run_and_recorded(guide):
    guide.sample("kinds.md")
    result = guide.run("-v")
    result.assert_outcomes(passed=12, skipped=1)
    result.stdout.fnmatch_lines(["docs/kinds.md::sqlite,line:8 PASSED*"])
    kinds = {(row["kind"], row["result"]) for row in guide.rows()}
    assert kinds == {
        ("bash", "passed"),
        ("output", "passed"),
        ("python", "passed"),
        ("file", "written"),
        ("diff", "written"),
        ("illustration", "illustrated"),
        ("not run", "not run"),
    }


def test_wrong_output_names_its_line_and_stops_the_page(guide):
    guide.page("\n```bash\nprintf '%s\\n' one two\n```\n\n```output\none\nzwei\n```\n\n```bash\ntouch ran\n```\n")
    result = guide.run("-rs")
    result.assert_outcomes(failed=1, passed=1, skipped=1)
    result.stdout.fnmatch_lines(["docs/page.md:12: the block above printed something else", "-zwei", "+two"])
    result.stdout.fnmatch_lines(["SKIPPED*docs/page.md:15: blocked by the failure at docs/page.md:12"])
    assert guide.results() == {"sqlite:7": "passed", "sqlite:11": "failed", "sqlite:16": "blocked"}


def test_failure_in_a_snippet_names_the_snippets_line(guide):
    guide.write("runbooks/x/fix.sh", "# --8<-- [start:do]\necho one\nls /nowhere\n# --8<-- [end:do]\n")
    guide.page('\n```bash\n--8<-- "runbooks/x/fix.sh:do"\n```\n')
    guide.run().stdout.fnmatch_lines(["runbooks/x/fix.sh:3: exit 2, expected 0", "*cannot access*/nowhere*"])


def test_and_list_that_fails_at_the_end_of_a_block_fails(guide):
    guide.page("\n```bash\ntrue\nfalse && echo never\n```\n")
    guide.run().stdout.fnmatch_lines(["docs/page.md:*: exit 1, expected 0"])


def test_demanded_status_is_met_and_the_shell_goes_on(guide):
    guide.page('\n```bash {exit="3"}\nkept=yes\n(exit 3)\n```\n\n```bash\ntest $kept = yes\n```\n')
    guide.run().assert_outcomes(passed=2)


def test_demanded_status_that_does_not_come_fails(guide):
    guide.page('\n```bash {exit="3"}\ntrue\n```\n')
    guide.run().stdout.fnmatch_lines(["docs/page.md:7: exit 0, expected 3"])


def test_demanded_status_before_the_last_command_fails(guide):
    guide.page('\n```bash {exit="1"}\nfalse\necho never\n```\n')
    guide.run().stdout.fnmatch_lines(["docs/page.md:8: never run: the block had ended*"])


def test_demanded_status_of_a_command_of_several_lines(guide):
    guide.page('\n```bash {exit="1"}\nfalse \\\n  with words <<END\ntext\nEND\n\n# all was run\n```\n')
    guide.run().assert_outcomes(passed=1)


def test_exit_in_a_block_fails_even_if_demanded(guide):
    guide.page('\n```bash {exit="3"}\nexit 3\n```\n\n```bash\ntrue\n```\n')
    result = guide.run()
    result.assert_outcomes(failed=1, skipped=1)
    result.stdout.fnmatch_lines(["docs/page.md:7: exit 3 ended the shell: a reader's terminal would close"])


def test_block_that_hangs_is_stopped(guide):
    guide.page('\n```bash {timeout="0.3"}\necho started\nsleep 60\n```\n')
    guide.run().stdout.fnmatch_lines(["docs/page.md:7: still running after 0.3 s, and stopped", "started"])


def test_error_in_python_names_its_line(guide):
    guide.page("\n```python\nx = 1\nraise ValueError(x)\n```\n")
    guide.run().stdout.fnmatch_lines(["docs/page.md:8: exit 1, expected 0", "*ValueError: 1"])


def test_diff_that_does_not_apply_names_its_line(guide):
    guide.page('\n```diff title="./manage.py"\n-not there\n+new\n```\n')
    guide.run().stdout.fnmatch_lines(["docs/page.md:7: does not apply to ./manage.py: its old lines occur 0 times*"])


def test_file_outside_the_project_is_refused(guide):
    guide.page('\n```bash\nln -s /tmp away\n```\n\n```text title="away/escaped"\nx\n```\n')
    guide.run().stdout.fnmatch_lines(["docs/page.md:11: away/escaped lies outside the project; nothing was written"])


def test_output_outside_tabs_holds_for_all_databases_and_in_a_tab_for_one(guide):
    guide.sample("tabs.md")
    guide.run().assert_outcomes(passed=10)
    guide.write("docs/tabs.md", guide.sample("tabs.md").read_text().replace("    this is postgresql", "    this is sqlite"))
    result = guide.run("-v")
    result.assert_outcomes(passed=8, failed=1, skipped=1)
    result.stdout.fnmatch_lines(["*::postgresql,line:* FAILED*"])


def test_paths_of_the_sandbox_are_shown_as_the_readers(guide):
    guide.page("\n```bash\npwd\necho $HOME/x\n```\n\n```output\n/srv/acharya\n/home/reader/x\n```\n")
    guide.run().assert_outcomes(passed=2)


def test_missing_database_is_skipped_once_a_page_with_its_reason(guide):
    guide.page("\n```bash\ntrue\n```\n\n```text\nshown\n```\n", databases="sqlite, mariadb")
    result = guide.run("-rs")
    result.assert_outcomes(passed=2, skipped=1)
    result.stdout.fnmatch_lines(["SKIPPED*docs/page.md:1: no server is installed", "*"])
    result.stdout.fnmatch_lines(["MariaDB: not here: no server is installed"])
    assert guide.results()["mariadb:7"] == "skipped" and guide.results()["mariadb:11"] == "illustrated"


def test_requirement_that_is_not_met_skips_the_block_and_its_output(guide):
    guide.page('\n```bash {requires="django>=99"}\nfalse\n```\n\n```output\nx\n```\n\n```bash\ntrue\n```\n')
    result = guide.run("-rs")
    result.assert_outcomes(passed=1, skipped=2)
    result.stdout.fnmatch_lines(["SKIPPED*needs django>=99, this is *"])


def test_world_that_cannot_be_built_fails_once(guide):
    guide.page("\n```bash\ntrue\n```\n\n```bash\ntrue\n```\n").write_text(
        guide.page("\n```bash\ntrue\n```\n\n```bash\ntrue\n```\n").read_text().replace("healthy", "impossible")
    )
    result = guide.run()
    result.assert_outcomes(failed=1, skipped=1)
    result.stdout.fnmatch_lines(["docs/page.md:1: no sandbox of the world 'impossible': reproduce.sh ended *"])


def test_unknown_fence_fails_the_collection(guide):
    guide.page("\n```shell\ntrue\n```\n")
    result = guide.run()
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["docs/page.md:6: unknown language 'shell'*"])


def test_page_that_runs_something_names_its_world_and_databases(guide):
    guide.write("docs/page.md", "# No front matter\n\n```bash\ntrue\n```\n")
    result = guide.run()
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["docs/page.md:1: *its front matter needs world and databases"])


def test_page_that_runs_nothing_needs_no_front_matter(guide):
    guide.write("docs/page.md", "# Facts\n\n```sql\nselect 1;\n```\n")
    guide.run("-v").stdout.fnmatch_lines(["docs/page.md::line:3 PASSED*"])
    assert guide.results() == {"None:4": "illustrated"}


def test_selected_block_brings_the_blocks_above_it(guide):
    guide.page(CHAIN, databases="sqlite, postgresql")
    guide.run("-k", "postgresql and line:14").assert_outcomes(passed=3, deselected=7)
    guide.run("docs/page.md::sqlite,line:10").assert_outcomes(passed=2)


def test_last_failed_brings_the_blocks_above_it(guide):
    page = guide.page(CHAIN + "\n```bash\nfalse\n```\n")
    guide.run().assert_outcomes(passed=4, failed=1)
    page.write_text(page.read_text().replace("false", "test -f 3"))
    guide.run("--lf").assert_outcomes(passed=5)


def test_pages_are_kept_whole_by_two_workers(guide):
    for name in "abc":
        guide.page(CHAIN, name)
    guide.run("-n", "2").assert_outcomes(passed=12)
    assert guide.ledger()["complete"]


def test_ids_are_unique_where_a_snippet_brings_a_fence_with_the_same_line(guide):
    guide.write("snippets/block.md", "\n" * 10 + "```bash\ntrue\n```\n")
    guide.page('\n```bash\ntrue\n```\n\n--8<-- "snippets/block.md"\n\n```bash\ntrue\n```\n')
    result = guide.run("-v")
    result.assert_outcomes(passed=3)
    result.stdout.fnmatch_lines([f"*::sqlite,{name} PASSED*" for name in ("line:6", "line:11", "line:12")])


def test_in_ci_commands_on_a_pages_first_database_are_not_started_warm(guide, monkeypatch):
    started = guide.root / "started"
    guide.page(f'\n```bash\necho "$DATABASE $WARM" >> {started}\n```\n', databases="sqlite, postgresql")
    guide.run()
    monkeypatch.setenv("CI", "true")
    guide.run()
    assert started.read_text().splitlines() == ["sqlite True", "postgresql True", "sqlite False", "postgresql True"]

"""From the page to the reader: a small site is built by MkDocs, run (here: recorded), and compared."""

from __future__ import annotations

import os
import subprocess
import sys
from textwrap import dedent

import pytest
from migration_runbooks.pages.blocks import read_page
from migration_runbooks.pages.ledger import Ledger, clear, close, on, variants
from migration_runbooks.pages.requests import external_requests
from migration_runbooks.pages.run_page import Result
from migration_runbooks.pages.site_check import check_site

CONFIGURATION = """
site_name: A small site
use_directory_urls: {directories}
theme: {{name: material, font: false, features: [content.code.copy]}}
plugins: []
validation: {{links: {{anchors: warn}}}}
markdown_extensions:
  - admonition
  - md_in_html
  - tables
  - toc: {{permalink: "#"}}
  - pymdownx.details
  - pymdownx.tabbed: {{alternate_style: true}}
  - mkdocs-click
  - migration_runbooks.pages.extension: {{root: {root}}}
"""
INDEX = """\
---
title: Home
databases: [sqlite, postgresql]
---

# Home

```bash
export BACKUP=yes
echo "$BACKUP" | tr y Y
```

```output
Yes
```

=== "SQLite"

    ```bash {exit="1"}
    --8<-- "fix.sh:a"
    ```

=== "PostgreSQL"

    ```python title="app/models.py"
    a = "<b>"
    ```

```bash {run="no: pages a person"}
page
```
"""
RESULTS = {"file": "written", "not run": "not run", "illustration": "illustrated"}


class Site:
    def __init__(self, root, directories):
        self.root = root
        self.page = root / "docs" / "index.md"
        (root / "docs" / "deep").mkdir(parents=True)
        (root / "fix.sh").write_text("# --8<-- [start:a]\n  if false; then\n  \techo no\n  fi\n# --8<-- [end:a]\n")
        (root / "mkdocs.yml").write_text(dedent(CONFIGURATION).format(root=root, directories=directories))
        (root / "docs" / "deep" / "page.md").write_text("# Deep\n\n```sql\nSELECT 1;\n```\n")
        self.page.write_text(INDEX)

    def build(self):
        mkdocs = [sys.executable, "-m", "mkdocs", "build", "--strict"]
        environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
        return subprocess.run(mkdocs, cwd=self.root, env=environment, capture_output=True, text=True)

    def record(self, absent=()):
        """Write the ledger of a run in which every block did what its page says."""
        ledger = Ledger(self.root / "build" / "ledger", self.root)
        clear(ledger.folder)
        for file in sorted((self.root / "docs").rglob("*.md")):
            page = read_page(file, self.root)
            for database in variants(page):
                for block in on(page, database):
                    result = RESULTS.get(block.fence.kind, "passed")
                    if database in absent and result in ("passed", "written"):
                        result = "skipped"
                    ledger.write(Result(block, database, result, block.fence.not_run or ""))
        close(ledger.folder, self.root, dict.fromkeys(absent, "it is not installed"), False)

    def check(self):
        return check_site(self.root / "site", self.root / "build" / "ledger", self.root / "docs")

    def edit(self, old, new):
        assert old in self.page.read_text()
        self.page.write_text(self.page.read_text().replace(old, new))


@pytest.fixture(scope="module", params=["true", "false"], ids=["directories", "files"])
def built(request, tmp_path_factory):
    site = Site(tmp_path_factory.mktemp("site"), request.param)
    site.record()
    built = site.build()
    assert built.returncode == 0, built.stderr
    return site


@pytest.fixture
def site(built):
    """The built site, to be changed; pages, HTML and ledger are put back."""
    folders = ("docs", "site", "build")
    files = [file for folder in folders for file in (built.root / folder).rglob("*") if file.is_file()]
    kept = {file: file.read_bytes() for file in files}
    yield built
    for file, content in kept.items():
        if not file.is_file() or file.read_bytes() != content:
            file.write_bytes(content)


def test_a_site_that_shows_what_was_run_passes(site):
    check = site.check()
    assert check.mismatches == []
    assert (check.numbers["pages"], check.numbers["blocks"]) == (2, 6)
    assert (check.numbers["passed"], check.numbers["written"], check.numbers["not run"]) == (5, 1, 2)
    assert check.reasons == {"not run: pages a person": 2}


def test_from_the_command_line(site):
    command = [sys.executable, "-m", "migration_runbooks.pages.site_check", "site/", "build/ledger/", "docs/"]
    done = subprocess.run(command, cwd=site.root, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[-1].startswith("site check: 2 pages, 6 blocks; 5 passed, 1 written,")
    site.edit("export BACKUP=yes", "export BACKUP=no")
    site.record()
    done = subprocess.run(command, cwd=site.root, capture_output=True, text=True)
    assert done.returncode == 1
    assert "docs/index.md:8: the reader copies 'export BACKUP=yes' but CI ran 'export BACKUP=no'" in done.stdout
    assert done.stdout.splitlines()[-1].endswith(" 2 mismatches")


def test_a_page_edited_after_the_tests_and_built_again_fails(tmp_path):
    site = Site(tmp_path, "true")
    site.record()
    site.edit("export BACKUP=yes", "export BACKUP=no")
    assert site.build().returncode == 0
    (first, second) = site.check().mismatches
    assert first == second
    assert first.endswith("docs/index.md:8: the reader copies 'export BACKUP=no' but CI ran 'export BACKUP=yes'")


@pytest.mark.parametrize(
    "old, new, complaint",
    [
        (
            'data-run="bash" data-block="0"',
            'data-run="file" data-block="0"',
            "of kind 'file' but CI took it for 'bash'",
        ),
        ('data-block="0"', 'data-block="1"', "shows the blocks [1, 1, 2, 3, 4], and they are [0, 1, 2, 3, 4]"),
        ("no-copy", "", "this block (output) has a copy button"),
        ("</article>", "<pre><code>rm -r x</code></pre></article>", "the reader copies 'rm -r x', which is no block"),
        ('data-run="bash"', 'data-copy="other" data-run="bash"', "the reader copies 'other' but CI ran"),
    ],
)
def test_html_that_is_not_the_page_fails(site, old, new, complaint):
    html = site.root / "site" / "index.html"
    assert old in html.read_text()
    html.write_text(html.read_text().replace(old, new))
    assert any(complaint in mismatch for mismatch in site.check().mismatches)


def test_a_page_missing_in_the_site_fails(site):
    (site.root / "docs" / "new.md").write_text("# New\n")
    try:
        assert any("docs/new.md: this page is not in the site" in mismatch for mismatch in site.check().mismatches)
    finally:
        (site.root / "docs" / "new.md").unlink()


def test_a_block_that_ci_did_not_meet_fails(site):
    lines = (site.root / "build/ledger/main.jsonl").read_text().splitlines(keepends=True)
    (site.root / "build/ledger/main.jsonl").write_text("".join(line for line in lines if '"postgresql"' not in line))
    mismatches = site.check().mismatches
    assert any("CI did not meet 'export BACKUP=yes' on postgresql" in mismatch for mismatch in mismatches)


def test_a_block_that_failed_fails(site):
    ledger = site.root / "build" / "ledger" / "main.jsonl"
    ledger.write_text(ledger.read_text().replace('"result": "passed"', '"result": "failed"', 1))
    assert any("CI ran it on sqlite and it failed" in mismatch for mismatch in site.check().mismatches)


def test_an_absent_database_is_said_and_counted(site):
    site.record(absent=["postgresql"])
    check = site.check()
    assert check.mismatches == [] and check.numbers["skipped"] == 3
    assert "postgresql was not in this run: it is not installed" in check.reasons


@pytest.mark.parametrize("file", ["main.jsonl", "run.json"])
def test_a_ledger_that_is_not_whole_fails(site, file):
    (site.root / "build" / "ledger" / file).unlink()
    assert site.check().mismatches


@pytest.mark.parametrize(
    "text, message",
    [
        ("```bsah\nx\n```\n", "unknown language 'bsah'"),
        ("    ```bash\n    x\n    ```\n", "this fence is indented by 4 spaces"),
        ('--8<-- "fix.sh:b"\n', "section 'b' of "),
    ],
)
def test_a_page_outside_the_grammar_stops_mkdocs(tmp_path, text, message):
    site = Site(tmp_path, "true")
    site.page.write_text(INDEX + "\nEnd.\n\n" + text)
    line = INDEX.count("\n") + 4
    built = site.build()
    assert built.returncode != 0
    assert f"docs/index.md:{line}: {message}" in built.stderr
    assert "Traceback" not in built.stderr


HOST = "https://fonts.example"


@pytest.mark.parametrize(
    "name, text",
    [
        ("a.html", f'<script src="{HOST}/x.js"></script>'),
        ("a.html", '<script src="//fonts.example/x.js"></script>'),
        ("a.html", f'<link rel="stylesheet" href="{HOST}/x.css">'),
        ("a.html", f'<link href="{HOST}" rel="preconnect" crossorigin>'),
        ("a.html", f'<img src="{HOST}/x.png">'),
        ("a.html", f'<img srcset="x.png 1x, {HOST}/x.png 2x">'),
        ("a.html", f'<iframe src="{HOST}"></iframe>'),
        ("a.html", f"<style>@font-face {{ src: url({HOST}/x.woff2) }}</style>"),
        ("a.html", f"<p style=\"background: url('{HOST}/x.png')\">"),
        ("a.css", f"p {{ background: url( '{HOST}/x.png' ) }}"),
        ("a.css", f'@import "{HOST}/x.css";'),
    ],
)
def test_a_request_to_another_host_is_found(tmp_path, name, text):
    (tmp_path / name).write_text(text)
    ((place, address),) = external_requests(tmp_path)
    assert name in place and "fonts.example" in address


def test_links_and_own_files_are_no_requests(tmp_path):
    own = (
        '<a href="https://x.example"></a><link rel="canonical" href="https://x.example"><img src="/a.png"><p style="a">'
    )
    (tmp_path / "a.html").write_text(own)
    (tmp_path / "a.css").write_text("p { background: url(data:image/svg+xml;utf8,//) }")
    assert list(external_requests(tmp_path)) == []

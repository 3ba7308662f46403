"""The quick reference: each command runs, changes no more than its label says, and the page prints on one sheet."""

from __future__ import annotations

import re

import pytest
from built_site import built
from chromium import open_browser
from migration_runbooks.worlds import open_sandbox
from tables import rows

COMMANDS = {row[1]: row[2] for row in rows("reference/quick-reference.md", "Task")[1:]}
STANDS_FOR = {"<app>": "fees", "<number>": "0011", "<what>": "adjust", "<first>": "0010", "<last>": "0012"}
PAGE = "reference/quick-reference/index.html"
PRINTED_PAGE = re.compile(rb"/Type\s*/Page\b")
CHANGED = {
    "Reads only": set(),
    "Changes files": {"files"},
    "Changes migration records": {"records"},
    "Changes schema": set(),  # nothing waits in a healthy project
    "Destroys data": {"records", "database"},
}
NOTHING_TO_DO = ("makemigrations <app> --name <what>", "makemigrations --merge", "migrate <app> --prune")
"""In a healthy project these have nothing to change, and say so."""


@pytest.mark.parametrize("command", COMMANDS)
def test_command_changes_what_its_label_says(command, tmp_path):
    argv = [STANDS_FOR.get(word, word) for word in command.split()]
    with open_sandbox("healthy", "sqlite", tmp_path) as sandbox:
        before = state(sandbox)
        done = sandbox.manage(*argv, "--noinput") if "squash" in command else sandbox.manage(*argv)
        after = state(sandbox)
    assert done.status == 0, done.output
    changed = {name for name in before if before[name] != after[name]}
    assert changed == (set() if command in NOTHING_TO_DO else CHANGED[COMMANDS[command]])


def state(sandbox) -> dict:
    records = sandbox.execute("SELECT app, name FROM django_migrations ORDER BY app, name")
    ignored = ["django_migrations", "django_content_type", "auth_permission", "sqlite_sequence"]
    return {"files": sandbox.files(), "records": records, "database": sandbox.snapshot(ignore=ignored)}


def test_it_prints_on_one_sheet_of_a4():
    with open_browser("the page was not printed") as browser:
        page = browser.new_page()
        page.goto((built().whatever_warnings() / PAGE).as_uri())
        printed = page.pdf(prefer_css_page_size=True)
    assert len(PRINTED_PAGE.findall(printed)) == 1

"""Projects that others have published are clean: nothing is found that isn't so.

What they do ship wrong is one warning that names the app, or an error that a test proves to be one.
"""

from __future__ import annotations

import json
import os
from functools import cache
from pathlib import Path

import pytest
from migration_runbooks.worlds import DATABASES, available, open_sandbox, scratch
from migration_runbooks.worlds.locked import EnvironmentMissing
from published import published

PROJECTS = {"wiki": "6.0", "cms": "6.1", "helpdesk": "6.1", "spirit": "5.2", "wagtail": "6.1", "oscar": "5.2"}
"""By the Django that each is tested on."""

LARGE = ("wagtail", "oscar")
SHIPPED = {"cms": [("stale-content-type", "warning", "cms.staticplaceholder")]}
"""What a release leaves behind in every new database: a migration of this one asks for the content type of a model that a later one deletes."""

FIXTURE = ("helpdesk", "postgresql")
INSERT = "from helpdesk.models import EmailTemplate; EmailTemplate.objects.create(template_name='x', heading='x', plain_text='x', html='x')"


@pytest.fixture
def opened(name, database, tmp_path):
    """The project, migrated, on that database. The test is skipped, with the reason, where there can be none."""
    if name in LARGE and database != "sqlite" and not os.environ.get("CI"):
        pytest.skip(f"{name} has hundreds of migrations: on {database} only continuous integration runs them, or `CI=1 scripts/test`")
    if reason := available(database):
        pytest.skip(reason)
    try:
        project = published(name)
    except EnvironmentMissing as missing:
        pytest.skip(f"{name} is not available: {missing}")
    with open_sandbox("healthy", database, tmp_path, project) as sandbox:
        yield sandbox


@cache
def replayed(environment: Path, database: str) -> Path:
    """Where the expected schema of a project lies: two sandboxes of one world replay it once."""
    return scratch()


def findings(sandbox) -> list[tuple[str, str, str]]:
    place = replayed(sandbox.kind.environment, sandbox.database)
    done = sandbox.manage("check_migration_integrity", "--format=json", f"--cache-dir={place}", timeout=600)
    assert done.stdout.startswith("{"), done.output
    report = json.loads(done.stdout)
    assert report["not_checked"] == []
    return [(each["id"], each["level"], each["object"]) for each in report["findings"]]


@pytest.mark.parametrize("database", DATABASES)
@pytest.mark.parametrize("name", PROJECTS)
def test_published_project_is_clean(name, database, opened):
    assert opened.manage("version").stdout.startswith(f"{PROJECTS[name]}.")
    behind = [("sequence-behind", "error", "helpdesk_emailtemplate.id")] if (name, database) == FIXTURE else []
    assert findings(opened) == SHIPPED.get(name, []) + behind


@pytest.mark.parametrize(("name", "database"), [FIXTURE])
def test_sequence_that_a_published_fixture_left_behind_does_break_inserts(opened):
    """A migration of Helpdesk loads rows with their keys, and moves no sequence: PostgreSQL alone minds."""
    done = opened.manage("shell", "-c", INSERT)
    assert done.status != 0 and 'duplicate key value violates unique constraint "helpdesk_emailtemplate_pkey"' in done.output
    opened.execute("SELECT setval('helpdesk_emailtemplate_id_seq', (SELECT max(id) FROM helpdesk_emailtemplate))")
    assert opened.manage("shell", "-c", INSERT).status == 0
    assert findings(opened) == []

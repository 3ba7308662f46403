from __future__ import annotations

import os

import pytest
from migration_runbooks.pages.blocks import read_page
from migration_runbooks.pages.run_page import PageRun, run_page

PAGE = """\
---
world: healthy
databases: [sqlite, postgresql]
---
# Repair

```bash
# Undo
touch fixed
```

=== "SQLite"

    ```bash
    touch sqlite
    ```

=== "PostgreSQL"

    ```bash
    touch postgresql
    ```

## Undo

```bash
rm fixed
```
"""


class Sandbox:
    def __init__(self, project):
        self.project = project
        self.environment = {"PATH": os.environ["PATH"]}


@pytest.fixture
def page(tmp_path):
    file = tmp_path / "page.md"
    file.write_text(PAGE)
    return file


@pytest.fixture
def project(tmp_path):
    folder = tmp_path / "project"
    folder.mkdir()
    return folder


def names(project):
    return sorted(path.name for path in project.iterdir())


def test_runs_the_blocks_of_one_database(page, project):
    results = run_page(page, "postgresql", Sandbox(project))
    assert [result.result for result in results] == ["passed"] * 3
    assert names(project) == ["postgresql"]


def test_stops_before_a_heading_and_goes_on_from_there(page, project):
    with PageRun(read_page(page), "sqlite", lambda: Sandbox(project)) as run:
        assert len(run.until("Undo")) == 2
        assert names(project) == ["fixed", "sqlite"]
        assert len(run.until()) == 1
    assert names(project) == ["sqlite"]


def test_unknown_heading_is_refused_before_anything_is_run(page, project):
    with pytest.raises(ValueError, match="has no heading 'Verify'"):
        run_page(page, "sqlite", Sandbox(project), until="Verify")
    assert names(project) == []


def test_blocks_after_a_failure_are_blocked(page, project):
    page.write_text(PAGE.replace("touch fixed", "false"))
    results = run_page(page, "sqlite", Sandbox(project))
    assert [result.result for result in results] == ["failed", "blocked", "blocked"]
    assert results[1].reason.endswith("page.md:9")

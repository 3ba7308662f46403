"""The page of a runbook that has an undo must end as it began."""

from __future__ import annotations

import pytest
from migration_runbooks.pages import ending
from migration_runbooks.pages.blocks import read_page
from migration_runbooks.pages.collect import PageSybil, Surroundings
from migration_runbooks.pages.ledger import Ledger
from migration_runbooks.paths import DOCS
from migration_runbooks.worlds import open_sandbox
from sybil.example import SybilFailure

PAGE = """---
world: healthy
databases: [sqlite]
---
```bash
uv run manage.py migrate --check
```

```bash
{last}
```
"""
CHANGE = "uv run manage.py shell -v 0 -c 'from fees.models import FeeHead; FeeHead.objects.update(amount=1)'; touch new.txt"


@pytest.mark.parametrize(
    ("page", "database", "expected"),
    [
        ("runbooks/fill-null-values.md", "sqlite", True),
        ("runbooks/fill-null-values.md", "mariadb", True),
        ("runbooks/rebuild-invalid-index.md", "postgresql", False),
        ("errors/null-values-found.md", "sqlite", False),
        ("runbooks/index.md", None, False),
    ],
)
def test_it_is_asked_of_the_pages_of_runbooks_with_an_undo(page, database, expected):
    assert ending.undoes(read_page(DOCS / page), database) is expected


def blocks_of(folder, monkeypatch, last: str):
    """Return the blocks of a page that counts as the one of a runbook with an undo, ready to run."""
    monkeypatch.setattr(ending, "DOCS", folder / "docs")
    page = folder / "docs" / "runbooks" / "fill-null-values.md"
    page.parent.mkdir(parents=True)
    page.write_text(PAGE.format(last=last))

    def opened(world, database, warm, stack):
        return stack.enter_context(open_sandbox(world, database, folder / "sandbox"))

    ledger = Ledger(folder / "ledger", folder, "main")
    sybil = PageSybil("sqlite", Surroundings(folder, opened, lambda database: "", ledger, None))
    document = sybil.parse(page)
    return list(document.examples()), document.namespace["run"].opened


def test_the_last_block_fails_where_a_row_or_a_file_is_another(tmp_path, monkeypatch):
    (first, last), opened = blocks_of(tmp_path, monkeypatch, CHANGE)
    with opened:
        first.evaluate()
        with pytest.raises(SybilFailure) as failure:
            last.evaluate()
    assert "fill-null-values.md:9: the page does not end as it began:" in failure.value.result
    assert "fees_feehead" in failure.value.result and "file new.txt" in failure.value.result
    assert '"failed"' in next((tmp_path / "ledger").iterdir()).read_text()


def test_a_page_that_puts_everything_back_passes(tmp_path, monkeypatch):
    (first, last), opened = blocks_of(tmp_path, monkeypatch, "touch new.txt; rm new.txt")
    with opened:
        first.evaluate()
        last.evaluate()

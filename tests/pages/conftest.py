"""Sample pages, run by a pytest of their own on sandboxes that are empty folders."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from migration_runbooks.pages import requirements

SAMPLES = Path(__file__).parent / "samples"


class Guide:
    """A small checkout: docs/, snippets beside it, and a conftest.py with its own sandboxes."""

    def __init__(self, pytester: pytest.Pytester):
        self.pytester = pytester
        self.root = pytester.path
        pytester.makeini("[pytest]\naddopts = -p migration_runbooks.pages.pytest_plugin --dist loadfile")
        shutil.copy(SAMPLES / "sandboxes.py", self.root / "conftest.py")

    def write(self, path: str, text: str) -> Path:
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
        return file

    def page(self, body: str, name: str = "page", databases: str = "sqlite") -> Path:
        """Write docs/`name`.md; its body begins at line 5."""
        return self.write(f"docs/{name}.md", f"---\nworld: healthy\ndatabases: [{databases}]\n---\n{body}")

    def sample(self, name: str) -> Path:
        return self.write(f"docs/{name}", (SAMPLES / name).read_text(encoding="utf-8"))

    def run(self, *arguments: str) -> pytest.RunResult:
        """Run pytest over docs/, or over the part of it that the arguments name."""
        part = [] if any(argument.startswith("docs/") for argument in arguments) else ["docs"]
        return self.pytester.runpytest_inprocess(*arguments, *part)

    def results(self) -> dict[str, str]:
        """Database and line in the page's file to result, from the ledger."""
        return {f"{row['database']}:{row['line']}": row["result"] for row in self.rows()}

    def rows(self) -> list[dict]:
        files = sorted((self.root / "build/ledger").glob("*.jsonl"))
        return [json.loads(line) for file in files for line in file.read_text(encoding="utf-8").splitlines()]

    def ledger(self) -> dict:
        return json.loads((self.root / "build/ledger/run.json").read_text(encoding="utf-8"))


@pytest.fixture
def guide(pytester, monkeypatch) -> Guide:
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.setattr(requirements, "_versions", {})  # a real server's, when this process has run pages before
    return Guide(pytester)

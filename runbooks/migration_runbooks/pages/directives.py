"""Lines such as `::: runbook-facts SLUG`: facts that are written once, in TOML or in the ledger, shown on a page."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path

from migration_runbooks.catalogue.errors import Error, all_errors
from migration_runbooks.catalogue.runbooks import RISKS, NoSuchRunbook, Runbook, all_runbooks, find

from .blocks import Page
from .fences import FenceError
from .runs import ledger_rows
from .snippets import Line, shown

DIRECTIVE = re.compile(r"(?P<indentation> *)::: *(?P<name>[\w-]+) *(?P<argument>\S*)\s*")
OTHERS = ("mkdocs-click",)
SAMPLE = "The commands of this page run on a sample project, a school. Where they name its apps, such as `fees` or `students`, put your own."
MODULE = re.compile(r"^django\.[\w.]+\.(?=\w+:)")
CODE = re.compile(r"(`+.+?`+|<br>)")
NAMES = {"sqlite": "SQLite", "postgresql": "PostgreSQL", "mariadb": "MariaDB"}


def expanded(line: Line, page: Page, root: Path) -> list[str]:
    """Return the lines that a line stands for: itself, unless it is a directive.

    Raises FenceError `file:line: why` for a directive, a slug or an argument that is not known.
    """
    directive = DIRECTIVE.fullmatch(line)
    if not directive or directive["name"] in OTHERS:
        return [str(line)]
    name, argument = directive["name"], directive["argument"]
    try:
        return [directive["indentation"] + text if text else "" for text in _rendered(name, argument, page, root)]
    except (FenceError, NoSuchRunbook) as problem:
        raise FenceError(f"{shown(line.origin[0])}:{line.origin[1]}: {problem}") from None


def _rendered(name: str, argument: str, page: Page, root: Path) -> list[str]:
    if name in OF_ONE:
        find_one, render = OF_ONE[name]
        return render(find_one(argument), page, root)
    if name in OF_ALL:
        this = page.path.relative_to(root).as_posix()
        if argument not in ("", this):
            raise FenceError(f"::: {name} may name this page alone, {this}, and not '{argument}'")
        return OF_ALL[name](page, root)
    raise FenceError(f"unknown directive '{name}': there are {', '.join([*OF_ONE, *OF_ALL, *OTHERS])}")


def runbook_facts(runbook: Runbook, page: Page, root: Path) -> list[str]:
    repairs = [_link(error, "errors", page, root) for error in all_errors() if error.slug in runbook.errors]
    rows = [
        ("Repairs", ", ".join(repairs)),
        ("Databases", _databases(runbook.databases)),
        ("Locks", runbook.locks),
        ("Takes", runbook.duration),
        *((step.capitalize(), f"**{risk}**") for step, risk in runbook.risk.items() if step != "reproduce"),
        ("Going back", runbook.undo),
    ]
    return _table(("Fact", "This runbook"), [row for row in rows if row[1]])


def runbook_inputs(runbook: Runbook, page: Page, root: Path) -> list[str]:
    if not runbook.inputs:
        return ["This runbook needs no inputs."]
    rows = [
        (f"`{one.name}`", one.meaning, one.found, f"`{one.example}`" if one.example else "empty")
        for one in runbook.inputs
    ]
    return _table(("Input", "Meaning", "How to find it", "In the sample project"), rows)


def error_messages(error: Error, page: Page, root: Path) -> list[str]:
    lines = []
    for databases, messages in groupby(error.messages, lambda message: message.databases):
        lines += [f"{_databases(databases)}:", ""]
        for message in messages:
            lines += ["```text", *message.text.strip().split("\n"), "```", ""]
    return [*lines, SAMPLE]


def runbook_index(page: Page, root: Path) -> list[str]:
    rows = [
        (_link(runbook, "runbooks", page, root), runbook.summary, _most(runbook), _databases(runbook.databases))
        for runbook in all_runbooks()
    ]
    return _table(("Runbook", "What it does", "Risk", "Databases"), rows)


def error_index(page: Page, root: Path) -> list[str]:
    """A list, not a table: on a telephone too, readers compare their message with whole messages."""
    lines = [""]
    for error in sorted(all_errors(), key=lambda error: error.title):
        messages = dict.fromkeys(message.text.strip().replace("\n", " ") for message in error.messages)
        lines.append(f"- **{_link(error, 'errors', page, root)}**. {error.summary} {error.at_risk}")
        lines += ["", *(f"    - {_code(text)}" for text in messages), ""]
    return lines


def _code(text: str) -> str:
    return f"`` {text} ``" if "`" in text else f"`{text}`"


def tested_with(page: Page, root: Path) -> list[str]:
    ledger = root / "build" / "ledger"
    name = page.path.relative_to(root).as_posix()
    rows = [row for row in ledger_rows(ledger) if row["page"] == name and row["database"]]
    if not rows:
        return ["Not tested in this build."]
    latest = max(file.stat().st_mtime for file in ledger.glob("*.jsonl"))
    groups: dict[tuple, list[dict]] = {}
    for row in rows:
        groups.setdefault((row["database"], row["server"], row["django"], row["python"]), []).append(row)
    table = [
        (row_server or NAMES[database], django, python, *_counts(group))
        for (database, row_server, django, python), group in groups.items()
    ]
    return [
        *_table(("Database", "Django", "Python", "Passed", "Not run"), table),
        "",
        *_reasons(rows),
        f"Run on {datetime.fromtimestamp(latest, UTC):%-d %B %Y}.",
    ]


def _counts(rows: list[dict]) -> tuple[str, str]:
    counted = [row for row in rows if row["result"] != "illustrated"]
    passed = sum(row["result"] in ("passed", "written") for row in counted)
    return f"{passed} of {len(counted)}", str(len(counted) - passed)


def _reasons(rows: list[dict]) -> list[str]:
    reasons = dict.fromkeys(
        row["reason"] for row in rows if row["result"] in ("not run", "skipped", "blocked", "failed")
    )
    return [*(f"- Not run: {reason}" for reason in reasons), ""] if reasons else []


def _most(runbook: Runbook) -> str:
    """The most that a runbook's steps change, apart from what breaks a project to practise on."""
    return max((risk for step, risk in runbook.risk.items() if step != "reproduce"), key=RISKS.index)


def _code(text: str) -> str:
    """A message as code; the module of Django's exception, which nobody reads, is left out."""
    ticks = "``" if "`" in text else "`"
    return ticks + MODULE.sub("", text).replace("\n", " ") + ticks


def _databases(names: tuple[str, ...]) -> str:
    return ", ".join(NAMES[name] for name in names)


def _link(item: Runbook | Error, folder: str, page: Page, root: Path) -> str:
    target = os.path.relpath(root / "docs" / folder / f"{item.slug}.md", page.path.parent)
    return f"[{item.title}]({Path(target).as_posix()})"


def _table(header: tuple[str, ...], rows: list[tuple[str, ...]]) -> list[str]:
    cells = [header, ("---",) * len(header), *rows]
    return ["", *("| " + " | ".join(map(_cell, row)) + " |" for row in cells), ""]


def _cell(text: str) -> str:
    """Keep `<placeholders>` outside of code from being taken for HTML, and bars from ending the cell."""
    parts = CODE.split(" ".join(text.split()))
    return "".join(part if index % 2 else part.replace("<", "&lt;") for index, part in enumerate(parts)).replace(
        "|", "\\|"
    )


def _find_error(slug: str) -> Error:
    for error in all_errors():
        if error.slug == slug:
            return error
    raise FenceError(f"There is no error {slug!r}.")


OF_ONE: dict[str, tuple[Callable, Callable]] = {
    "runbook-facts": (find, runbook_facts),
    "runbook-inputs": (find, runbook_inputs),
    "error-messages": (_find_error, error_messages),
}
OF_ALL: dict[str, Callable] = {
    "runbook-index": runbook_index,
    "error-index": error_index,
    "tested-with": tested_with,
}

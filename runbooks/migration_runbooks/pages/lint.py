"""Rules that a runbook's folder and its page keep, so that following the page is running the scripts.

Every function takes what it looks at and returns its complaints, `file:line: what is wrong`.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from migration_runbooks.catalogue.runbooks import RISKS, Runbook

from .blocks import Block, Page
from .snippets import shown

MARK = re.compile(r"# --8<-- \[(?P<type>start|end):(?P<name>[a-z][-_0-9a-z]*)\]")
LOOKS_LIKE_MARK = re.compile(r"8\s*<|\[\s*(start|end)\s*:", re.IGNORECASE)
PREAMBLE = ("#!/usr/bin/env bash", "set -euo pipefail")
LEAVES_SHELL = re.compile(r"(^|[;&|({]|\b(then|else|do)\s)\s*(exit|return)\b")
PAGE_STEPS = ("diagnose", "fix", "verify", "undo")


@dataclass(frozen=True)
class Section:
    """A section of a script: `lines` are the numbers, from 1, of the lines between its marks."""

    script: Path
    name: str
    lines: range


def sections(script: Path) -> tuple[list[Section], list[str]]:
    """Return the sections of a script in their order, and complaints about marks and about lines outside of sections."""
    found: list[Section] = []
    complaints = []
    opened: tuple[str, int] | None = None
    for number, line in enumerate(script.read_text(encoding="utf-8").splitlines(), 1):
        mark = MARK.fullmatch(line.strip())
        place = f"{shown(script)}:{number}"
        if not mark:
            if LOOKS_LIKE_MARK.search(line) and line.lstrip().startswith("#"):
                complaints.append(f"{place}: write a mark as # --8<-- [start:name] or # --8<-- [end:name]")
            elif not opened and line.strip() and line not in PREAMBLE:
                complaints.append(f"{place}: this line stands outside of every section, so no page shows it")
        elif mark["type"] == "start":
            if opened:
                complaints.append(f"{place}: section '{mark['name']}' begins inside of section '{opened[0]}'")
            if mark["name"] in (section.name for section in found):
                complaints.append(f"{place}: section '{mark['name']}' is there twice")
            opened = (mark["name"], number)
        elif not opened or opened[0] != mark["name"]:
            complaints.append(f"{place}: section '{mark['name']}' ends and has not begun")
        else:
            found.append(Section(script, mark["name"], range(opened[1] + 1, number)))
            opened = None
    if opened:
        complaints.append(f"{shown(script)}:{opened[1]}: section '{opened[0]}' has no end")
    return found, complaints


def script_complaints(script: Path) -> list[str]:
    """Complain about a script: its first two lines, its sections, and words that would end a reader's shell."""
    lines = script.read_text(encoding="utf-8").splitlines()
    complaints = sections(script)[1]
    if tuple(lines[:2]) != PREAMBLE:
        complaints.append(f"{shown(script)}:1: a script begins with {' and '.join(PREAMBLE)}")
    for number, line in enumerate(lines, 1):
        word = LEAVES_SHELL.search(line)
        if word and not line.lstrip().startswith("#"):
            complaints.append(f"{shown(script)}:{number}: '{word[3]}' would end the shell of a reader who pastes this")
    return complaints


def page_complaints(runbook: Runbook, page: Page) -> Iterator[str]:
    """Complain where a runbook's page does not show its scripts' sections, each once and in order, on every database."""
    if tuple(page.databases) != runbook.databases:
        yield f"{shown(page.path)}:1: the databases are those of runbook.toml: {', '.join(runbook.databases)}"
    for database in runbook.databases:
        scripts = [script for step in PAGE_STEPS if (script := runbook.script(step, database))]
        due = [section for script in scripts for section in sections(script)[0]]
        shown_sections = list(_shown_sections(page, database))
        if due != shown_sections:
            yield (
                f"{shown(page.path)}: on {database} the page shows {_names(shown_sections)}; "
                f"the scripts are, in order, {_names(due)}"
            )


def _shown_sections(page: Page, database: str) -> Iterator[Section]:
    for block in page.blocks:
        if database not in block.databases:
            continue
        scripts = dict.fromkeys(file for file, _ in block.origin if file.suffix == ".sh")
        known = [section for script in scripts for section in sections(script)[0]]
        inside = (
            section
            for file, number in block.origin
            for section in known
            if section.script == file and number in section.lines
        )
        yield from dict.fromkeys(inside)


def _names(found: list[Section]) -> str:
    return " ".join(f"{section.script.name}:{section.name}" for section in found) or "none"


def forgotten_sections(runbooks: list[Runbook], pages: list[Page]) -> Iterator[str]:
    """Complain about sections of diagnose, fix, verify and undo, and about their .py files, that no page shows."""
    origins = {origin for page in pages for block in page.blocks for origin in block.origin}
    files = {file.resolve() for file, _ in origins}
    for runbook in runbooks:
        for step, script in runbook.scripts():
            for section in sections(script)[0] if step in PAGE_STEPS else []:
                if not any((script, number) in origins for number in section.lines):
                    yield f"{shown(script)}:{section.lines.start}: no page shows section '{section.name}'"
        for file in sorted(runbook.folder.glob("*.py")):
            if not file.name.startswith("reproduce") and file.resolve() not in files:
                yield f"{shown(file)}: no page shows this file"


def unlabelled_commands(page: Page) -> Iterator[str]:
    """Complain about commands (bash, diff) without a risk label as the paragraph directly above."""
    for block in page.blocks:
        if block.fence.language in ("bash", "diff") and _above(page, block) not in RISKS:
            yield f"{shown(block.file)}:{block.line}: no risk label above: one of {', '.join(RISKS)}, in bold and alone"


def _above(page: Page, block: Block) -> str:
    above = (line.strip() for line in reversed(page.lines[page.body : block.first]))
    line = next((line for line in above if line), "")
    return line.strip("*") if line == f"**{line.strip('*')}**" else ""


def shellcheck_complaints(scripts: list[Path]) -> list[str]:
    """Return shellcheck's complaints about the scripts. Raises FileNotFoundError when it is not installed."""
    program = shutil.which("shellcheck")
    if not program:
        raise FileNotFoundError("shellcheck is not installed (Debian: apt-get install shellcheck)")
    if not scripts:
        return []
    done = subprocess.run([program, "--format=gcc", *map(str, scripts)], capture_output=True, text=True)
    return (done.stdout + done.stderr).splitlines()

"""Delete each command of a runbook's fix in turn; some test of that runbook must fail. Run by scripts/mutate.

    scripts/mutate SLUG [pytest arguments]

Works in a copy of the checkout. Prints each deletion that no test noticed; exit status 1 when there is one, and
2 when the tests do not pass as they are, so that a failure would say nothing.
"""

from __future__ import annotations

import ast
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
NOT_A_COMMAND = ("#", "set -", "if ", "for ", "while ", "then", "else", "fi", "done", "do", "{", "}", "(", ")")
LEFT_OUT = shutil.ignore_patterns(".git", ".venv", ".environments", ".uv", "site", "build", "__pycache__", ".pytest_cache")


def shell_deletions(text: str) -> Iterator[tuple[int, str]]:
    """The script without one of its commands, for each; a command continues over `\\` and here-documents."""
    lines = text.splitlines(keepends=True)
    start = 0
    while start < len(lines):
        end = start + 1
        while lines[end - 1].rstrip().endswith("\\"):
            end += 1
        if "<<" in lines[start]:
            word = lines[start].split("<<", 1)[1].strip("-'\" \n").split()[0].strip("'\"")
            while lines[end - 1].strip() != word:
                end += 1
        bare = lines[start].strip()
        if bare and not bare.startswith(NOT_A_COMMAND):
            yield start + 1, "".join([*lines[:start], "true\n", *lines[end:]])
        start = end


def python_deletions(text: str) -> Iterator[tuple[int, str]]:
    """The module with one statement replaced by `pass`, for each statement that does something."""
    lines = text.splitlines(keepends=True)
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, (ast.Expr, ast.Assign, ast.AugAssign, ast.Raise, ast.Delete)):
            if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
                continue
            indent = " " * node.col_offset
            yield node.lineno, "".join([*lines[: node.lineno - 1], f"{indent}pass\n", *lines[node.end_lineno :]])


def deletions(folder: Path) -> Iterator[tuple[Path, int, str]]:
    for path in sorted([*folder.glob("fix*.sh"), *folder.glob("*.py")]):
        makers = python_deletions if path.suffix == ".py" else shell_deletions
        for line, text in makers(path.read_text()):
            yield path, line, text


def tests_of(slug: str) -> str:
    return f"tests/runbooks/test_{slug.replace('-', '_')}.py"


def tests_pass(copy: Path, slug: str, arguments: list[str]) -> bool:
    environment = {**os.environ, "PYTHONPATH": str(copy / "runbooks")}
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", tests_of(slug), *arguments]
    return subprocess.run(command, cwd=copy, env=environment, capture_output=True).returncode == 0


def main(slug: str, arguments: list[str]) -> int:
    survivors = 0
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "checkout"
        shutil.copytree(CHECKOUT, copy, ignore=LEFT_OUT, symlinks=True)
        if not tests_pass(copy, slug, arguments):
            command = " ".join(["scripts/test", tests_of(slug), *arguments])
            print(f"Nothing was deleted: the tests of {slug} do not pass as they are. See why: {command}", file=sys.stderr)
            return 2
        for path, line, text in deletions(CHECKOUT / "runbooks" / slug):
            target = copy / path.relative_to(CHECKOUT)
            whole = target.read_text()
            target.write_text(text)
            found = not tests_pass(copy, slug, arguments)
            target.write_text(whole)
            survivors += not found
            deleted = whole.splitlines()[line - 1].strip()
            print(f"{'noticed' if found else 'NOT NOTICED'}  {path.relative_to(CHECKOUT)}:{line}  {deleted}", flush=True)
    print(f"{survivors} deletions that no test noticed")
    return 1 if survivors else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))

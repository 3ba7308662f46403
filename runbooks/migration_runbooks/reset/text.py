"""Change the text of a migration file in a few places, and leave every other byte of it alone."""

from __future__ import annotations

import ast
from collections.abc import Callable
from pathlib import Path

Name = tuple[str, str]


class NotPlain(Exception):
    """The file is not written in the plain form that Django writes. The message says what is not."""


def read(path: Path) -> str | None:
    """Return the text as it is, line ends and odd bytes included; None if there is no such file."""
    try:
        return path.read_bytes().decode(errors="surrogateescape")
    except FileNotFoundError:
        return None


def attribute(text: str, name: str) -> ast.Assign | ast.AnnAssign | None:
    """Return where the Migration of the text sets an attribute, None if it does not. Raises NotPlain."""
    bodies = [node.body for node in ast.parse(text).body if isinstance(node, ast.ClassDef) and node.name == "Migration"]
    if not bodies:
        raise NotPlain("has no class Migration of its own")
    for node in bodies[0]:
        targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
        if any(isinstance(target, ast.Name) and target.id == name for target in targets):
            return node
    return None


def elements(text: str, name: str) -> list[tuple[ast.expr, str]]:
    """Return the items of an attribute that is a list, each with its text. Raises NotPlain."""
    node = attribute(text, name)
    if node is None:
        return []
    if not isinstance(node.value, (ast.List, ast.Tuple)) or any(isinstance(each, ast.Starred) for each in node.value.elts):
        raise NotPlain(f"does not write its {name} as a plain list")
    return [(each, ast.get_source_segment(text, each)) for each in node.value.elts]


def pair(node: ast.expr) -> Name | None:
    """Return the two words of a dependency; None for swappable_dependency(…) and other calls."""
    try:
        value = ast.literal_eval(node)
    except ValueError:
        return None
    return (str(value[0]), str(value[1])) if isinstance(value, tuple) and len(value) == 2 else None


def with_list(text: str, name: str, items: list[str]) -> str:
    """Return the text with these items in place of a list's own."""
    node = attribute(text, name)
    if node is None:
        raise NotPlain(f"sets no {name}")
    listed = "".join(f"        {item},\n" for item in items)
    return between(text, node.value, f"[\n{listed}    ]" if items else "[]")


def with_lines_before(text: str, name: str, lines: list[str]) -> str:
    """Return the text with more lines before an attribute, indented like it. Raises NotPlain when there is none."""
    node = attribute(text, name)
    if node is None:
        raise NotPlain(f"sets no {name}")
    indent = " " * node.col_offset
    place = ast.Pass(lineno=node.lineno, col_offset=node.col_offset, end_lineno=node.lineno, end_col_offset=node.col_offset)
    indented = "".join(f"{line and indent}{line}\n" for line in lines)
    return between(text, place, indented.removeprefix(indent) + indent)


def without(text: str, name: str) -> str:
    """Return the text without an attribute."""
    node = attribute(text, name)
    return text if node is None else between(text, node, "", whole_lines=True)


def with_dependencies(text: str, change: Callable[[Name], Name | None], first: Name | None = None) -> str:
    """Return the text with each dependency as `change` says: another, the same, or none for None; `first` comes before."""
    items, changed = ([written(first)] if first else []), first is not None
    for node, segment in elements(text, "dependencies"):
        old = pair(node)
        new = change(old) if old else None
        changed |= old != new
        item = segment if old == new else written(new) if new else ""
        if item and item not in items:
            items.append(item)
    return with_list(text, "dependencies", items) if changed else text


def written(names: tuple[str, ...]) -> str:
    return "(" + ", ".join(f'"{name}"' for name in names) + ")"


def between(text: str, node: ast.AST, new: str, whole_lines: bool = False) -> str:
    """Return the text with something else in the place of a node. Python counts columns in bytes."""
    data = text.encode(errors="surrogateescape")
    starts = [0]
    for line in data.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    begin, end = starts[node.lineno - 1] + node.col_offset, starts[node.end_lineno - 1] + node.end_col_offset
    if whole_lines:
        begin, end = starts[node.lineno - 1], starts[node.end_lineno]
    newline = "\r\n" if b"\r\n" in data else "\n"
    new = new.replace("\n", newline)
    return (data[:begin] + new.encode(errors="surrogateescape") + data[end:]).decode(errors="surrogateescape")

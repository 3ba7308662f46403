"""The text of a squash: what `squashmigrations` writes, with the functions copied in that it only names."""

from __future__ import annotations

import ast
import importlib
import re
import shutil
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings
from django.core.management import call_command
from django.db.migrations.loader import MigrationLoader


class Refused(Exception):
    """Why not to begin, one line a reason, each with what to do about it."""

    def __init__(self, lines):
        super().__init__(*lines)
        self.lines = lines


@contextmanager
def copied_package(app, folder):
    """A copy of the app's migrations that stands for them as long as it is open."""
    before = settings.MIGRATION_MODULES
    with tempfile.TemporaryDirectory() as place:
        package = Path(place) / f"copy_{Path(place).name}"
        shutil.copytree(folder, package, ignore=shutil.ignore_patterns("__pycache__"))
        sys.path.insert(0, place)
        settings.MIGRATION_MODULES = {**before, app: package.name}
        importlib.invalidate_caches()
        try:
            yield package
        finally:
            settings.MIGRATION_MODULES = before
            sys.path.remove(place)


def squashed_text(app, keys, folder, is_first):
    """(name, text) of a file that can be read and fits the other migrations. Raises Refused, or what Django says."""
    names = [keys[-1][1]] if is_first else [keys[0][1], keys[-1][1]]
    with copied_package(app, folder) as package:
        there = set(package.glob("*.py"))
        call_command("squashmigrations", app, *names, interactive=False, verbosity=0, include_header=False)
        (written,) = set(package.glob("*.py")) - there
        text = with_functions(written.read_text(), package)
        written.write_text(text)
        importlib.invalidate_caches()
        MigrationLoader(None)
        return written.stem, text


def with_functions(text, package):
    """The text with every name of a replaced file (`package.0003_fill.fill`) copied into it from there."""
    text = re.sub(r"\n# Functions from the following migrations need manual copying\.\n(?:#.*\n)+", "", text)
    text = re.sub(rf"^import {package.name}\..*\n", "", text, flags=re.MULTILINE)
    reference = re.compile(rf"\b{package.name}\.(\w+)\.(\w+)")
    needed = {}
    for module, name in reference.findall(text):
        needed.setdefault(module, set()).add(name)
    pieces = [Piece(package / f"{module}.py", names) for module, names in needed.items()]
    taken = {}
    for piece in pieces:
        for name in piece.definitions:
            taken.setdefault(name, []).append(piece)
    for name, owners in taken.items():
        for piece in owners if len(owners) > 1 else []:
            piece.rename(name)
    text = reference.sub(lambda found: next(p for p in pieces if p.module == found[1]).names.get(found[2], found[2]), text)
    if not pieces:
        return text
    imports = dict.fromkeys(line for piece in pieces for line in piece.imports if line not in text)
    head, _, rest = text.partition("\n\nclass Migration(")
    return "\n".join([*future(imports), head.rstrip(), *plain(imports)]) + "\n\n\n" + "\n\n\n".join(p.text for p in pieces) + "\n\n\nclass Migration(" + rest


def future(imports):
    return [line for line in imports if line.startswith("from __future__")]


def plain(imports):
    return [line for line in imports if not line.startswith("from __future__")]


class Piece:
    """What a squash needs of one replaced file: the named definitions, all that they use, and the imports of that."""

    def __init__(self, path, names):
        self.module, self.source, self.names = path.stem, path.read_text(), {}
        self.bound = {}
        for node in ast.parse(self.source).body:
            for name in names_bound_by(node):
                self.bound.setdefault(name, []).append(node)
        nodes = self.closure(names)
        self.imports = [ast.unparse(node) for node in nodes if isinstance(node, ast.Import | ast.ImportFrom)]
        self.nodes = [node for node in nodes if not isinstance(node, ast.Import | ast.ImportFrom)]
        self.definitions = [name for name, nodes in self.bound.items() if set(nodes) & set(self.nodes)]

    def closure(self, names):
        """Top-level statements that bind the names, or what those use, in the order of the file."""
        found, open_names = [], set(names)
        if missing := sorted(open_names - self.bound.keys()):
            raise Refused([f"{self.module} does not define {' '.join(missing)} at its top level: copy it by hand."])
        while open_names:
            for node in set(self.bound[open_names.pop()]).difference(found):
                found.append(node)
                open_names |= {each.id for each in ast.walk(node) if isinstance(each, ast.Name)} & self.bound.keys()
        always = [*self.bound.get("annotations", []), *self.bound.get("*", [])]
        return sorted({*found, *always}, key=lambda node: node.lineno)

    def rename(self, name):
        self.names[name] = f"{name}_{self.module}"

    @property
    def text(self):
        return "\n\n\n".join(map(self.segment, self.nodes))

    def segment(self, node):
        """The statement's own text, with its comments; only what was renamed differs."""
        first = min([node.lineno, *(each.lineno for each in getattr(node, "decorator_list", []))])
        lines = [line.encode() for line in self.source.splitlines()]
        for line, column, name in sorted(self.places(node), reverse=True):
            text, new = lines[line - 1], self.names[name].encode()
            lines[line - 1] = text[:column] + new + text[column + len(name.encode()):]
        return b"\n".join(lines[first - 1 : node.end_lineno]).decode()

    def places(self, node):
        for each in ast.walk(node):
            if isinstance(each, ast.Name) and each.id in self.names:
                yield each.lineno, each.col_offset, each.id
            elif isinstance(each, ast.arg) and each.arg in self.names:
                yield each.lineno, each.col_offset, each.arg
            elif isinstance(each, ast.FunctionDef | ast.ClassDef) and each.name in self.names:
                line = self.source.splitlines()[each.lineno - 1].encode()
                yield each.lineno, line.index(each.name.encode(), each.col_offset + len("def")), each.name


def names_bound_by(statement):
    """Names that a top-level statement gives a value to, or may change the value of."""
    nodes = [statement] if isinstance(statement, ast.FunctionDef | ast.ClassDef) else [*ast.walk(statement)]
    for node in nodes:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.Import | ast.ImportFrom):
            yield from ((alias.asname or alias.name).split(".")[0] for alias in node.names)
        elif isinstance(node, ast.Name) and (isinstance(node.ctx, ast.Store) or not isinstance(statement, ast.Assign)):
            yield node.id
        elif isinstance(node, ast.Attribute | ast.Subscript) and isinstance(node.ctx, ast.Store):
            yield from (each.id for each in ast.walk(node.value) if isinstance(each, ast.Name))


def assignment(text, attribute):
    """The statement that gives the class Migration this attribute; None if there is none."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == attribute:
            return node
    return None


def without_replaces(text):
    segment = ast.get_source_segment(text, assignment(text, "replaces"))
    return re.sub(r"[ \t]*" + re.escape(segment) + r"[ \t]*\n\n?", "", text, count=1)


def repoint(text, replaced, squash):
    """The text of a migration that depends on the squash in place of replaced ones; None if they are not written as pairs."""
    node = assignment(text, "dependencies")
    old = ast.get_source_segment(text, node) if node else ""
    new = old
    for app, name in replaced:
        new = re.sub(rf"""(["']){app}\1,\s*(["']){name}\2""", f'"{squash[0]}", "{squash[1]}"', new)
    return text.replace(old, new, 1) if new != old else None

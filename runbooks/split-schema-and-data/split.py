"""Splits a migration that changes rows and then the schema, so that each part has a transaction of its own. STEP says what to do."""

import ast
import os
import re
import sys
from itertools import groupby
from pathlib import Path

from django.db import connections
from django.db.migrations import RunPython, RunSQL
from django.db.migrations.loader import MigrationLoader

KEPT = Path(".runbook/split-schema-and-data/kept")
FOUND, OK, UNKNOWN = 1, 0, 2
ROWS, SCHEMA = "rows", "schema"
WRITES_ROWS = re.compile(r"\s*(INSERT|UPDATE|DELETE|MERGE|WITH)\b", re.IGNORECASE)
NOT_SPLIT = ("replaces", "initial")


class Refused(Exception):
    """Nothing was changed; the message says why."""


# --- what a migration does -------------------------------------------------------------------------------------------


def kind(operation):
    if isinstance(operation, RunSQL):
        first = operation.sql if isinstance(operation.sql, str) else " ".join(str(each) for each in operation.sql)
        return ROWS if WRITES_ROWS.match(first) else SCHEMA
    return ROWS if isinstance(operation, RunPython) else SCHEMA


def groups(migration):
    """[(kind, [numbers of operations])] of neighbours of one kind."""
    numbered = list(enumerate(migration.operations))
    return [(each, [number for number, _ in found]) for each, found in groupby(numbered, key=lambda pair: kind(pair[1]))]


def mixes(migration):
    """Whether it writes rows before it changes the schema, all in one transaction."""
    kinds = [each for each, _ in groups(migration)]
    return migration.atomic and (ROWS, SCHEMA) in zip(kinds, kinds[1:], strict=False)


def waiting():
    ready = {key: each for key, each in loader.disk_migrations.items() if key not in loader.applied_migrations}
    return {key: each for key, each in sorted(ready.items()) if mixes(each) and file_of(each).is_relative_to(Path.cwd())}


def file_of(migration):
    return Path(sys.modules[migration.__module__].__file__)


# --- the text of its parts ---------------------------------------------------------------------------------------------


def assignment(body, name):
    found = [each for each in body if isinstance(each, ast.Assign) and [getattr(t, "id", "") for t in each.targets] == [name]]
    return found[0] if found else None


def defined(node):
    """The names that a statement at the top of a file gives."""
    if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
        return {node.name}
    if isinstance(node, (ast.Import, ast.ImportFrom)):
        return {(each.asname or each.name).split(".")[0] for each in node.names}
    return {each.id for each in ast.walk(node) if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store)}


def without_unused(text):
    """The file without the functions, values and imports that its migration does not need."""
    body = ast.parse(text).body
    needed, left = set(), [body[-1]]
    while left:
        names = {each.id for each in ast.walk(left.pop()) if isinstance(each, ast.Name)} - needed
        needed |= names
        left += [node for node in body if defined(node) & names]
    lines, gone = text.splitlines(keepends=True), set()
    for node in body[:-1]:
        if defined(node) and not defined(node) & needed and getattr(node, "module", "") != "__future__":
            first = min([node.lineno, *(each.lineno for each in getattr(node, "decorator_list", []))])
            gone |= set(range(first - 1, node.end_lineno))
    kept = "".join(line for number, line in enumerate(lines) if number not in gone)
    return re.sub(r"\n{4,}", "\n\n\n", kept).lstrip("\n")


def with_comments(text, listed, number):
    """An operation as it stands in the file, with the comments directly above it."""
    operation, above = listed.elts[number], listed.elts[number - 1].end_lineno if number else listed.lineno
    between = map(str.strip, text.splitlines()[above : operation.lineno - 1])
    lines = [*(line for line in between if line.startswith("#")), f"{ast.get_source_segment(text, operation)},"]
    return "".join(f"        {line}\n" for line in lines)


def part(text, numbers, parent):
    """The file with some of its operations alone, behind another parent (None: its own dependencies)."""
    source = text.encode()
    starts = [0, *(match.end() for match in re.finditer(b"\n", source))]
    migration = next(each for each in ast.parse(text).body if isinstance(each, ast.ClassDef) and each.name == "Migration")
    listed = assignment(migration.body, "operations").value
    wanted = "".join(with_comments(text, listed, number) for number in numbers)
    changes = [(listed, f"[\n{wanted}    ]")]
    if parent:
        changes.append((assignment(migration.body, "dependencies").value, f'[\n        ("{parent[0]}", "{parent[1]}"),\n    ]'))
    for node, new in sorted(changes, key=lambda change: -change[0].lineno):
        first, last = starts[node.lineno - 1] + node.col_offset, starts[node.end_lineno - 1] + node.end_col_offset
        source = source[:first] + new.encode() + source[last:]
    return without_unused(source.decode())


def parts(key, migration):
    """{path: text} of the files that stand for the migration, the first one first; the last one keeps its name."""
    file, found = file_of(migration), groups(migration)
    text, parent, files = file.read_text(), None, {}
    for number, (_, operations) in enumerate(found, 1):
        name = key[1] if number == len(found) else f"{key[1]}_part_{number}"
        files[file.with_name(f"{name}.py")] = part(text, operations, parent)
        parent = (key[0], name)
    return files


def check_text(migration):
    """Raises Refused when the file is not written the way that can be split."""
    tree = ast.parse(file_of(migration).read_text())
    classes = [each for each in tree.body if isinstance(each, ast.ClassDef) and each.name == "Migration"]
    listed = assignment(classes[0].body, "operations") if classes else None
    if not listed or not isinstance(listed.value, ast.List) or len(listed.value.elts) != len(migration.operations):
        raise Refused("its operations are not one plain list. Split it by hand.")
    if tree.body[-1] is not classes[0] or not assignment(classes[0].body, "dependencies"):
        raise Refused("the class Migration is not the end of the file, or has no list of dependencies. Split it by hand.")
    if used := [name for name in NOT_SPLIT if getattr(migration, name, None)]:
        raise Refused(f"it says `{used[0]}`. Split it by hand.")


# --- steps ---------------------------------------------------------------------------------------------------------------


def write(file, text):
    file.parent.mkdir(parents=True, exist_ok=True)
    new = file.with_name(f"{file.name}.new")
    new.write_text(text)
    new.replace(file)


def shown(file):
    return file.relative_to(Path.cwd()).as_posix()


def kept(key):
    return KEPT / f"{key[0]}.{key[1]}.txt"


def diagnose():
    found = waiting()
    if not found:
        print("No migration that waits writes rows before it changes the schema.")
        return OK
    for key, migration in list(found.items())[:1]:
        print(f"{'.'.join(key)} is not recorded, and writes rows before it changes the schema, in one transaction:")
        for number, operation in enumerate(migration.operations, 1):
            print(f"  {number}. {kind(operation)}: {operation.describe()}")
        print(f"APP={key[0]}\nNAME={key[1]}")
    return FOUND


def checked_migration():
    key = (os.environ.get("APP", ""), os.environ.get("NAME", ""))
    if key not in loader.disk_migrations:
        raise Refused(f"{'.'.join(key)} is not a migration of this project. Run diagnose again.")
    return key, loader.disk_migrations[key]


def fix():
    key, migration = checked_migration()
    if not mixes(migration):
        print(f"Nothing to do: {'.'.join(key)} does not write rows before it changes the schema.")
        return OK
    if key in loader.applied_migrations:
        raise Refused(f"{'.'.join(key)} is recorded in this database: a migration that ran somewhere must stay as it is.")
    check_text(migration)
    files = parts(key, migration)
    for file, text in list(files.items())[:-1]:
        if file.exists() and file.read_text() != text:
            raise Refused(f"{shown(file)} is there already.")
    write(kept(key), file_of(migration).read_text())
    for file, text in files.items():  # the one that has the migration's name last: until then it is whole
        write(file, text)
        print(f"Wrote {shown(file)}")
    return OK


def chain(key, migration):
    """The files that the fix made for this migration."""
    return sorted(file_of(migration).parent.glob(f"{key[1]}_part_*.py"))


def undo():
    key, migration = checked_migration()
    if not kept(key).exists():
        print("Nothing to undo: the migration was not split here.")
        return OK
    made = chain(key, migration)
    if recorded := [name for name in (key[1], *(file.stem for file in made)) if (key[0], name) in loader.applied_migrations]:
        raise Refused(f"{key[0]}.{recorded[0]} is recorded by now. Roll it back first.")
    write(file_of(migration), kept(key).read_text())
    for file in made:
        file.unlink()
    kept(key).unlink()
    print("The files are as they were before the fix.")
    return OK


def verify():
    key, migration = checked_migration()
    print(f"{'.'.join(key)} {'mixes rows and schema' if mixes(migration) else 'does not mix rows and schema'}.")
    return FOUND if mixes(migration) else min(diagnose(), 1)


try:
    loader = MigrationLoader(connections[os.environ.get("RUNBOOK_DATABASE", "default")])
except Exception as error:
    print(f"Can't tell: {type(error).__name__}: {error}\nNothing was changed.", file=sys.stderr)
    sys.exit(UNKNOWN)
try:
    status = {"diagnose": diagnose, "fix": fix, "undo": undo, "verify": verify}[os.environ["STEP"]]()
except Refused as why:
    print(f"Refused, nothing was changed: {why}", file=sys.stderr)
    status = 1
sys.exit(status)

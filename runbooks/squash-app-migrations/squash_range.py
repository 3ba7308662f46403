"""The range of migrations from FROM to TO of APP, and what speaks against squashing it."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
from pathlib import Path

from django.apps import apps
from squashed_file import Refused

APP, FROM, TO = (os.environ.get(name, "") for name in ("APP", "FROM", "TO"))


def is_own(path):
    installed = [Path(sysconfig.get_paths()[name]).resolve() for name in ("purelib", "platlib", "stdlib")]
    foreign = any(path.is_relative_to(folder) for folder in installed) or "site-packages" in path.parts
    return path.is_relative_to(Path.cwd().resolve()) and not foreign


def path_of(migration):
    return Path(sys.modules[migration.__module__].__file__).resolve()


def range_of(graph):
    """The migrations from FROM to TO, in order, as squashmigrations takes them. Raises Refused."""
    try:
        apps.get_app_config(APP)
    except LookupError:
        raise Refused([f"There is no app {APP!r} in INSTALLED_APPS. Set APP to the label of one of your apps."]) from None
    for name in (FROM, TO):
        if (APP, name) not in graph.nodes:
            raise Refused([f"{APP} has no migration {name!r}: set FROM and TO to names that `showmigrations {APP}` lists."])
        if not is_own(folder := path_of(graph.nodes[APP, name]).parent):
            raise Refused([f"{APP} is not an app of this project: its migrations are in {folder}."])
    keys = [key for key in graph.forwards_plan((APP, TO)) if key[0] == APP]
    if (APP, FROM) not in keys:
        raise Refused([f"{FROM} does not come before {TO}. `showmigrations {APP}` lists them in order."])
    return keys[keys.index((APP, FROM)):]


def way_back(graph, keys):
    """A migration outside the range that needs one inside, while another inside needs it: the squash would be a ring."""
    after = {child for key in keys for child in graph.backwards_plan(key)}
    before = {parent for key in keys for parent in graph.forwards_plan(key)}
    return min((after & before) - set(keys), default=None)


def longest_without_a_ring(graph, keys):
    ends = [number for number in range(2, len(keys)) if not way_back(graph, keys[:number])]
    return keys[max(ends) - 1] if ends else None


def obstacles(graph, keys):
    if len(keys) < 2:
        yield "One migration is nothing to squash: set FROM and TO to the first and the last of a range."
    if between := way_back(graph, keys):
        shorter = longest_without_a_ring(graph, keys)
        hint = f'set TO="{shorter[1]}"' if shorter else "set FROM to a later migration"
        yield f"{'.'.join(between)} stands between: it needs a migration of the range, and one of the range needs it. Then {hint}."
    own = {parent.key for key in keys[1:] for parent in graph.node_map[key].parents if parent.key[0] == APP} - set(keys)
    own -= {parent.key for parent in graph.node_map[keys[0]].parents}
    if own:
        yield f"The range begins inside a branch: {' '.join(name for _, name in sorted(own))} would be left out. Begin earlier."
    for key in keys:
        migration = graph.nodes[key]
        if migration.replaces:
            yield f"{key[1]} is itself a squash. Finish that one first: STEP=finish, with its own FROM and TO."
        if not migration.atomic:
            yield f"{key[1]} is atomic = False, which a squash would lose. End the range before it."
        if migration.run_before:
            yield f"{key[1]} has run_before, which a squash would lose. Turn it into a dependency first."
    yield from uncommitted(path_of(graph.nodes[keys[0]]).parent)


def uncommitted(folder):
    try:
        done = subprocess.run(["git", "status", "--porcelain", "--", str(folder)], capture_output=True, text=True)
    except OSError:
        return  # no git here
    if done.returncode == 0 and done.stdout.strip():
        yield f"Files in {shown(folder)} are not committed. Commit them first."


def shown(path):
    return path.relative_to(Path.cwd().resolve())


def keys_before(graph, keys):
    return [parent for parent in graph.node_map[keys[0]].parents if parent.key[0] == APP]

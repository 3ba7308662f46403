"""Change files and history as a plan says, or back: whatever is done already is left, so it can be begun again after a kill."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from migration_runbooks.integrity.places import relative
from migration_runbooks.reset import history
from migration_runbooks.reset.plan import Plan
from migration_runbooks.reset.refusal import Refused
from migration_runbooks.reset.text import read


def apply(plan: Plan) -> None:
    """Raises Refused, before the first change, when a file is neither as planned nor as before."""
    demand_known_files(plan)
    history.demand_known(plan)
    for path, (_, new) in in_order(plan.files):
        settle(Path(path), new)
    history.replace(plan)


def undo(plan: Plan) -> None:
    """Raises Refused, before the first change, when what the reset left was changed or built upon since."""
    demand_known_files(plan)
    if later := [*newer_files(plan)]:
        raise Refused(f"Newer migrations build on the reset: {', '.join(later)}. Roll them back and remove them first.")
    history.demand_known(plan)
    backwards = {path: (new, old) for path, (old, new) in plan.files.items()}
    for path, (_, old) in in_order(backwards):
        settle(Path(path), old)
    history.restore(plan)


def in_order(files: dict) -> list[tuple]:
    """What is written comes before what is removed: a text is always in a file."""
    return sorted(files.items(), key=lambda item: (item[1][1] is None, item[0]))


def demand_known_files(plan: Plan) -> None:
    changed = [relative(Path(path)) for path, texts in sorted(plan.files.items()) if read(Path(path)) not in texts]
    if changed:
        raise Refused(f"Changed by somebody else meanwhile: {', '.join(changed)}. Take that back first, for example with git checkout.")


def newer_files(plan: Plan) -> Iterator[str]:
    known = set(plan.files)
    for folder in sorted({Path(path).parent for path in plan.paths(before=False, after=True)}):
        yield from (relative(file) for file in sorted(folder.glob("[!_~]*.py")) if str(file) not in known)


def settle(path: Path, text: str | None) -> None:
    """Bring a file to this text, whole or not at all."""
    part = path.with_name(f"{path.name}.part")
    if part.exists():
        part.unlink()  # a kill left it
    if read(path) == text:
        return
    if text is None:
        path.unlink()
        return
    with open(part, "wb") as file:
        file.write(text.encode(errors="surrogateescape"))
        file.flush()
        os.fsync(file.fileno())
    if path.exists():
        shutil.copymode(path, part)
    part.replace(path)

"""Where the commands of a block begin and end, by bash's own judgement."""

from __future__ import annotations

import subprocess


def commands(text: str) -> list[range]:
    """The lines (counted from 0) of each command of a bash text; blank lines and comments belong to none."""
    lines = text.splitlines()
    found, start = [], 0
    for end in range(1, len(lines) + 1):
        if start == end - 1 and lines[start].lstrip()[:1] in ("", "#"):
            start = end
        elif end == len(lines) or _is_complete("\n".join(lines[start:end])):
            found.append(range(start, end))
            start = end
    return found


def never_reached(text: str, stopped: int) -> int | None:
    """The line of the first command that did not run when the block ended at line `stopped`; None if that was the last."""
    return next((command.start for command in commands(text) if command.start > stopped), None)


def _is_complete(text: str) -> bool:
    """Whether bash would run this without asking for more lines."""
    if text.endswith("\\"):
        return False
    checked = subprocess.run(["bash", "-n"], input=text + "\n", capture_output=True, text=True)
    return checked.returncode == 0 and not checked.stderr  # an unfinished here-document is only warned of

"""Write the named files and apply the changes that a page shows."""

from __future__ import annotations

from pathlib import Path


class FileProblem(Exception):
    """A file that cannot be written or changed as the page says; nothing was changed."""


def write_file(project: Path, title: str, text: str) -> None:
    """Write a text below the project. Raises FileProblem when the title leads outside."""
    file = inside(project, title)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")


def apply_diff(project: Path, title: str, diff: str) -> None:
    """Change the file `title` below the project as a unified diff says; lines such as `@@ -1,3 +1,4 @@` may be left out.

    Raises FileProblem unless every piece fits in exactly one place.
    """
    file = inside(project, title)
    if not file.is_file():
        raise FileProblem(f"{title} does not exist, so that it cannot be changed")
    text = file.read_text(encoding="utf-8")
    for old, new in hunks(diff):
        places = f"\n{text}".count(f"\n{old}")
        if not old or places != 1:
            raise FileProblem(f"does not apply to {title}: the lines to change occur {places} times, not once:\n{old}")
        text = f"\n{text}".replace(f"\n{old}", f"\n{new}", 1)[1:]
    file.write_text(text, encoding="utf-8")


def hunks(diff: str) -> list[tuple[str, str]]:
    """Split a diff into pairs of old and new text, whole lines each. Raises FileProblem for a line that is no diff."""
    found: list[tuple[list[str], list[str]]] = [([], [])]
    lines = diff.splitlines()
    if len(lines) > 1 and lines[0].startswith("--- ") and lines[1].startswith("+++ "):
        lines = lines[2:]
    for line in lines:
        mark, rest = line[:1] or " ", line[1:] + "\n"
        if line.startswith("@@"):
            found.append(([], []))
        elif mark not in " -+":
            raise FileProblem(f"a line of a diff begins with a blank, - or +, not as in: {line}")
        if not line.startswith("@@") and mark != "+":
            found[-1][0].append(rest)
        if not line.startswith("@@") and mark != "-":
            found[-1][1].append(rest)
    return [("".join(old), "".join(new)) for old, new in found if old or new]


def inside(project: Path, title: str) -> Path:
    """The path of a named file. Raises FileProblem when it lies outside the project, through links too."""
    file = (project / title).resolve()
    if not file.is_relative_to(project.resolve()):
        raise FileProblem(f"{title} lies outside the project; nothing was written")
    return file

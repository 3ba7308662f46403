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
    lines = file.read_text(encoding="utf-8").split("\n")
    for old, new in hunks(diff):
        places = [at for at in range(len(lines)) if lines[at : at + len(old)] == old]
        if not old or len(places) != 1:
            shown = "\n".join(old)
            raise FileProblem(f"does not apply to {title}: its old lines occur {len(places)} times, not once:\n{shown}")
        lines[places[0] : places[0] + len(old)] = new
    file.write_text("\n".join(lines), encoding="utf-8")


def hunks(diff: str) -> list[tuple[list[str], list[str]]]:
    """Split a diff into pairs of old and new lines. Raises FileProblem for a line that belongs to no diff."""
    lines = diff.splitlines()
    if len(lines) > 1 and lines[0].startswith("--- ") and lines[1].startswith("+++ "):
        lines = lines[2:]
    found: list[tuple[list[str], list[str]]] = [([], [])]
    for line in lines:
        if line.startswith("@@"):
            found.append(([], []))
            continue
        mark, text = line[:1] or " ", line[1:]
        if mark not in " -+":
            raise FileProblem(f"a line of a diff begins with a blank, - or +, unlike this one: {line}")
        old, new = found[-1]
        old += [text] if mark != "+" else []
        new += [text] if mark != "-" else []
    return [hunk for hunk in found if any(hunk)]


def inside(project: Path, title: str) -> Path:
    """The path of a named file. Raises FileProblem when it lies outside the project, through links too."""
    file = (project / title).resolve()
    if not file.is_relative_to(project.resolve()):
        raise FileProblem(f"{title} lies outside the project; nothing was written")
    return file

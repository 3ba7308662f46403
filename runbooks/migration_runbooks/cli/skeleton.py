"""Write the skeleton of a runbook: folder, page and test."""

from __future__ import annotations

from pathlib import Path
from string import Template

from migration_runbooks import paths
from migration_runbooks.catalogue.reading import SLUG

TEMPLATES = Path(__file__).with_name("skeleton_templates")
SCRIPTS = ("reproduce", "diagnose", "fix", "verify", "undo")


class SkeletonError(Exception):
    """A skeleton can't be made; nothing was made."""


def make_skeleton(slug: str) -> list[Path]:
    """Write the files of a new runbook and return their paths from the checkout's root. Raises SkeletonError."""
    if not paths.IS_CHECKOUT:
        raise SkeletonError("This is an installed package. Clone the guide and run `runbook new` there.")
    if not SLUG.fullmatch(slug):
        raise SkeletonError(f"{slug!r} must be lower case words joined by hyphens, such as adopt-existing-table.")
    texts = _texts(slug, paths.CHECKOUT)
    taken = [file for file in (paths.RUNBOOKS / slug, *texts) if file.exists()]
    if taken:
        raise SkeletonError(f"{taken[0].relative_to(paths.CHECKOUT)} exists already. Nothing was made.")
    for file, text in texts.items():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        file.chmod(0o755 if file.suffix == ".sh" else 0o644)
    return [file.relative_to(paths.CHECKOUT) for file in texts]


def _texts(slug: str, root: Path) -> dict[Path, str]:
    """Return the text of each file to write."""
    title = slug.replace("-", " ").capitalize()
    name = slug.replace("-", "_")
    folder = root / "runbooks" / slug
    sources = {folder / f"{step}.sh": f"{step}.sh.template" for step in SCRIPTS}
    sources[folder / "runbook.toml"] = "runbook.toml.template"
    sources[root / "docs" / "runbooks" / f"{slug}.md"] = "page.md.template"
    sources[root / "tests" / "runbooks" / f"test_{name}.py"] = "test.py.template"
    values = {"slug": slug, "title": title, "class_name": title.title().replace(" ", "")}
    return {file: Template((TEMPLATES / source).read_text()).substitute(values) for file, source in sources.items()}

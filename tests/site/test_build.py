"""The site builds without a warning, and a reader finds every page in it."""

from __future__ import annotations

import re
from pathlib import Path

from migration_runbooks.paths import CHECKOUT, DOCS
from mkdocs.utils import yaml_load

PAGES = sorted(page.relative_to(DOCS).as_posix() for page in DOCS.rglob("*.md"))


def named_in(navigation) -> list[str]:
    """Return the pages that a part of mkdocs.yml's nav names, in order."""
    if isinstance(navigation, str):
        return [navigation]
    parts = navigation.values() if isinstance(navigation, dict) else navigation
    return [page for part in parts for page in named_in(part)]


def test_every_page_is_in_the_navigation():
    navigation = named_in(yaml_load((CHECKOUT / "mkdocs.yml").read_text())["nav"])
    missing = [f"      - {page}" for page in PAGES if page not in navigation]
    assert not missing, "add to nav in mkdocs.yml:\n" + "\n".join(missing)


def test_every_page_is_built(site):
    for page in PAGES:
        assert (site / built_as(page)).is_file(), page


def built_as(page: str) -> Path:
    path = Path(page).with_suffix("")
    return (path.parent if path.name == "index" else path) / "index.html"


def test_no_page_loads_anything_from_another_host(site):
    loads = re.compile(
        r"""<(?:script|img|iframe)\b[^>]*\bsrc="(https?:)?//|<link\b[^>]*rel="(?:stylesheet|preload|icon|preconnect)"[^>]*href="(https?:)?//"""
    )
    guilty = [str(page.relative_to(site)) for page in site.rglob("*.html") if loads.search(page.read_text())]
    assert not guilty

"""Errors whose pages are still to be written: recognised by the same engine, so that no new one confuses the others.

`planned/<slug>.toml` moves to the catalogue's errors/ together with its page, its wordings and its fixtures; an error
stays out of the product until then, because `runbook explain` names the page to read.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from migration_runbooks.catalogue.errors import all_errors, load_error
from migration_runbooks.explain import explain

PLANNED = Path(__file__).parent / "planned"
ERRORS = [*all_errors(), *map(load_error, sorted(PLANNED.glob("*.toml")))]
WORDINGS = [line.split("\t") for line in (PLANNED / "wordings.tsv").read_text().splitlines()]
FIXTURES = sorted((PLANNED / "fixtures").glob("*.txt"))


def test_planned_error_has_left_when_it_is_published():
    assert len(ERRORS) == len({error.slug for error in ERRORS})


def named(text: str) -> str:
    matches = explain(text, ERRORS)
    return matches[0].error if matches else "none"


@pytest.mark.parametrize(("slug", "text"), WORDINGS)
def test_wording(slug: str, text: str):
    assert named(text.replace("\\n", "\n")) == slug


@pytest.mark.parametrize("fixture", FIXTURES, ids=lambda file: file.stem)
def test_real_output(fixture: Path):
    assert named(fixture.read_text()) == fixture.name.split(".")[0]

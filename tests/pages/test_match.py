from __future__ import annotations

import pytest
from migration_runbooks.pages.match import first_difference, matches, promote

MATCHING = [
    ("a\nb\n", "a\nb\n"),
    ("a  \nb\n\n", "a\nb   \n"),
    ("...\n", ""),
    ("...\n", "any\nlines\n"),
    ("a\n...\n", "a\n"),
    ("...\nb\n...\n", "a\nb\nb\nc\n"),
    ("a\n...\nd\n", "a\nb\nc\nd\n"),
    ("OK in [..] s\n", "OK in 0.12 s\n"),
    ("[..]: (.*) [1]\n", "x: (.*) [1]\n"),
    ("  ...\n", "indented\n"),
]
DIFFERENT = [
    ("a\n", "a\nb\n"),
    ("a\nb\n", "a\n"),
    ("a\n", "A\n"),
    (" a\n", "a\n"),
    ("a\n...\nb\n", "a\nb\nc\n"),
    ("a [..] c\n", "a b\nc\n"),
    ("a.c\n", "abc\n"),
    ("wait...\n", "wait a bit\n"),
]


@pytest.mark.parametrize("expected, printed", MATCHING)
def test_matches(expected, printed):
    assert matches(expected, printed)
    assert promote(expected, printed) == expected


@pytest.mark.parametrize("expected, printed", DIFFERENT)
def test_differs_until_promoted(expected, printed):
    assert not matches(expected, printed)
    assert matches(promote(expected, printed), printed)


@pytest.mark.parametrize(
    "expected, printed, promoted",
    [
        ("a\n...\nold\n", "a\nx\ny\nnew\n", "a\n...\nnew\n"),
        ("old\n...\nend\n", "new\nx\nend\n", "new\n...\nend\n"),
        ("took [..] s\nold\n", "took 3 s\nnew\n", "took [..] s\nnew\n"),
        ("a\ngone\nb\n", "a\nb\n", "a\nb\n"),
        ("a\nb\n", "a\nadded\nb\n", "a\nadded\nb\n"),
        ("took [..] s\n", "lasted 3 s\n", "lasted 3 s\n"),
    ],
)
def test_promote_keeps_wildcards_that_still_hold(expected, printed, promoted):
    assert promote(expected, printed) == promoted


@pytest.mark.parametrize(
    "expected, printed, index",
    [("a\nb\nc\n", "a\nx\nc\n", 1), ("a\n...\nd\n", "a\nb\nc\n", 2), ("a\n", "a\nb\n", 0), ("x\n", "y\n", 0)],
)
def test_first_difference(expected, printed, index):
    assert first_difference(expected, printed) == index


def test_many_wildcards_are_quick():
    assert not matches("...\n".join(f"{n}\n" for n in range(40)) + "end\n", "0\n" * 2000)

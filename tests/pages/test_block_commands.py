from __future__ import annotations

import pytest
from migration_runbooks.pages.commands import commands, never_reached


@pytest.mark.parametrize(
    "text, expected",
    [
        ("a\nb\n", [(0, 1), (1, 2)]),
        ("a \\\n  b\n\n# c\nd\n", [(0, 2), (4, 5)]),
        ("cat <<END\n# text\nEND\nb\n", [(0, 3), (3, 4)]),
        ("if a; then\n  b\nfi\nc\n", [(0, 3), (3, 4)]),
        ("f() {\n  a\n}\n", [(0, 3)]),
        ("echo 'one\n\ntwo'\n", [(0, 3)]),
        ("a |\n  b\n", [(0, 2)]),
        ("python - <<'X'\nif x:\n", [(0, 2)]),
    ],
)
def test_commands(text, expected):
    assert [(command.start, command.stop) for command in commands(text)] == expected


def test_never_reached():
    text = "a \\\n  b\n# comment\nc\n"
    assert never_reached(text, 0) == 3
    assert never_reached(text, 3) is None

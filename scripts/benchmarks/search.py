"""Search once and again, in one process and by one connection, in turn with the anti-join; print the seconds of both.

Run with a project's settings: what is measured is the search, not the start of Django.
"""

from __future__ import annotations

import json
import sys

import django

ANTI_JOIN = "SELECT count(*) FROM family_child c LEFT JOIN family_parent p ON p.id = c.parent_id WHERE p.id IS NULL"


def main(repeat: int) -> None:
    django.setup()
    from migration_runbooks.integrity.checks import orphans
    from migration_runbooks.integrity.examined import Examined

    from scripts.benchmarks.measuring import in_turn

    examined = Examined(quick=True)
    assert examined.live and examined.expected  # read now, so that the search alone is measured
    assert orphans.links(examined)
    measured = in_turn(repeat, lambda: examined.query(ANTI_JOIN), lambda: list(orphans.check(examined)))
    print(json.dumps([each.seconds for each in measured]))


if __name__ == "__main__":
    main(int(sys.argv[1]))

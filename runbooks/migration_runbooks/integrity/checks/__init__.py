"""One module a check, found by walking this folder. Each has `check(examined)`, which yields findings.

A check that can't read a source lets Unreadable pass: the run says so once and goes on with the other checks.
"""

from __future__ import annotations

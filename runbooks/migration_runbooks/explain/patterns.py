"""The words that a pattern can't do without: a text that lacks them need not be searched, nor the pattern compiled."""

from __future__ import annotations

import re
from functools import cache

TOKEN = re.compile(r"\\.|\[(?:\\.|[^\]\\])*\]|\{\d+,?\d*\}|.", re.DOTALL)
NOT_PLAIN = re.compile(r"\\[a-zA-Z\d]|\[.+\]|[.^$]", re.DOTALL)


@cache
def literal(pattern: str) -> str:
    """Return the longest run of plain characters outside of groups; "" when the pattern has none or is a choice."""
    runs, depth = [""], 0
    for token in TOKEN.findall(pattern):
        depth += (token == "(") - (token == ")")
        if token == "|" and depth == 0:
            return ""
        if token in ("*", "?") or token.startswith("{"):
            runs[-1] = runs[-1][:-1]
        if depth or token in ("(", ")", "*", "?", "+") or token.startswith("{") or NOT_PLAIN.fullmatch(token):
            runs.append("")
        else:
            runs[-1] += token[-1]
    return max(runs, key=len)

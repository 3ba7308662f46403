"""Take off a pasted text what is not the message: prefixes of logs, colours, quotation marks, another language."""

from __future__ import annotations

import json
import re
import tomllib
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parent
FLAGS = re.ASCII | re.MULTILINE
"""JavaScript's RegExp has the same meaning with the flags "gm"."""


@cache
def rules() -> dict:
    return tomllib.loads((FOLDER / "rules.toml").read_text(encoding="utf-8"))


@cache
def translations() -> dict[str, list[str]]:
    """Return PostgreSQL's messages, as its own catalogues have them: the English one, and what other languages say."""
    return json.loads((FOLDER / "translations.json").read_text(encoding="utf-8"))


def clean(text: str) -> str:
    """Return the text as Django printed it, in English: the rules in their order, then the translations."""
    for rule in rules()["cleaning"]:
        text = re.sub(rule["pattern"], re.sub(r"\$(\d)", r"\\g<\1>", rule["replace"]), text, flags=FLAGS)
    return translate(text)


def translate(text: str) -> str:
    """Put PostgreSQL's messages into English."""
    for english, foreign in translations().items():
        for message in foreign:
            if max(re.split(r"\{\d\}|\n", message), key=len) in text:
                text = _replace(text, message, english)
    return text


def _replace(text: str, message: str, english: str) -> str:
    parts = re.split(r"\{(\d)\}", message)
    groups = {number: f"\\g<{place}>" for place, number in enumerate(parts[1::2], 1)}
    pattern = "".join(_value(parts, place) if place % 2 else _words(part) for place, part in enumerate(parts))
    return re.sub(pattern, re.sub(r"\{(\d)\}", lambda hole: groups[hole[1]], english), text)


def _words(part: str) -> str:
    return r"\s+".join(re.escape(line) for line in part.split("\n"))


def _value(parts: list[str], place: int) -> str:
    """Return the pattern of a value: up to the closing quote, to the next word of the message, or to the next space."""
    following = parts[place + 1]
    if following.startswith('"'):
        return '([^"\n]*)'
    return r"([^\n]+?)" if following else r"(\S+)"

"""What happens to a text between Django and the person who pastes it."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Callable


def _prefixed(prefix: str) -> Callable[[str], str]:
    return lambda text: "\n".join(prefix + line for line in text.split("\n"))


def _coloured(text: str) -> str:
    return "\n".join(f"\x1b[31;1m{line}\x1b[0m" for line in text.split("\n"))


def _wrapped_hard(text: str) -> str:
    """As a terminal of 80 columns does when one copies from it."""
    return "\n".join(line[at : at + 80] for line in text.split("\n") for at in range(0, len(line) or 1, 80))


def _wrapped_at_words(text: str) -> str:
    """As a mail does."""
    lines = (textwrap.wrap(line, 72, break_long_words=False, break_on_hyphens=False) for line in text.split("\n"))
    return "\n".join(part for parts in lines for part in parts or [""])


def _docker_json(text: str) -> str:
    record = {"stream": "stderr", "time": "2026-01-31T13:31:10.000000001Z"}
    return "\n".join(
        json.dumps({"log": line + "\n"} | record, separators=(",", ":"), ensure_ascii=False)
        for line in text.split("\n")
    )


def _log_record(text: str) -> str:
    return json.dumps({"level": "ERROR", "message": text}, ensure_ascii=False)


def _html(text: str) -> str:
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return f"<pre>{escaped.replace(chr(34), '&quot;').replace(chr(39), '&#x27;')}</pre>"


def _boxed(text: str) -> str:
    return "\n".join(f"│ {line} │" for line in text.split("\n"))


DISGUISES: dict[str, Callable[[str], str]] = {
    "as printed": lambda text: text,
    "docker compose": _prefixed("web_1  | "),
    "docker compose v2": _prefixed("library-web-1  | "),
    "docker compose with times": _prefixed("web-1  | 2026-01-31T13:31:10.123456789Z "),
    "docker json-file": _docker_json,
    "kubectl --prefix": _prefixed("[pod/web-5d9c7b-x2x1z/app] "),
    "kubectl --timestamps": _prefixed("2026-01-31T13:31:10.123456789Z "),
    "containerd": _prefixed("2026-01-31T13:31:10.123456789+01:00 stderr F "),
    "journald": _prefixed("Jan 31 13:31:10 web01 gunicorn[712]: "),
    "heroku": _prefixed("2026-01-31T13:31:10.123456+00:00 app[release.4711]: "),
    "GitHub Actions": _prefixed("2026-01-31T13:31:10.1234567Z "),
    "gh run view --log": _prefixed("migrate\tRun migrations\t2026-01-31T13:31:10.1234567Z "),
    "a logger": _prefixed("[2026-01-31 13:31:10 +0000] [7] [ERROR] "),
    "a logger with comma": _prefixed("2026-01-31 13:31:10,123 ERROR deploy: "),
    "JSON log record": _log_record,
    "colours": _coloured,
    "Windows line ends": lambda text: text.replace("\n", "\r\n"),
    "quoted mail": _prefixed("> "),
    "quoted twice": _prefixed("> > "),
    "indented": _prefixed("    "),
    "Markdown fence": lambda text: f"It broke:\n\n```\n{text}\n```\nPlease help",
    "rich traceback": _boxed,
    "HTML": _html,
    "pytest": _prefixed("E   "),
    "wrapped by a terminal": _wrapped_hard,
    "wrapped by a mail": _wrapped_at_words,
    "wrapped and prefixed": lambda text: _prefixed("web_1  | ")(_wrapped_hard(text)),
}

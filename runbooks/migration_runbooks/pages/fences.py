"""The grammar of fences: what the line after the backticks may say, and what becomes of the block."""

from __future__ import annotations

import re
from dataclasses import dataclass

from packaging.requirements import InvalidRequirement, Requirement

EXECUTED = ("bash", "python")
ILLUSTRATIONS = ("text", "sql", "json", "toml", "yaml", "ini", "html", "css", "javascript", "markdown", "docker")
LANGUAGES = (*EXECUTED, "output", "diff", *ILLUSTRATIONS)
INSTEAD = {
    "sh": "bash",
    "shell": "bash",
    "console": "bash and output",
    "pycon": "python",
    "py": "python",
    "yml": "yaml",
}
"""What people write out of habit, and what to write here."""

REQUIRED_NAMES = ("django", "python", "sqlite", "postgresql", "mariadb")
DEFAULT_TIMEOUT = 120.0

SPELLING = re.compile(r"(?P<language>[\w+#.-]+)(?: (?P<open>\{)?(?P<pairs>[^{}]*?)(?P<close>\})?)?")
PAIR = re.compile(r'\s*([\w-]+)="([^"]*)"(?=\s|$)')


class FenceError(ValueError):
    """A page that can be neither rendered nor run; the message says why and, where known, begins with `file:line: `."""


@dataclass(frozen=True)
class Fence:
    """What one fence asks for.

    `kind` is one of: bash, output, file, diff, python, illustration, not run. `exit` is the status demanded,
    `timeout` in seconds, `requires` such as `django>=6.0`, `not_run` the reason why it is not run, if it is not.
    """

    kind: str
    language: str
    title: str | None = None
    exit: int = 0
    timeout: float = DEFAULT_TIMEOUT
    requires: str | None = None
    not_run: str | None = None


def parse_info(info: str) -> Fence:
    """Take the text after the backticks, such as `bash {exit="1"}`, and return its Fence.

    Raises FenceError (without a place) for everything that the grammar does not know.
    """
    spelled = SPELLING.fullmatch(info.rstrip())
    if not spelled or bool(spelled["open"]) != bool(spelled["close"]):
        raise FenceError(_misspelled(info))
    language = spelled["language"]
    if language not in LANGUAGES:
        raise FenceError(_unknown_language(language))
    options = _options(spelled["pairs"] or "")
    kind = _kind(language, options)
    _refuse_options_out_of_place(kind, language, options)
    return Fence(
        kind=kind,
        language=language,
        title=options.get("title"),
        exit=_status(options.get("exit")),
        timeout=_seconds(options.get("timeout")),
        requires=_requirement(options.get("requires")),
        not_run=_reason(options.get("run")),
    )


def _misspelled(info: str) -> str:
    if not info.strip():
        return "a fence needs a language: bash, output, python, diff, or an illustration such as text"
    return f'cannot read the fence "{info.strip()}": write ```bash, ```python title="app/models.py" or ```bash {{exit="1"}}'


def _unknown_language(language: str) -> str:
    if language in INSTEAD:
        return f"unknown language '{language}': write {INSTEAD[language]}"
    return (
        f"unknown language '{language}': it is neither run (bash, python), nor checked (output), nor applied (diff), "
        f"nor an illustration ({', '.join(ILLUSTRATIONS)})"
    )


def _options(pairs: str) -> dict[str, str]:
    options: dict[str, str] = {}
    position = 0
    while pairs[position:].strip():
        pair = PAIR.match(pairs, position)
        if not pair:
            raise FenceError(f'cannot read the option "{pairs[position:].strip()}": write name="value"')
        name, value = pair.groups()
        if name not in ("title", "exit", "timeout", "requires", "run"):
            raise FenceError(f"unknown option '{name}': there are title, exit, timeout, requires and run")
        if name in options:
            raise FenceError(f"the option '{name}' is given twice")
        options[name] = value
        position = pair.end()
    return options


def _kind(language: str, options: dict[str, str]) -> str:
    title = options.get("title")
    if title is not None and ("/" not in title or title.startswith("/") or ".." in title.split("/")):
        raise FenceError(f"the title '{title}' is not a path inside the project: write app/file.py, or ./file.py")
    if language == "diff" and title is None:
        raise FenceError('a diff names the file that it changes: write ```diff title="app/models.py"')
    if language == "output" and options:
        raise FenceError("an output block takes no options: it shows what the block above prints")
    if "run" in options:
        return "not run"
    if language in ("output", "diff"):
        return language
    if title is not None:
        return "file"
    return language if language in EXECUTED else "illustration"


def _refuse_options_out_of_place(kind: str, language: str, options: dict[str, str]) -> None:
    if kind == "illustration" and options or kind == "not run" and language in ILLUSTRATIONS and "title" not in options:
        raise FenceError(f"an illustration ({language}) is not run and takes no options")
    for name in ("exit", "timeout"):
        if name in options and kind not in EXECUTED:
            raise FenceError(f"'{name}' belongs to a block that is run (bash, python), and this one is not")


def _status(value: str | None) -> int:
    if value is None:
        return 0
    if not re.fullmatch(r"[0-9]{1,3}", value) or not 1 <= int(value) <= 255:
        raise FenceError(f'exit="{value}" is not a failing status: write a number from 1 to 255')
    return int(value)


def _seconds(value: str | None) -> float:
    if value is None:
        return DEFAULT_TIMEOUT
    if not re.fullmatch(r"[0-9]+(\.[0-9]+)?", value) or float(value) <= 0:
        raise FenceError(f'timeout="{value}" is not a number of seconds above 0')
    return float(value)


def _requirement(value: str | None) -> str | None:
    if value is None:
        return None
    try:
        requirement = Requirement(value)
    except InvalidRequirement:
        raise FenceError(f'requires="{value}" cannot be read: write django>=6.0') from None
    if requirement.name not in REQUIRED_NAMES or not requirement.specifier:
        raise FenceError(f'requires="{value}" needs one of {", ".join(REQUIRED_NAMES)} and a version')
    return value


def _reason(value: str | None) -> str | None:
    if value is None:
        return None
    answer, _, reason = value.partition(":")
    if answer.strip() != "no" or not reason.strip():
        raise FenceError(f'run="{value}" gives no reason: write run="no: why nobody can run this here"')
    return reason.strip()

"""Name the error in a pasted text.

The rule: of all messages that the text holds, the earliest one is the cause, and what comes after is a consequence of it.
Django needs this rule: SQLite's schema editor checks foreign keys also while another exception passes, so that the last
line of a traceback may be an IntegrityError that nobody caused; and after a first failure PostgreSQL refuses every
statement. A message of low weight (a notice, a prompt's end) is the cause only where nothing better stands in the text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from migration_runbooks.catalogue.errors import Clue, Error, all_errors
from migration_runbooks.explain.clean import FLAGS, clean, rules, translate
from migration_runbooks.explain.patterns import literal

STRONG = 0.5
WRAPPED = 0.9
CONSEQUENCE = 0.6
NO_SIGN_OF_DJANGO = 0.8
EVIDENCE_LENGTH = 400


@dataclass(frozen=True)
class Match:
    """One error that a text shows.

    score is how surely the reader is on the right page: the weight of the message (1: no other error prints it; below
    0.5: a notice that often means nothing), times 0.9 when it was found only across line ends, times 0.8 when nothing
    in the text shows that it came from Django; an error that follows from an earlier one has at most 0.6.
    """

    error: str
    score: float
    evidence: str
    """The line that decided, without the prefixes of logs and in English."""
    inputs: dict[str, str] = field(default_factory=dict)
    runbooks: tuple[str, ...] = ()
    url: str = ""


@dataclass(frozen=True)
class Finding:
    error: Error
    weight: float
    line: int
    evidence: str
    inputs: dict[str, str]


def explain(text: str, errors: Iterable[Error] | None = None) -> list[Match]:
    """Return the errors that a text shows, the cause first; an empty list when it shows none that the guide knows."""
    errors = all_errors() if errors is None else tuple(errors)
    pasted, text = text, clean(text)
    signs = f"{pasted}\n{text}"
    django = re.search(rules()["django"], signs, FLAGS)
    if not django and re.search(rules()["foreign"], signs, FLAGS):
        return []
    findings = list(_in_lines(text, errors))
    strong = [finding for finding in findings if finding.weight >= STRONG]
    if not strong:
        findings += _across_lines(text, errors)
    elif not max(strong, key=lambda finding: finding.weight).inputs:
        findings += _across_lines(text, {finding.error.slug: finding.error for finding in strong}.values())
    return _matches(findings, text.split("\n"), 1 if django else NO_SIGN_OF_DJANGO)


def _in_lines(text: str, errors: Iterable[Error]) -> Iterator[Finding]:
    lines = text.split("\n")
    for error, clue in _candidates(text, text, errors):
        words, pattern = literal(clue.pattern), re.compile(clue.pattern, FLAGS)
        for number, line in enumerate(lines):
            found = pattern.search(line) if words in line else None
            if found:
                yield Finding(error, clue.weight, number, line.strip()[:EVIDENCE_LENGTH], _inputs(found))
                break


def _across_lines(text: str, errors: Iterable[Error]) -> Iterator[Finding]:
    """Find what a mail wrapped between words, or a narrow terminal anywhere: there a full line goes on in the next."""
    lines = text.split("\n")
    width = max(len(line) for line in lines)
    for glued in ([line.strip() + " " for line in lines], [line.ljust(min(len(line) + 1, width)) for line in lines]):
        flat = translate("".join(glued))
        for error, clue in _candidates(flat, text, errors):
            found = re.search(clue.pattern, flat, FLAGS)
            if found:
                line = _line_at(found.start(), glued)
                yield Finding(error, clue.weight * WRAPPED, line, found[0][:EVIDENCE_LENGTH], _inputs(found))


def _candidates(flat: str, text: str, errors: Iterable[Error]) -> Iterator[tuple[Error, Clue]]:
    for error in errors:
        for clue in (*error.messages, *error.clues):
            if literal(clue.pattern) in flat and _fits(clue, text):
                yield error, clue


def _fits(clue: Clue, text: str) -> bool:
    contexts = rules()["contexts"]
    if clue.needs and not re.search(contexts[clue.needs], text, FLAGS):
        return False
    return not (clue.unless and re.search(contexts[clue.unless], text, FLAGS))


def _inputs(found: re.Match) -> dict[str, str]:
    return {name: value for name, value in found.groupdict().items() if value}


def _line_at(position: int, lines: list[str]) -> int:
    for number, line in enumerate(lines):
        position -= len(line)
        if position < 0:
            return number
    return len(lines) - 1


def _matches(findings: list[Finding], lines: list[str], certainty: float) -> list[Match]:
    of_errors: dict[str, list[Finding]] = {}
    for finding in sorted(findings, key=lambda finding: (-finding.weight, finding.line)):
        of_errors.setdefault(finding.error.slug, []).append(finding)
    ranked = sorted(of_errors.values(), key=_rank)
    matches: list[Match] = []
    for place, group in enumerate(ranked):
        score = group[0].weight * certainty
        if place and _rank(group)[:2] > _rank(ranked[0])[:2]:
            score *= CONSEQUENCE
        matches.append(_match(group, lines, min([score] + [match.score for match in matches])))
    return matches


def _rank(group: list[Finding]) -> tuple[bool, int, float]:
    """Order the errors of a text: notices last, then by their first line, then by the surest message on that line."""
    strong = [finding for finding in group if finding.weight >= STRONG] or group
    return group[0].weight < STRONG, min(finding.line for finding in strong), -group[0].weight


def _match(group: list[Finding], lines: list[str], score: float) -> Match:
    inputs: dict[str, str] = {}
    for finding in group:
        for name, value in finding.inputs.items():
            if name not in inputs or (" " in inputs[name] and " " not in value):
                inputs[name] = value
    if not {"APP", "MIGRATION"} & inputs.keys():
        inputs |= _running(lines[: group[0].line + 1])
    error = group[0].error
    rounded = int(score * 100 + 0.5) / 100  # as JavaScript rounds
    return Match(error.slug, rounded, group[0].evidence, inputs, error.runbooks, f"errors/{error.slug}/")


def _running(lines: list[str]) -> dict[str, str]:
    """Return APP and MIGRATION of the migration that was being applied."""
    pattern = re.compile(rules()["running"], FLAGS)
    for line in reversed(lines):
        found = pattern.search(line)
        if found:
            return _inputs(found)
    return {}

"""The lines at the end of a run that say what was proven, and what was not."""

from __future__ import annotations

from collections import Counter

NAMES = {"sqlite": "SQLite", "postgresql": "PostgreSQL", "mariadb": "MariaDB"}
RESULTS = ("passed", "written", "illustrated", "not run", "skipped", "blocked", "failed")


def summary(rows: list[dict], run: dict) -> list[str]:
    """Take the rows of the ledger and what run.json says, and return the lines for people."""
    pages = {row["page"] for row in rows}
    blocks = {(row["page"], row["ordinal"]) for row in rows}
    lines = [f"{count(len(pages), 'page')}, {count(len(blocks), 'block')}"]
    lines += [_database_line(name, rows, run["absent"]) for name in (*NAMES, None)]
    lines += [f"not run: {reason}" for reason in _reasons(rows, "not run")]
    lines += [f"skipped: {reason}" for reason in _reasons(rows, "skipped", set(run["absent"]))]
    mismatches = Counter(row["result"] for row in rows)["failed"]
    lines.append(f"mismatches: {mismatches}")
    if not run["complete"]:
        lines.append(f"this ledger is not complete: {run['why']}")
    return [line for line in lines if line]


def count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _database_line(database: str | None, rows: list[dict], absent: dict[str, str]) -> str:
    found = Counter(row["result"] for row in rows if row["database"] == database)
    if not found:
        return ""
    if database in absent:
        return f"{NAMES[database]}: not here: {absent[database]}"
    servers = sorted({row["server"] for row in rows if row["database"] == database and row["server"]})
    name = " ".join([NAMES.get(database, "no database"), *servers])
    results = [f"{found[result]} {'run' if result == 'passed' else result}" for result in RESULTS if found[result]]
    return f"{name}: {', '.join(results)}"


def _reasons(rows: list[dict], result: str, absent: set[str] = frozenset()) -> list[str]:
    places = {
        (row["file"], row["line"], row["reason"])
        for row in rows
        if row["result"] == result and row["database"] not in absent
    }
    return [f"{file}:{line}: {reason}" for file, line, reason in sorted(places)]

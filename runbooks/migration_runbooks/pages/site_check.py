"""Compare the built site with what CI ran: what a reader copies from each page must be, to the letter, what was run.

    python -m migration_runbooks.pages.site_check site/ build/ledger/ docs/

Prints one line a mismatch and one line of numbers; exit 1 on any mismatch.
"""

from __future__ import annotations

import sys
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from .blocks import Block, Page, read_page
from .copied import Copied, copied_blocks
from .fences import FenceError
from .ledger import description, on, variants
from .rendering import GENERATED
from .requests import external_requests
from .runs import ledger_rows, page_name
from .snippets import shown

BAD = ("failed", "blocked")

Ran = dict[tuple[int, str | None], list[dict]]
"""The ledger's rows of one page, by ordinal and database."""


@dataclass
class Check:
    """The mismatches found so far, and the numbers for the last line."""

    mismatches: list[str] = field(default_factory=list)
    numbers: Counter = field(default_factory=Counter)
    reasons: Counter = field(default_factory=Counter)

    def wrong(self, place: str, problem: str) -> None:
        self.mismatches.append(f"{place}: {problem}")


def check_site(site: Path, ledger: Path, docs: Path) -> Check:
    """Compare every page of `docs` with its HTML in `site` and its rows in `ledger`. Reads only."""
    check = Check()
    _check_run(check, ledger)
    ran: dict[str, Ran] = {}
    for row in ledger_rows(ledger):
        ran.setdefault(row["page"], {}).setdefault((row["ordinal"], row["database"]), []).append(row)
    for file in sorted(docs.rglob("*.md")):
        name = page_name(file, docs)
        _check_page(check, file, docs, built_file(site, file.relative_to(docs)), ran.pop(name, {}))
    for name in ran:
        check.wrong(name, "CI ran this page and it is not among the pages")
    for place, address in external_requests(site):
        check.wrong(place, f"the page makes the reader's browser ask {address}")
    if not check.numbers["pages"]:
        check.wrong(shown(docs), "there are no pages here")
    return check


def built_file(site: Path, page: Path) -> Path:
    """Return where MkDocs puts a page, with or without directory addresses."""
    if page.stem in ("index", "README"):
        return site / page.parent / "index.html"
    directory = site / page.with_suffix("") / "index.html"
    return directory if directory.is_file() else site / page.with_suffix(".html")


def _check_run(check: Check, ledger: Path) -> None:
    try:
        run = description(ledger)
    except FileNotFoundError:
        check.wrong(shown(ledger), "there is no ledger: run scripts/test first")
        return
    if not run["complete"]:
        check.wrong(shown(ledger), f"the ledger is not complete: {run['why']}")
    # Said even where no block waited for the database; the skipped blocks are counted with their own reason.
    for database, why in run["absent"].items():
        check.reasons[f"{database} was not in this run: {why}"] += 0


def _check_page(check: Check, file: Path, docs: Path, html: Path, ran: Ran) -> None:
    if not html.is_file():
        check.wrong(shown(file), f"this page is not in the site: no {shown(html)}")
        return
    try:
        page = read_page(file, docs.parent)
    except FenceError as problem:
        check.mismatches.append(str(problem))
        return
    check.numbers["pages"] += 1
    copied = [block for block in copied_blocks(html.read_text(encoding="utf-8")) if block.kind != GENERATED]
    _check_order(check, page, copied)
    shown_blocks = {block.ordinal: block for block in copied}
    for block in page.blocks:
        if block.ordinal in shown_blocks:
            _check_block(check, block, shown_blocks[block.ordinal], ran)
    for (ordinal, _), ran_rows in ran.items():
        if ordinal not in shown_blocks:
            row = ran_rows[0]
            check.wrong(f"{row['file']}:{row['line']}", f"CI ran '{_short(row['text'])}' and the page does not show it")


def _check_order(check: Check, page: Page, copied: list[Copied]) -> None:
    for block in copied:
        if block.kind is None:
            check.wrong(shown(page.path), f"the reader copies '{_short(block.text)}', which is no block of the page")
    ordinals = [block.ordinal for block in copied if block.kind is not None]
    due = [block.ordinal for block in page.blocks]
    if ordinals != due:
        check.wrong(shown(page.path), f"the page shows the blocks {ordinals}, and they are {due}")


def _check_block(check: Check, block: Block, copied: Copied, ran: Ran) -> None:
    place = f"{shown(block.file)}:{block.line}"
    check.numbers["blocks"] += 1
    for database in variants(block.page):
        if block not in on(block.page, database):
            continue
        found = ran.get((block.ordinal, database), [])
        if not found:
            check.wrong(place, f"CI did not meet '{_short(copied.text)}'{f' on {database}' if database else ''}")
        for row in found:
            _check_row(check, place, copied, row)


def _check_row(check: Check, place: str, copied: Copied, row: dict) -> None:
    if row["text"].rstrip() != copied.text:
        reader, ci = _apart(copied.text, row["text"].rstrip())
        check.wrong(place, f"the reader copies '{reader}' but CI ran '{ci}'")
    if row["kind"] != copied.kind:
        check.wrong(place, f"the reader sees a block of kind '{copied.kind}' but CI took it for '{row['kind']}'")
    if copied.has_button != (copied.kind != "output"):
        check.wrong(place, f"this block ({copied.kind}) {'has' if copied.has_button else 'lacks'} a copy button")
    if row["result"] in BAD:
        check.wrong(place, f"CI ran it on {row['database']} and it {row['result']}: {row['reason']}")
    check.numbers[row["result"]] += 1
    if row["result"] in ("not run", "skipped"):
        check.reasons[f"{row['result']}: {row['reason']}"] += 1


def _apart(reader: str, ci: str) -> tuple[str, str]:
    """Return the first lines that differ, shortened."""
    pairs = zip([*reader.split("\n"), ""], [*ci.split("\n"), ""], strict=False)
    return next(((_short(one), _short(other)) for one, other in pairs if one != other), (_short(reader), _short(ci)))


def _short(text: str) -> str:
    first = text.strip("\n").partition("\n")[0]
    return first if len(first) <= 100 else first[:99] + "…"


def main(arguments: list[str]) -> int:
    if len(arguments) != 3:
        print("usage: python -m migration_runbooks.pages.site_check SITE LEDGER DOCS", file=sys.stderr)
        return 2
    check = check_site(*(Path(argument).resolve() for argument in arguments))
    for line in check.mismatches:
        print(line)
    for reason, count in sorted(check.reasons.items()):
        print(f"{reason} ({count} blocks)" if count else reason)
    numbers = check.numbers
    results = ", ".join(
        f"{numbers[name]} {name}" for name in ("passed", "written", "illustrated", "not run", "skipped")
    )
    print(
        f"site check: {numbers['pages']} pages, {numbers['blocks']} blocks; {results}; {len(check.mismatches)} mismatches"
    )
    return 1 if check.mismatches else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

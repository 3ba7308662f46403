"""From real texts, plain and in disguise, to the right error; capture.py made the fixtures by running Django."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from disguises import DISGUISES
from migration_runbooks.explain import explain

FIXTURES = Path(__file__).parent / "fixtures"
CONSTRAINT = "loans_loan_book_23d27dba_fk_library_book_id"
ORPHAN = {"COLUMN": "book", "PARENT_TABLE": "library_book", "CONSTRAINT": CONSTRAINT}
EXPECTED = {
    "inconsistent-history-sqlite": (
        "inconsistent-migration-history",
        {"APP": "loans", "MIGRATION": "0001_initial", "DEPENDENCY_APP": "library", "DEPENDENCY": "0002_shelf"},
    ),
    "circular-dependency-sqlite": (
        "circular-dependency",
        {"APP": "loans", "MIGRATION": "0001_initial", "OTHER_APP": "library", "OTHER_MIGRATION": "0001_initial"},
    ),
    "conflicting-migrations-sqlite": (
        "conflicting-migrations",
        {"APP": "loans", "MIGRATION": "0002_a", "OTHER_MIGRATION": "0002_b"},
    ),
    "missing-parent-sqlite": (
        "missing-parent-migration",
        {"APP": "loans", "MIGRATION": "0003_b", "PARENT_APP": "loans", "PARENT": "0002_a"},
    ),
    "foreign-key-violation-sqlite": (
        "foreign-key-violation",
        {"TABLE": "loans_loan", "KEY": "1", "COLUMN": "book", "VALUE": "99", "PARENT_TABLE": "library_book"},
    ),
    **{
        f"foreign-key-violation-postgresql-{language}": (
            "foreign-key-violation",
            ORPHAN | {"TABLE": "loans_loan", "VALUE": "99", "APP": "loans", "MIGRATION": "0002_alter_loan_book"},
        )
        for language in ("en", "de", "fr", "es", "ru", "ja")
    },
    "foreign-key-violation-mariadb-en": ("foreign-key-violation", ORPHAN),
    "foreign-key-violation-mariadb-de": (
        "foreign-key-violation",
        {"APP": "loans", "MIGRATION": "0002_alter_loan_book"},
    ),
    "changes-not-migrated-sqlite": ("changes-not-migrated", {}),
    "irreversible-migration-sqlite": ("irreversible-migration", {"APP": "loans", "MIGRATION": "0002_a"}),
    "import-query-sqlite": ("query-at-import", {"TABLE": "library_book"}),
    "views-query-sqlite": ("query-at-import", {"TABLE": "library_book"}),
    "related-model-sqlite": ("related-model-unresolved", {"TARGET_APP": "gone", "TARGET_MODEL": "book"}),
    "invalid-bases-sqlite": ("invalid-bases", {"APP": "loans", "MODEL": "Loan"}),
    "many-to-many-sqlite": ("many-to-many-altered", {"APP": "loans", "MODEL": "Loan", "FIELD": "book"}),
    "model-lookup-sqlite": ("historical-model-lookup", {"TARGET_APP": "library", "APP": "loans", "MIGRATION": "0002_a"}),
    "state-field-sqlite": ("model-state-mismatch", {"FIELD": "zzz", "APP": "loans", "MIGRATION": "0002_a"}),
    "state-model-sqlite": ("model-state-mismatch", {"APP": "loans", "MODEL": "nomodel"}),
    "state-rename-sqlite": ("model-state-mismatch", {"APP": "loans", "FIELD": "zzz"}),
    "index-or-constraint-mismatch-sqlite": (
        "index-or-constraint-mismatch",
        {"COUNT": "0", "TABLE": "loans_loan", "APP": "loans", "MIGRATION": "0002_a"},
    ),
    "cannot-serialize-sqlite": ("cannot-serialize", {}),
    "bad-migration-file-sqlite": ("bad-migration-file", {"APP": "loans", "MIGRATION": "0002_x"}),
    "bad-migration-import-sqlite": ("bad-migration-file", {"MODULE": "loans.gone"}),
    "bad-migration-syntax-sqlite": ("bad-migration-file", {}),
    "sqlite-rebuild-refused-sqlite": ("sqlite-rebuild-refused", {}),
    "squash-problem-sqlite": ("squash-problem", {"APP": "loans", "MIGRATION": "0004_c", "PARENT": "0003_b"}),
    "app-label-not-found-sqlite": ("migration-name-not-found", {"APP": "zzz"}),
    "migration-name-not-found-sqlite": ("migration-name-not-found", {"APP": "loans", "MIGRATION": "0009"}),
    "table-already-exists-sqlite": ("table-already-exists", {"TABLE": "loans_loan", "APP": "loans", "MIGRATION": "0001_initial"}),
    "column-already-exists-sqlite": ("column-already-exists", {"COLUMN": "due", "APP": "loans", "MIGRATION": "0002_loan_due"}),
    "null-values-found-sqlite": (
        "null-values-found",
        {"TABLE": "loans_loan", "COLUMN": "z", "APP": "loans", "MIGRATION": "0002_a"},
    ),
    "duplicate-values-found-sqlite": (
        "duplicate-values-found",
        {"TABLE": "loans_loan", "COLUMN": "book", "APP": "loans", "MIGRATION": "0002_a"},
    ),
    "non-nullable-without-default-sqlite": ("non-nullable-without-default", {"FIELD": "n", "MODEL": "book"}),
}
NOT_OURS = ("healthy-sqlite", "refused-connection-sqlite", "missing-package-sqlite")


def test_no_fixture_names_a_folder_of_the_machine_that_made_it():
    everywhere = ("/usr", "/usr/local")  # where Python lies on most machines
    own = [f"{folder}/" for folder in (Path.home(), sys.base_prefix) if str(folder) not in everywhere]
    private = ("/home/", *own, "pyenv")
    texts = {file.name: file.read_text() for file in FIXTURES.glob("*.txt")}
    assert [name for name, text in texts.items() if any(folder in text for folder in private)] == []


def read(name: str) -> str:
    return (FIXTURES / f"{name}.txt").read_text()


@pytest.mark.parametrize("disguise", DISGUISES)
@pytest.mark.parametrize("name", EXPECTED)
def test_right_error_and_inputs(name: str, disguise: str):
    slug, inputs = EXPECTED[name]
    match = explain(DISGUISES[disguise](read(name)))[0]
    assert match.error == slug
    assert {key: match.inputs.get(key) for key in inputs} == inputs


# Its last line is that of a missing table; the lines above say when it was asked for.
TOLD_BY_ITS_LAST_LINE = [name for name, (slug, _inputs) in EXPECTED.items() if slug != "query-at-import"]


@pytest.mark.parametrize("name", TOLD_BY_ITS_LAST_LINE)
def test_last_line_alone_is_enough(name: str):
    text = read(name).rstrip().split("django.db")[-1]
    assert explain("django.db" + text)[0].error == EXPECTED[name][0]


@pytest.mark.parametrize("disguise", DISGUISES)
@pytest.mark.parametrize("name", NOT_OURS)
def test_no_migration_problem(name: str, disguise: str):
    assert explain(DISGUISES[disguise](read(name))) == []


def test_cause_before_what_hides_it():
    matches = explain(read("hidden-cause-sqlite"))
    assert [match.error for match in matches] == ["missing-table-or-column", "foreign-key-violation"]
    assert matches[0].inputs["TABLE"] == "library_author"
    assert matches[0].score > matches[1].score


def test_evidence_is_the_line_that_decided():
    match = explain(DISGUISES["docker compose"](read("inconsistent-history-sqlite")))[0]
    assert match.evidence == read("inconsistent-history-sqlite").rstrip().split("\n")[-1]
    assert match.score == 1


# One text a line: the error, a tab, the text with "\\n" for line ends.
WORDINGS = [line.split("\t") for line in (FIXTURES.parent / "wordings.tsv").read_text().splitlines()]


@pytest.mark.parametrize(("slug", "text"), WORDINGS)
def test_wording(slug: str, text: str):
    matches = explain(text.replace("\\n", "\n"))
    assert (matches[0].error if matches else "none") == slug


@pytest.mark.parametrize("text", ["", "\n\n", "the migration of birds across the sea", "\x00\xff\ufffd", "]{2}(((*"])
def test_text_without_meaning(text: str):
    assert explain(text) == []


def test_request_of_a_running_site_is_no_migration():
    text = "Internal Server Error: /loans/3/delete\ndjango.db.utils.IntegrityError: FOREIGN KEY constraint failed"
    assert explain(text) == []


def test_error_at_the_end_of_a_long_log():
    text = "web_1  | 10.0.0.1 GET /books/ 200\n" * 50_000 + read("foreign-key-violation-postgresql-de")
    assert explain(text)[0].error == "foreign-key-violation"

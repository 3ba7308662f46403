"""Runbooks and errors as they are read from their folders."""

from __future__ import annotations

import pytest
from migration_runbooks import paths
from migration_runbooks.catalogue.errors import all_errors, load_error
from migration_runbooks.catalogue.reading import CatalogueError
from migration_runbooks.catalogue.runbooks import NoSuchRunbook, all_runbooks, find, load_runbook

GOOD = """\
title = "Mend it"
summary = "Mends it."
errors = ["broken-note"]
databases = ["sqlite", "mariadb"]
locks = "None."
duration = "Short."
undo = "All comes back."
[risk]
reproduce = "Changes data"
diagnose = "Reads only"
fix = "Changes data"
verify = "Reads only"
[[inputs]]
name = "APP"
meaning = "The app."
found = "Diagnose prints it."
example = ""
"""
ERROR = """\
title = "Broken note"
summary = "It is broken."
at_risk = "No."
[[messages]]
databases = ["sqlite"]
text = "broken <note>"
pattern = '''broken (?P<NOTE>\\w+)'''
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A catalogue of one good runbook and one good error."""
    monkeypatch.setattr(paths, "RUNBOOKS", tmp_path / "runbooks")
    monkeypatch.setattr(paths, "ERRORS", tmp_path / "errors")
    (tmp_path / "errors").mkdir()
    (tmp_path / "errors" / "broken-note.toml").write_text(ERROR)
    folder = tmp_path / "runbooks" / "mend-it"
    folder.mkdir(parents=True)
    (folder / "runbook.toml").write_text(GOOD)
    for name in ("reproduce", "diagnose", "fix.sqlite", "fix", "verify"):
        (folder / f"{name}.sh").write_text("")
    return folder


def test_everything_published_loads():
    assert {slug for each in all_runbooks() for slug in each.errors} <= {each.slug for each in all_errors()}
    assert [each.slug for each in all_runbooks()] == sorted(each.slug for each in all_runbooks())


def test_runbook(folder):
    runbook = find("mend-it")
    assert (runbook.slug, runbook.title, runbook.errors) == ("mend-it", "Mend it", ("broken-note",))
    assert runbook.script("fix", "sqlite").name == "fix.sqlite.sh"
    assert runbook.script("fix", "mariadb").name == "fix.sh"
    assert runbook.script("undo", "sqlite") is None
    assert [file.name for _step, file in runbook.scripts()] == [
        "reproduce.sh",
        "diagnose.sh",
        "fix.sh",
        "fix.sqlite.sh",
        "verify.sh",
    ]


def test_error_knows_its_runbooks_from_theirs(folder):
    (error,) = all_errors()
    assert error.runbooks == ("mend-it",)
    assert error.messages[0].text == "broken <note>"


def test_no_such_runbook_names_the_nearest(folder):
    with pytest.raises(NoSuchRunbook, match="Did you mean mend-it?"):
        find("mend")
    with pytest.raises(NoSuchRunbook, match="`runbook list` shows all"):
        find("../x")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('title = "Mend it"\n', "", "title is missing"),
        ('title = "Mend it"', 'title = " "', "title is empty"),
        ('title = "Mend it"', "title = 1", "title must be a str"),
        ('title = "Mend it"', 'title = "Mend it"\nmore = 1', "unknown field more"),
        ('title = "Mend it"', "title = ", "Invalid"),
        ('"mariadb"', '"oracle"', "databases must name some of sqlite, postgresql, mariadb"),
        ('"broken-note"', '"other"', "there is no error other"),
        ("[risk]", "django = 0\n[risk]", "django must be a bool"),
        ("[risk]", "django = false\n[risk]", "django = false is for a fix that changes files only"),
        ('fix = "Changes data"', 'fix = "Harmless"', "risk of fix must be one of Reads only,"),
        ('fix = "Changes data"\n', "", "risk of fix is missing"),
        ("[risk]", '[risk]\nundo = "Changes data"', "risk names undo, but there is no undo.sh"),
        ("[risk]", '[risk]\nbreak = "Changes data"', "'break' is not one of"),
        ('name = "APP"', 'name = "app"', "inputs 1: name must be capitals"),
        ('name = "APP"', 'name = "LD_PRELOAD"', "not a name that steers programs"),
        ('name = "APP"\n', "", "inputs 1: name is missing"),
        (
            "[[inputs]]",
            "[[causes]]\nname='a'\ntitle='A'\n[[causes]]\nname='b'\ntitle='B'\n[[inputs]]",
            "reproduce.b.sh is missing",
        ),
    ],
)
def test_faulty_runbook_is_refused_in_words(folder, old, new, said):
    file = folder / "runbook.toml"
    assert old in GOOD
    file.write_text(GOOD.replace(old, new, 1))
    with pytest.raises(CatalogueError) as refused:
        load_runbook(folder)
    assert said in str(refused.value)
    assert str(refused.value).startswith("mend-it/runbook.toml: ")


def test_without_django_the_scripts_are_those_of_any_database(folder):
    (folder / "runbook.toml").write_text(GOOD.replace("[risk]", "django = false\n[risk]").replace('fix = "Changes data"', 'fix = "Changes files"'))
    assert load_runbook(folder).script("fix", "").name == "fix.sh"
    (folder / "fix.sh").rename(folder / "fix.mariadb.sh")
    with pytest.raises(CatalogueError, match="fix.sh is missing"):
        load_runbook(folder)


def test_every_database_needs_its_scripts(folder):
    (folder / "fix.sh").unlink()
    with pytest.raises(CatalogueError, match="fix.sh is missing for mariadb"):
        load_runbook(folder)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('at_risk = "No."\n', "", "at_risk is missing"),
        ('databases = ["sqlite"]', "databases = []", "messages 1: databases must name"),
    ],
)
def test_faulty_error_is_refused_in_words(folder, old, new, said):
    file = paths.ERRORS / "broken-note.toml"
    file.write_text(ERROR.replace(old, new, 1))
    with pytest.raises(CatalogueError, match=said):
        load_error(file)

"""A clean database has no findings: the guarantee on which all others rest."""

from __future__ import annotations

import pytest
from migration_runbooks.paths import RUNBOOKS
from migration_runbooks.worlds import open_library
from migration_runbooks.worlds.djangos import DJANGOS

on_every_django = pytest.mark.parametrize("django", DJANGOS, indirect=True)


@pytest.mark.parametrize("options", [(), ("--quick",)], ids=" ".join)
def test_acharya_is_clean(checked, options):
    report = checked.report(*options)
    assert report["findings"] == []
    assert report["status"] == 0


@on_every_django
def test_acharya_is_clean_on_every_django(checked, django):
    report = checked.report("--level=info")
    assert (report["findings"], report["status"]) == ([], 0)
    assert checked.sandbox.manage("version").stdout.startswith(django)


@on_every_django
def test_the_library_is_clean(database, cache, tmp_path, acharya):
    with open_library(database, tmp_path, environment=acharya.environment) as sandbox:
        with (sandbox.project / "lending" / "settings.py").open("a") as settings:
            settings.write('\nINSTALLED_APPS += ["migration_runbooks"]\n')
        done = sandbox.run("python", "manage.py", "check_migration_integrity", f"--cache-dir={cache}", PYTHONPATH=str(RUNBOOKS))
        assert (done.status, done.output.strip()) == (0, "Files, history, schema and rows agree.")


def test_nothing_is_changed(checked):
    before, files = checked.sandbox.snapshot(), checked.sandbox.files()
    checked.command()
    assert checked.sandbox.snapshot() == before
    assert checked.sandbox.files() == files

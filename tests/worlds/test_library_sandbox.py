"""The lending library has nothing of this project, and shares nothing with Acharya."""

from __future__ import annotations

from migration_runbooks.worlds import open_sandbox

DJANGOS_OWN = ("django_", "auth_")


def test_nothing_of_this_project_is_installed(library):
    done = library.run("python", "-c", "import migration_runbooks")
    assert done.status == 1 and "No module named 'migration_runbooks'" in done.stderr
    assert library.run("bash", "-c", "command -v uv || command -v runbook").output == ""


def test_its_django_is_the_one_under_test(library):
    import django

    assert library.manage("version").stdout.strip() == django.__version__


def test_lies_in_a_folder_with_a_space_and_is_migrated(library):
    assert " " in str(library.project)
    assert library.manage("migrate", "--check").status == 0
    assert library.manage("makemigrations", "--check", "--dry-run").stdout == "No changes detected\n"
    assert library.execute("SELECT COUNT(*) FROM loans_loan") == [(10,)]


def test_shares_no_table_and_no_file_with_acharya(library, tmp_path):
    with open_sandbox("healthy", library.database, tmp_path) as acharya:
        shared = set(library.snapshot().schema) & set(acharya.snapshot().schema)
        assert all(table.startswith(DJANGOS_OWN) for table in shared)
        assert set(library.files()) & set(acharya.files()) == {"manage.py", "seed.sh"}

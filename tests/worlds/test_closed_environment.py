"""What runs in a sandbox sees the sandbox's own variables and nothing of the machine's."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from migration_runbooks.worlds import Project, open_sandbox
from migration_runbooks.worlds.library import LIBRARY, variables

EVERYWHERE = {
    *("HOME", "TMPDIR", "PATH", "VIRTUAL_ENV", "UV_OFFLINE", "UV_NO_PROJECT", "UV_PYTHON_DOWNLOADS"),
    *("LC_ALL", "TZ", "COLUMNS", "PYTHONHASHSEED", "NO_COLOR", "PYTHONDONTWRITEBYTECODE", "DATABASE_URL"),
}
OF_DATABASE = {"sqlite": set(), "postgresql": {"PGHOST", "PGUSER", "PGDATABASE"}, "mariadb": {"MYSQL_HOME"}}


@pytest.fixture
def acharya(database, tmp_path, monkeypatch):
    monkeypatch.setenv("POISON", "leaks")
    monkeypatch.setenv("PGPASSWORD", "leaks")
    monkeypatch.setenv("DJANGO_SETTINGS_MODULE", "leaks.settings")
    with open_sandbox("healthy", database, tmp_path) as sandbox:
        yield sandbox


def test_exactly_the_promised_variables_are_there(acharya):
    seen = dict(line.split("=", 1) for line in acharya.run("env").stdout.splitlines())
    assert set(seen) == EVERYWHERE | OF_DATABASE[acharya.database]
    assert seen == acharya.environment
    assert Path(seen["HOME"]).is_relative_to(acharya.project.parent)


def test_the_servers_own_clients_reach_the_database_without_arguments(acharya):
    clients = {
        "sqlite": "uv run manage.py shell -v 0 -c 'from students.models import Student as s; print(s.objects.count())'",
        "postgresql": "psql -tA -c 'SELECT COUNT(*) FROM students_student' && pg_dump > dump && test -s dump",
        "mariadb": "mariadb -N -e 'SELECT COUNT(*) FROM students_student' && mariadb-dump "
        f"{acharya.place.database} > dump && test -s dump",
    }
    done = acharya.run("bash", "-c", clients[acharya.database])
    assert (done.status, done.stdout) == (0, "25\n"), done.output


@pytest.mark.parametrize("pyproject", [None, '[project]\nname = "x"\nversion = "1"\ndependencies = ["requests"]\n'])
def test_uv_run_uses_the_repositorys_environment_and_writes_nothing(acharya, pyproject):
    if pyproject:
        (acharya.project / "pyproject.toml").write_text(pyproject)
    before = acharya.files()
    done = acharya.run("uv", "run", "manage.py", "shell", "-v", "0", "-c", "import sys; print(sys.prefix)")
    assert (done.status, done.output) == (0, f"{sys.prefix}\n")
    assert acharya.files() == before
    assert not (acharya.project / ".venv").exists()


def test_no_python_but_the_environments_is_first_on_path(acharya):
    assert acharya.run("bash", "-c", "command -v python").stdout == f"{sys.prefix}/bin/python\n"


def test_a_project_spells_its_own_variables(tmp_path):
    project = Project(LIBRARY, manage=("python", "manage.py"), variables=variables, with_uv=False)
    with open_sandbox("empty", "sqlite", tmp_path, project) as sandbox:
        assert "DATABASE_URL" not in sandbox.environment
        assert sandbox.environment["LIBRARY_DB_NAME"] == str(sandbox.project / "db.sqlite3")

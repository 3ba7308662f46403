"""Traps of the other pages of Learn that a page shows on one database only, or outside of a migration."""

from __future__ import annotations

import shutil

import pytest
from traps import add_migration, last_error, values

READ_THEN_WRITE = """
def fill(apps, schema_editor):
    User = apps.get_model("users", "User")
    users = list(User.objects.filter(username="head"))
    office = schema_editor.connection.copy()  # another session, which commits at once
    with office.cursor() as cursor:
        cursor.execute("UPDATE users_user SET phone_number = 'changed' WHERE username = 'head'")
    office.close()
    for user in users:
        user.first_name = "Filled"
        {write}
"""
SAVE = "user.save()"
SAVE_ONE_FIELD = 'user.save(update_fields=["first_name"])'
UPDATE = 'User.objects.filter(pk=user.pk).update(first_name="Filled")'

MESSAGES = {
    "postgresql": 'relation "users_user" does not exist',
    "mariadb": "Foreign key constraint is incorrectly formed",
}
ONLY_USERS = """
from acharya.settings import *
INSTALLED_APPS = [app for app in INSTALLED_APPS if app.startswith("django.") or app == "users"]
"""


@pytest.mark.on("postgresql", "mariadb")
@pytest.mark.parametrize("write, kept", [(SAVE, False), (SAVE_ONE_FIELD, True), (UPDATE, True)])
def test_save_in_a_migration_overwrites_what_another_session_committed(school, write, kept):
    add_migration(school, "users", "0006_fill", "0005_user_role_name_index", "migrations.RunPython(fill)",
                  functions=READ_THEN_WRITE.format(write=write))
    done = school.manage("migrate")
    assert done.status == 0, done.output
    assert ("changed" in values(school, "phone_number", "users_user")) is kept
    assert "Filled" in values(school, "first_name", "users_user")


@pytest.mark.world("empty")
def test_user_app_without_migrations_package_stops_all_but_sqlite(school):
    settings = {"DJANGO_SETTINGS_MODULE": "acharya.only_users"}
    shutil.rmtree(school.project / "users" / "migrations")
    (school.project / "acharya" / "only_users.py").write_text(ONLY_USERS)
    made = school.run("uv", "run", "manage.py", "makemigrations", **settings)
    assert made.status == 0 and "No changes detected" in made.output
    done = school.run("uv", "run", "manage.py", "migrate", **settings)
    if school.database == "sqlite":
        assert done.status == 0, done.output
        assert school.execute("SELECT name FROM sqlite_master WHERE name = 'users_user'") == []
    else:
        assert done.status == 1 and MESSAGES[school.database] in last_error(done)

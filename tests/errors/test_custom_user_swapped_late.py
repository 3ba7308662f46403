"""Each cause prints the page's text; the quick fixes turn every check green and lose the accounts."""

from __future__ import annotations

import shutil

import pytest
from advice import find_cause, last_line, on, on_all, on_all_djangos
from sqlite_alone import on_sqlite_alone

SLUG = "custom-user-swapped-late"
RENAMED = f"{SLUG}:renamed"
SETTING_LOST = f"{SLUG}:setting-lost"
E304 = (
    "auth.User.groups: (fields.E304) Reverse accessor 'Group.user_set' for 'auth.User.groups'"
    " clashes with reverse accessor for 'users.User.groups'."
)
NOT_PROVIDED = "was declared with a lazy reference to 'users.member', but app 'users' doesn't provide model 'member'."
SIGN_IN = "from django.contrib.auth import authenticate; print(authenticate(username='head', password='acharya'))"
FIRST_NEW_ACCOUNT = """
from django.contrib.auth import get_user_model
from fees.models import Payment

print(get_user_model().objects.count())
get_user_model().objects.create_user("stranger")
print({str(payment.received_by) for payment in Payment.objects.filter(received_by=1)})
"""
ALL_COMMANDS = """
from django.core.management import call_command as call

call("check")
call("migrate", verbosity=0)
call("migrate", check_unapplied=True)
call("makemigrations", check_changes=True)
"""


def sign_in(sandbox) -> str:
    """What signing in as the head of the school prints: the name, or an error."""
    return sandbox.manage("shell", "-v", "0", "-c", SIGN_IN).output


def nobody_signs_in(sandbox, missing_table: str) -> None:
    printed = sign_in(sandbox)
    assert "django.db.utils." in printed and missing_table in printed


def edit(sandbox, path: str, old: str, new: str) -> None:
    file = sandbox.project / path
    assert old in file.read_text()
    file.write_text(file.read_text().replace(old, new))


def all_green(sandbox) -> None:
    """Assert that Django has nothing to say, in one process instead of four."""
    done = sandbox.manage("shell", "-v", "0", "-c", ALL_COMMANDS)
    assert (done.status, "issues" in done.output) == (0, True), done.output


@on_all
@on_all_djangos
def test_every_cause_prints_a_text_of_the_page_and_changes_nothing(database, opened):
    sandbox = opened(SLUG, database)
    before = sandbox.snapshot()
    assert last_line(sandbox.manage("migrate").output) == "ValueError: Dependency on app with no migrations: users"
    assert before.difference(sandbox.snapshot()) == []

    sandbox = opened(RENAMED, database)
    before = sandbox.snapshot()
    printed = sandbox.manage("migrate").output
    assert f"ValueError: The field admin.LogEntry.user {NOT_PROVIDED}\n" in printed
    assert last_line(printed) == f"The field students.Student_guardians.member {NOT_PROVIDED}"
    assert before.difference(sandbox.snapshot()) == []

    sandbox = opened(SETTING_LOST, database)
    before = sandbox.snapshot()
    assert E304 in sandbox.manage("migrate").output.splitlines()
    assert before.difference(sandbox.snapshot()) == []


def test_app_that_is_not_installed_is_named(opened):
    sandbox = opened("healthy", "sqlite")
    edit(sandbox, "acharya/settings.py", '"users.User"', '"people.User"')
    error = "django.core.exceptions.ImproperlyConfigured: AUTH_USER_MODEL refers to model 'people.User' that has not been installed"
    assert last_line(sandbox.manage("migrate").output) == error
    assert last_line(find_cause(sandbox, SLUG).output) == error


@on_all
def test_check_of_the_page_tells_the_causes_apart(database, opened):
    changed = find_cause(opened(SLUG, database), SLUG).output
    assert "0 migrations of users make: nothing\n" in changed and "auth_user: 28\nusers_user: no such table\n" in changed

    lost = opened("healthy", database)
    for file in (lost.project / "users/migrations").glob("0*.py"):
        file.unlink()
    assert "0 migrations of users make: nothing\nUser models: auth.User users.User\nauth_user: no such table\nusers_user: 28\n" in find_cause(lost, SLUG).output

    renamed = find_cause(opened(RENAMED, database), SLUG).output
    assert renamed.startswith("AUTH_USER_MODEL is users.Member\n5 migrations of users make: User\n")

    setting = find_cause(opened(SETTING_LOST, database), SLUG).output
    assert setting.startswith("AUTH_USER_MODEL is auth.User\n") and "User models: auth.User users.User\n" in setting


@on_all
def test_without_a_migrations_package_all_is_green_and_nobody_signs_in(database, opened):
    sandbox = opened(SLUG, database)
    shutil.rmtree(sandbox.project / "users/migrations")
    all_green(sandbox)
    nobody_signs_in(sandbox, "users_user")


@on_all
def test_syncdb_gives_the_first_new_account_what_belongs_to_another(database, opened):
    sandbox = opened(SLUG, database)
    assert len(sandbox.snapshot().rows["auth_user"]) == 28
    shutil.rmtree(sandbox.project / "users/migrations")
    assert sandbox.manage("migrate", "--run-syncdb").status == 0
    all_green(sandbox)
    assert sandbox.manage("shell", "-v", "0", "-c", FIRST_NEW_ACCOUNT).output == "0\n{'stranger'}\n"


@on("sqlite", "postgresql")
def test_related_names_silence_the_check_and_nobody_signs_in(database, opened):
    sandbox = opened(SETTING_LOST, database)
    related = (
        'groups = models.ManyToManyField("auth.Group", related_name="members")\n'
        '    user_permissions = models.ManyToManyField("auth.Permission", related_name="holders")\n    role = '
    )
    edit(sandbox, "users/models.py", "role = ", related)
    assert sandbox.manage("makemigrations").status == 0
    all_green(sandbox)
    nobody_signs_in(sandbox, "auth_user")


@pytest.mark.parametrize("answer", ["y", "n"])
def test_makemigrations_can_not_rename_a_user_model(answer, opened):
    sandbox = opened(RENAMED, "sqlite")
    made = sandbox.manage("makemigrations", input=f"{answer}\n" * 20)
    assert made.status == 0, made.output
    assert ("Rename model User to Member" in made.output) == (answer == "y")
    assert NOT_PROVIDED in last_line(sandbox.manage("migrate").output)


@on_all
def test_page_brings_every_account_over(database, opened):
    sandbox = opened(SLUG, database)
    accounts = sandbox.snapshot().rows_of("auth_user", ["id", "username", "password"])
    assert sandbox.manage("makemigrations", "users").status == 0
    done = sandbox.run("runbook", "run", "switch-to-custom-user", "--apply", "--yes")
    assert done.status == 0, done.output
    all_green(sandbox)
    assert sandbox.snapshot().rows_of("users_user", ["id", "username", "password"]) == accounts
    assert sign_in(sandbox) == "head\n"


@on_sqlite_alone
def test_taking_names_back_repairs_the_other_causes(database, opened):
    healthy = opened("healthy", database)
    for world in (RENAMED, SETTING_LOST):
        sandbox = opened(world, database)
        for path, text in healthy.files().items():
            (sandbox.project / path).write_text(text)
        all_green(sandbox)

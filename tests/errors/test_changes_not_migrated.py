"""The page's check tells the causes apart and reads only; each change is repaired; the usual advice leaves the column out."""

from __future__ import annotations

import pytest
from advice import find_cause, last_line, on_all, on_all_djangos
from migration_runbooks.worlds import open_library
from sqlite_alone import on_sqlite_alone

SLUG = "changes-not-migrated"
NOTE = (
    "  Your models in app(s): 'fees', 'noticeboard' have changes that are not yet reflected in a migration, and so won't be applied.\n"
    "  Run 'manage.py makemigrations' to make new migrations, and then re-run 'manage.py migrate' to apply them."
)
CHANNEL = '    channel = models.CharField(max_length=20, blank=True, default="")\n'
PAID_AT = "    paid_at = models.DateTimeField()\n"
ASK = "from fees.models import Payment; print(Payment.objects.values_list('channel', flat=True).first())"
PACKAGE = "vendor/site-packages/noticeboard/migrations"
NO_COLUMN = {
    "sqlite": "django.db.utils.OperationalError: no such column: fees_payment.channel",
    "postgresql": "django.db.utils.ProgrammingError: column fees_payment.channel does not exist",
    "mariadb": "django.db.utils.OperationalError: (1054, \"Unknown column 'fees_payment.channel' in '",
}


def edit(sandbox, file: str, old: str, new: str) -> None:
    path = sandbox.project / file
    assert path.read_text().count(old) == 1
    path.write_text(path.read_text().replace(old, new))


def succeeds(sandbox, *command: str) -> str:
    done = sandbox.manage(*command)
    assert done.status == 0, done.output
    return done.output


def has_no_column(sandbox) -> bool:
    done = sandbox.manage("shell", "-v", "0", "-c", ASK)
    return done.status == 1 and any(line.startswith(NO_COLUMN[sandbox.database]) for line in done.output.splitlines())


@on_all_djangos
@on_all
def test_migrate_says_it_and_every_command_but_one_is_green(django, database, opened):
    sandbox = opened(SLUG, database)
    assert succeeds(sandbox, "migrate").rstrip().endswith(NOTE)
    succeeds(sandbox, "migrate", "--check")
    assert "no issues" in succeeds(sandbox, "check")
    assert sandbox.manage("makemigrations", "--check").status == 1
    assert has_no_column(sandbox)


@on_sqlite_alone
def test_check_of_the_page_tells_the_causes_apart_and_reads_only(database, opened):
    sandbox = opened(SLUG, database)
    before, files = sandbox.snapshot(), sandbox.files()
    printed = find_cause(sandbox, SLUG).output
    assert "fees in fees: Add field channel to payment\n" in printed
    assert "noticeboard in vendor/site-packages/noticeboard: Alter field id on notice\n" in printed
    assert "transport in transport: has models and no migrations\n2 apps with changes\n" in printed
    assert before.difference(sandbox.snapshot()) == [] and sandbox.files() == files
    assert find_cause(opened("healthy", database), SLUG).output == "0 apps with changes\n"


def test_check_of_the_page_reads_another_project(tmp_path):
    with open_library("sqlite", tmp_path) as library:
        edit(library, "loans/models.py", "    due_on = models.DateField()\n", "    due_on = models.DateField(null=True)\n")
        library.run("mkdir", "bin")
        (library.project / "bin/uv").write_text('#!/bin/sh\nshift\nexec python "$@"\n')
        (library.project / "bin/uv").chmod(0o755)
        library.environment["PATH"] = f"{library.project}/bin:{library.environment['PATH']}"
        printed = find_cause(library, SLUG).output
    assert printed == (
        "loans in loans: Alter field due_on on loan\n    null: None in the migrations, True in the models\n1 apps with changes\n"
    )


def test_new_app_is_not_seen_until_it_is_named(opened):
    sandbox = opened(SLUG, "sqlite")
    edit(sandbox, "fees/models.py", CHANNEL, "")
    edit(sandbox, "acharya/settings.py", '    "noticeboard",\n', "")
    assert succeeds(sandbox, "makemigrations") == "No changes detected\n"
    succeeds(sandbox, "makemigrations", "--check")
    assert "has models and no migrations\n0 apps" in find_cause(sandbox, SLUG).output
    assert "Create model Bus" in succeeds(sandbox, "makemigrations", "transport")


@pytest.mark.parametrize("named", [(), ("fees",)])
@on_all_djangos
def test_model_that_is_not_imported_is_not_seen(django, named, opened):
    sandbox = opened("healthy", "sqlite")
    (sandbox.project / "fees/refunds.py").write_text(
        "from django.db import models\n\n\nclass Refund(models.Model):\n    amount = models.IntegerField()\n"
    )
    where = " in app 'fees'" if named else ""
    assert succeeds(sandbox, "makemigrations", *named) == f"No changes detected{where}\n"
    assert find_cause(sandbox, SLUG).output == "0 apps with changes\n"
    edit(sandbox, "fees/models.py", "class FeeHead(", "from fees.refunds import Refund  # noqa: E402, F401\n\n\nclass FeeHead(")
    assert "Create model Refund" in find_cause(sandbox, SLUG).output


def test_value_of_each_process_is_shown_and_the_function_ends_it(opened):
    sandbox = opened("healthy", "sqlite")
    edit(sandbox, "fees/models.py", PAID_AT, "    paid_at = models.DateTimeField(default=timezone.now())\n")
    edit(sandbox, "fees/models.py", "from django.db import models\n", "from django.db import models\nfrom django.utils import timezone\n")
    for _ in range(2):
        assert "Alter field paid_at" in succeeds(sandbox, "makemigrations", "fees")
    assert "    default: datetime.datetime(" in find_cause(sandbox, SLUG).output
    edit(sandbox, "fees/models.py", "timezone.now()", "timezone.now")
    succeeds(sandbox, "makemigrations", "fees")
    assert "No changes" in succeeds(sandbox, "makemigrations", "--check")


def test_primary_keys_of_every_app_follow_the_setting(opened):
    sandbox = opened("healthy", "sqlite")
    edit(sandbox, "acharya/settings.py", 'DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"', 'DEFAULT_AUTO_FIELD = "django.db.models.AutoField"')
    printed = find_cause(sandbox, SLUG).output
    assert printed.count("Alter field id on") > 10 and "5 apps with changes" in printed
    assert "    type: 'django.db.models.BigAutoField' in the migrations, 'django.db.models.AutoField' in the models" in printed
    assert sandbox.manage("makemigrations", "--check").status == 1


@on_all
def test_new_initial_migration_is_skipped_and_the_column_never_made(database, opened):
    sandbox = opened(SLUG, database)
    for file in (sandbox.project / "fees/migrations").glob("0*.py"):
        file.unlink()
    assert "0001_initial.py" in succeeds(sandbox, "makemigrations", "fees")
    assert "No migrations to apply" in succeeds(sandbox, "migrate", "fees")
    assert has_no_column(sandbox)


@on_all
def test_file_in_a_package_is_gone_after_the_next_installation(database, opened):
    sandbox = opened(SLUG, database)
    shipped = {path: text for path, text in sandbox.files().items() if path.startswith(PACKAGE)}
    edit(sandbox, "fees/models.py", CHANNEL, '    notice = models.ForeignKey("noticeboard.Notice", null=True, on_delete=models.SET_NULL)\n')
    assert f"{PACKAGE}/0002_alter_notice_id.py" in succeeds(sandbox, "makemigrations")
    succeeds(sandbox, "migrate")
    for path in sandbox.files().keys() - shipped.keys():
        if path.startswith(PACKAGE):
            (sandbox.project / path).unlink()
    done = sandbox.manage("migrate")
    assert done.status == 1 and last_line(done.output).endswith(
        "Migration fees.0013_payment_notice dependencies reference nonexistent parent node ('noticeboard', '0002_alter_notice_id')"
    )


@on_all
def test_syncdb_makes_tables_that_the_first_migration_meets(database, opened):
    sandbox = opened(SLUG, database)
    succeeds(sandbox, "migrate", "--run-syncdb")
    assert "transport_bus" in sandbox.snapshot().rows
    succeeds(sandbox, "makemigrations", "transport")
    done = sandbox.manage("migrate", "transport")
    assert done.status == 1 and "already exists" in last_line(done.output)


def test_fake_changes_nothing(opened):
    sandbox = opened(SLUG, "sqlite")
    before = sandbox.snapshot()
    assert succeeds(sandbox, "migrate", "--fake").rstrip().endswith(NOTE)
    assert before.difference(sandbox.snapshot()) == [] and has_no_column(sandbox)

"""Each place of a query at import is found and repaired; catching the error leaves the form empty."""

from __future__ import annotations

from advice import find_cause, on, on_all, on_all_djangos, page_of, write_migration
from migration_runbooks.pages.blocks import read_page
from sqlite_alone import on_sqlite_alone

SLUG = "query-at-import"
MODULE = f"{SLUG}:module"
READY = f"{SLUG}:ready"
ERRORS = {
    "sqlite": "django.db.utils.OperationalError: no such table: fees_feehead",
    "postgresql": 'django.db.utils.ProgrammingError: relation "fees_feehead" does not exist',
    "mariadb": "django.db.utils.ProgrammingError: (1146, \"Table '{}.fees_feehead' doesn't exist\")",
}
NO_COLUMN = {
    "sqlite": "django.db.utils.OperationalError: no such column: fees_feehead.note",
    "postgresql": "django.db.utils.ProgrammingError: column fees_feehead.note does not exist",
}
QUERY = "[(head.pk, head.name) for head in FeeHead.objects.all()]"
CAUGHT = f"""
from django import forms
from django.db import OperationalError
from fees.models import FeeHead

try:
    HEADS = {QUERY}
except OperationalError:
    HEADS = []


class ChargeForm(forms.Form):
    head = forms.ChoiceField(choices=HEADS)
"""
CHOICES = """
from django.core.management import call_command
from django.urls import resolve

resolve("/fees/")
call_command("migrate", verbosity=0)
from fees.forms import ChargeForm
from fees.models import FeeHead

FeeHead.objects.create(name="Library", amount=10)
print([name for _pk, name in ChargeForm().fields["head"].choices])
"""
ADD_FEE = """
def add_fee(apps, schema_editor):
    heads = apps.get_model("fees", "FeeHead").objects.using(schema_editor.connection.alias)
    heads.get_or_create(name="Admission", defaults={"amount": 5000})

"""


def fails_with(sandbox, error: str, *command: str) -> bool:
    done = sandbox.manage(*command or ["migrate"])
    return done.status == 1 and "Running migrations:" not in done.output and error in done.output.splitlines()


def expected(sandbox) -> str:
    return ERRORS[sandbox.database].format(sandbox.place.database)


def replace(sandbox, path: str, old: str, new: str) -> None:
    file = sandbox.project / path
    assert old in file.read_text()
    file.write_text(file.read_text().replace(old, new))


def repaired(sandbox) -> None:
    assert find_cause(sandbox, SLUG).output == ""
    done = sandbox.manage("migrate")
    assert done.status == 0, done.output


def ask_late(sandbox) -> None:
    """Make the page's change in the form."""
    replace(sandbox, "fees/forms.py", f"choices={QUERY}", "choices=fee_heads")
    replace(sandbox, "fees/forms.py", "\n\nclass", f"\n\ndef fee_heads():\n    return {QUERY}\n\n\nclass")


@on_all
@on_all_djangos
def test_every_cause_prints_the_text_of_the_page_and_is_told_apart(database, opened):
    for world, place in {SLUG: "forms.py\", line 7, in ChargeForm", MODULE: "forms.py\", line 5, in <module>", READY: "apps.py\", line 10, in ready"}.items():
        sandbox = opened(world, database)
        assert fails_with(sandbox, expected(sandbox)), world
        assert f'  File "{sandbox.project}/fees/{place}\n' in find_cause(sandbox, SLUG).output
        assert sandbox.snapshot().schema == {}


def test_check_of_the_page_finds_nothing_in_a_healthy_project(opened):
    assert find_cause(opened("healthy", "sqlite"), SLUG).output == ""


@on_sqlite_alone
def test_functions_of_the_page_ask_late(database, opened):
    form = opened(SLUG, database)
    ask_late(form)
    repaired(form)

    module = opened(MODULE, database)
    shown = next(block.text for block in read_page(page_of(SLUG)).blocks if block.fence.kind == "illustration")
    replace(module, "fees/forms.py", 'HEADS = list(FeeHead.objects.values_list("pk", "name"))\n', f"\n{shown}")
    replace(module, "fees/forms.py", "choices=HEADS", "choices=heads")
    repaired(module)


@on_all
def test_data_migration_writes_what_ready_wrote(database, opened):
    ready = opened(READY, database)
    apps = ready.project / "fees/apps.py"
    apps.write_text(apps.read_text().partition("\n    def ready")[0])
    write_migration(ready, "fees", "0013_admission_fee", "migrations.RunPython(add_fee, migrations.RunPython.noop)")
    replace(ready, "fees/migrations/0013_admission_fee.py", "\nclass Migration", f"{ADD_FEE}\nclass Migration")
    repaired(ready)
    assert ready.snapshot().rows_of("fees_feehead", ["name"]) == [("Admission",)]


@on("sqlite", "postgresql")
def test_new_field_stops_a_database_that_has_the_table(database, opened):
    sandbox = opened(SLUG, database)
    text = (sandbox.project / "fees/forms.py").read_text()
    ask_late(sandbox)
    repaired(sandbox)
    (sandbox.project / "fees/forms.py").write_text(text)
    replace(sandbox, "fees/models.py", "    name = models.CharField(max_length=50)\n", "    name = models.CharField(max_length=50)\n    note = models.TextField(default='')\n")
    assert sandbox.manage("makemigrations", "fees", "--skip-checks").status == 0
    assert fails_with(sandbox, NO_COLUMN[database])


@on_all
def test_catching_operational_errors_empties_the_form_or_catches_nothing(database, opened):
    sandbox = opened(SLUG, database)
    (sandbox.project / "fees/forms.py").write_text(CAUGHT)
    if database == "sqlite":
        assert sandbox.manage("shell", "-v", "0", "-c", CHOICES).output == "[]\n"
    else:
        assert fails_with(sandbox, expected(sandbox))


def test_function_gives_the_form_its_choices_in_the_same_process(opened):
    sandbox = opened(SLUG, "sqlite")
    ask_late(sandbox)
    assert sandbox.manage("shell", "-v", "0", "-c", CHOICES).output == "['Library']\n"


@on_all
def test_skipping_the_checks_builds_this_database_alone_and_does_not_help_in_ready(database, opened):
    built = opened(SLUG, database)
    assert built.manage("migrate", "--skip-checks").status == 0
    assert built.manage("migrate", "--check").status == 0
    new = opened(SLUG, database)
    assert fails_with(new, expected(new))
    ready = opened(READY, database)
    for command in ("migrate --skip-checks", "migrate --fake", "makemigrations"):
        assert fails_with(ready, expected(ready), *command.split()), command

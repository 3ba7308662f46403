"""Set the traps of the Learn section, and read what became of the rows."""

from __future__ import annotations

ORPHAN = """
from copy import copy
from django.db import connection
from fees.models import Invoice
if connection.vendor == "postgresql":  # whose ordinary roles can't switch foreign keys off
    enforced = Invoice._meta.get_field("student")
    loose = copy(enforced)
    loose.db_constraint = False
    with connection.schema_editor() as editor:
        editor.alter_field(Invoice, enforced, loose)
with connection.constraint_checks_disabled():
    Invoice.objects.filter(number="F00003").update(student_id=999999)
"""

MIGRATION = """
from django.db import migrations, models
{functions}

class Migration(migrations.Migration):
    atomic = {atomic}
    dependencies = [{parent!r}]
    operations = [{operation}]
"""


def add_migration(school, app: str, name: str, parent: str, operation: str, functions: str = "", atomic: bool = True):
    """Write a migration with one operation, spelled in Python."""
    text = MIGRATION.format(functions=functions, atomic=atomic, parent=(app, parent), operation=operation)
    (school.project / app / "migrations" / f"{name}.py").write_text(text)


def python(school, code: str):
    """Run Python in the project's shell, which must succeed."""
    done = school.manage("shell", "-v", "0", input=code)
    assert done.status == 0, done.output


def forget(school, app: str, name: str):
    """Take a migration's row out of the history."""
    school.execute(f"DELETE FROM django_migrations WHERE app = '{app}' AND name = '{name}'")


def recorded(school, app: str) -> set[str]:
    return {name for (name,) in school.execute(f"SELECT name FROM django_migrations WHERE app = '{app}'")}


def values(school, column: str, table: str = "fees_invoice") -> list:
    """The values of a column, by primary key."""
    return [value for (value,) in school.execute(f"SELECT {column} FROM {table} ORDER BY id")]


def last_error(done) -> str:
    """The last line of a traceback that names an exception."""
    return [line for line in done.output.splitlines() if line.startswith("django.")][-1]

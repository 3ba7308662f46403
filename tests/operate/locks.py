"""Run in `manage.py shell` of a copy of Acharya on PostgreSQL: (lock, lock of the table referred to, rewritten) of each operation, as JSON.

Every operation runs as a migration does and is rolled back; a second connection reads pg_locks before that.
"""

from __future__ import annotations

import json
from contextlib import closing

from django.contrib.postgres.functions import RandomUUID
from django.contrib.postgres.operations import AddConstraintNotValid, ValidateConstraint
from django.db import connection, migrations, models, transaction
from django.db.migrations.executor import MigrationExecutor

MODES = [
    "AccessShare",
    "RowShare",
    "RowExclusive",
    "ShareUpdateExclusive",
    "Share",
    "ShareRowExclusive",
    "Exclusive",
    "AccessExclusive",
]
QUERY = """
    SELECT relation::regclass::text, mode FROM pg_locks
    WHERE pid = %s AND granted AND relation::regclass::text IN ('fees_invoice', 'students_student')
"""
STATE = MigrationExecutor(connection).loader.project_state()
note_is_there = models.CheckConstraint(condition=~models.Q(note="x"), name="note_is_not_x")


def fill(apps, schema_editor):
    apps.get_model("fees", "Invoice").objects.update(note="filled")


def add(field):
    return [migrations.AddField("invoice", "extra", field)]


OPERATIONS = {
    "CreateModel, with a ForeignKey to the table": [
        migrations.CreateModel(
            "Waiver",
            [
                ("id", models.BigAutoField(primary_key=True)),
                ("invoice", models.ForeignKey("fees.Invoice", models.CASCADE)),
            ],
        )
    ],
    "DeleteModel": [migrations.DeleteModel("Invoice")],
    "RenameModel": [migrations.RenameModel("Invoice", "Bill")],
    "AddField, may be null": add(models.TextField(null=True)),
    "AddField, default or db_default": add(models.TextField(db_default="x")),
    "AddField, db_default that differs by row, such as RandomUUID": add(models.UUIDField(db_default=RandomUUID())),
    "AddField, ForeignKey": add(models.ForeignKey("students.Student", models.CASCADE, null=True, related_name="+")),
    "RemoveField": [migrations.RemoveField("invoice", "discount")],
    "RenameField": [migrations.RenameField("invoice", "note", "remark")],
    "AlterField, other type": [migrations.AlterField("invoice", "note", models.CharField(max_length=500, null=True))],
    "AlterField, null to not null": [migrations.AlterField("invoice", "note", models.TextField(default=""))],
    "AlterField, unique": [migrations.AlterField("invoice", "due_on", models.DateField(unique=True))],
    "AlterField, only default, choices, help_text or verbose_name": [
        migrations.AlterField(
            "invoice", "note", models.TextField(null=True, blank=True, default="x", help_text="x", verbose_name="x")
        )
    ],
    "AddIndex": [migrations.AddIndex("invoice", models.Index(fields=["amount"], name="by_amount"))],
    "RemoveIndex": [migrations.RemoveIndex("invoice", "invoice_student_due_idx")],
    "RenameIndex": [migrations.RenameIndex("invoice", new_name="renamed", old_name="invoice_student_due_idx")],
    "AddConstraint, check": [migrations.AddConstraint("invoice", note_is_there)],
    "AddConstraint, unique": [
        migrations.AddConstraint("invoice", models.UniqueConstraint(fields=["amount", "id"], name="u"))
    ],
    "AddConstraintNotValid": [AddConstraintNotValid("invoice", note_is_there)],
    "ValidateConstraint": [ValidateConstraint("invoice", "note_is_not_x")],
    "RunPython or RunSQL that writes rows": [migrations.RunPython(fill)],
}


def prepare(name):
    """What must be there before, in a transaction of its own."""
    if name == "ValidateConstraint":
        with connection.schema_editor() as editor:
            apply(AddConstraintNotValid("invoice", note_is_there), editor, STATE.clone())
    elif name == "AlterField, unique":
        with connection.cursor() as cursor:
            cursor.execute("UPDATE fees_invoice SET due_on = DATE '2026-01-01' + id::int, note = 'there'")


def apply(operation, editor, before):
    after = before.clone()
    operation.state_forwards("fees", after)
    operation.database_forwards("fees", editor, before, after)
    return after


def locks_of(name, reader):
    prepare(name)
    before = file_of_table()
    with transaction.atomic(), connection.schema_editor() as editor:
        state = STATE.clone()
        for operation in OPERATIONS[name]:
            state = apply(operation, editor, state)
        for statement in editor.deferred_sql:
            editor.execute(statement)
        editor.deferred_sql.clear()
        reader.execute(QUERY, [connection.connection.info.backend_pid])
        found = strongest(reader.fetchall())
        rewritten = file_of_table() not in (before, None)
        transaction.set_rollback(True)
    return found.get("fees_invoice"), found.get("students_student"), rewritten


def file_of_table():
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_relation_filenode(to_regclass('fees_invoice'))")
        return cursor.fetchone()[0]


def strongest(found):
    by_table = {}
    for table, mode in found:
        mode = mode.removesuffix("Lock")
        by_table[table] = max(by_table.get(table, "AccessShare"), mode, key=MODES.index)
    return by_table


second = connection.copy()
with closing(second), second.cursor() as reader:
    print(json.dumps({name: locks_of(name, reader) for name in OPERATIONS}))

"""Run in `manage.py shell` of a copy of Acharya on MariaDB: the cheapest algorithm with which each operation works, as JSON."""

from __future__ import annotations

import json

from django.db import DatabaseError, connection, migrations, models
from django.db.migrations.state import ModelState, ProjectState

ALGORITHMS = ("INSTANT", "NOCOPY", "INPLACE", "COPY")
FIELDS = [
    ("id", models.BigAutoField(primary_key=True)),
    ("note", models.TextField(null=True)),
    ("amount", models.IntegerField()),
]
INDEX = models.Index(fields=["amount"], name="by_amount")


def add(field):
    return migrations.AddField("lab", "extra", field)


OPERATIONS = {
    "RenameModel": migrations.RenameModel("Lab", "Room"),
    "AddField, may be null": add(models.TextField(null=True)),
    "AddField, default or db_default": add(models.CharField(max_length=9, db_default="x")),
    "AddField, ForeignKey": add(models.ForeignKey("lab.Other", models.CASCADE, null=True)),
    "RemoveField": migrations.RemoveField("lab", "note"),
    "RenameField": migrations.RenameField("lab", "note", "remark"),
    "AlterField, other type": migrations.AlterField("lab", "amount", models.BigIntegerField()),
    "AlterField, null to not null": migrations.AlterField("lab", "note", models.TextField()),
    "AddIndex": migrations.AddIndex("lab", INDEX),
    "AddConstraint, check": migrations.AddConstraint(
        "lab", models.CheckConstraint(condition=models.Q(amount__gt=0), name="c")
    ),
    "AddConstraint, unique": migrations.AddConstraint("lab", models.UniqueConstraint(fields=["amount"], name="u")),
}


def works(operation, algorithm):
    before = ProjectState()
    before.add_model(ModelState("lab", "Other", FIELDS[:1]))
    before.add_model(ModelState("lab", "Lab", FIELDS))
    after = before.clone()
    operation.state_forwards("lab", after)
    with connection.schema_editor() as editor:
        for name in ("Other", "Lab"):
            editor.create_model(before.apps.get_model("lab", name))
    try:
        set_algorithm(algorithm)
        with connection.schema_editor() as editor:
            operation.database_forwards("lab", editor, before, after)
        return True
    except DatabaseError:
        return False
    finally:
        set_algorithm("DEFAULT")
        with connection.cursor() as cursor:
            cursor.execute("DROP TABLE IF EXISTS lab_lab, lab_room, lab_other")


def set_algorithm(algorithm):
    with connection.cursor() as cursor:
        cursor.execute(f"SET SESSION alter_algorithm = '{algorithm}'")


print(
    json.dumps(
        {name: next((a for a in ALGORITHMS if works(operation, a)), "none") for name, operation in OPERATIONS.items()}
    )
)

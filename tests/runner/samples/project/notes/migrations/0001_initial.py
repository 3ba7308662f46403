from __future__ import annotations

from django.db import migrations, models


def write_note(apps, schema_editor):
    apps.get_model("notes", "Note").objects.create(text="broken")


class Migration(migrations.Migration):
    initial = True
    dependencies = []
    operations = [
        migrations.CreateModel(
            name="Note",
            fields=[("id", models.BigAutoField(primary_key=True)), ("text", models.CharField(max_length=20))],
        ),
        migrations.RunPython(write_note, migrations.RunPython.noop),
    ]

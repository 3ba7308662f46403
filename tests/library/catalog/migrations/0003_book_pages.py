from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("catalog", "0002_copy")]
    operations = [
        migrations.AddField(model_name="book", name="pages", field=models.PositiveIntegerField(null=True)),
    ]
